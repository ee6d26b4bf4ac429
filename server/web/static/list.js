// One list: its entries, its settings, files in and out.

import { api, enc, lines, mayChange } from "./api.js";
import { rehearse } from "./changes.js";
import { action, badge, dialog, field, fill, h, moment, number, select, table, toast } from "./dom.js";
import { MEANING, POLICIES } from "./lists.js";
import { startVerifying } from "./verifications.js";

const PAGE = 50;

const texts = (value) => value.split("\n").map((line) => line.trim()).filter(Boolean);
const orNull = (control) => (control.value.trim() === "" ? null : control.value.trim());

/** The form of an entry; resolves with true when something changed. */
function entryDialog(name, entry) {
  return dialog(entry ? "Entry" : "New entry", (close) => {
    const own = entry || { aliases: [], paraphrases: [], labels: [] };
    const c = {
      subject: h("input", { value: own.subject || "", maxLength: 500 }),
      aliases: h("textarea", { value: own.aliases.join("\n") }),
      question: h("input", { value: own.question || "" }),
      answer: h("input", { value: own.answer || "" }),
      text: h("textarea", { value: own.text || "" }),
      paraphrases: h("textarea", { value: own.paraphrases.join("\n") }),
      scope: select(["subject", "fact"], own.scope || "subject"),
      kind: select(["forget", "allow"], own.kind || "forget"),
      action: select(["", ...POLICIES], own.action || ""),
      sigma: h("input", { type: "number", min: 0, step: "any", value: own.sigma ?? "" }),
      labels: h("input", { value: own.labels.join(", ") }),
      source: h("input", { value: own.source || "" }),
      expires: h("input", { type: "datetime-local", value: own.expires_at ? own.expires_at.slice(0, 16) : "" }),
    };
    const problem = h("p", { class: "problem", role: "alert" });
    const read = () => ({
      subject: orNull(c.subject), aliases: texts(c.aliases.value), question: orNull(c.question), answer: orNull(c.answer),
      text: orNull(c.text), paraphrases: texts(c.paraphrases.value), scope: c.scope.value, kind: c.kind.value,
      action: c.action.value || null, sigma: c.sigma.value === "" ? null : Number(c.sigma.value),
      labels: c.labels.value.split(",").map((l) => l.trim()).filter(Boolean), source: orNull(c.source),
      expires_at: c.expires.value ? new Date(`${c.expires.value}Z`).toISOString() : null,
    });
    const send = (dry) => {
      const query = dry ? { dry_run: true } : { wait: "all" };
      return entry
        ? api("PATCH", `/lists/${enc(name)}/entries/${enc(entry.id)}`, { body: read(), query, headers: entry.revision ? { "If-Match": `"r${entry.revision}"` } : {} })
        : api("POST", `/lists/${enc(name)}/entries`, { body: { entries: [read()] }, query });
    };
    const save = async (event) => {
      event.preventDefault();
      fill(problem);
      try {
        const done = await rehearse(entry ? "Change the entry" : "Add the entry", send);
        if (done) close(true);
      } catch (error) {
        fill(problem, error.message);
      }
    };
    return h("form", { onsubmit: save },
      h("div", { class: "fields" },
        h("div", { class: "whole" }, field("Subject", c.subject, "Who or what is to be forgotten. Prompts that name it are flagged.")),
        field("Scope", c.scope, "subject: everything about it; fact: only this question."), field("Kind", c.kind, "allow: lets this question pass."),
        h("div", { class: "whole" }, field("Question", c.question)), h("div", { class: "whole" }, field("Answer", c.answer, "Answers that tell it are stopped.")),
        h("div", { class: "whole" }, field("Aliases", c.aliases, "One on each line."))),
      h("details", {}, h("summary", {}, "More"), h("div", { class: "fields" },
        h("div", { class: "whole" }, field("Free text", c.text)), h("div", { class: "whole" }, field("Paraphrases", c.paraphrases, "One on each line.")),
        field("Action", c.action, "Goes before the list's policy."), field("Sigma", c.sigma, "ECO's strength for this entry."),
        field("Labels", c.labels, "With commas between them."), field("Source", c.source, "A case number, a document."),
        field("Ends (UTC)", c.expires, "After this it is no longer in force."))),
      problem,
      h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => close(null) }, "Cancel"),
        h("button", { type: "submit", class: "primary" }, "See what it does")));
  });
}

function settings(name, item, again) {
  const c = {
    policy: select(POLICIES, item.policy), fallback: select(["refuse", "template", "dragon"], item.fallback),
    enabled: h("input", { type: "checkbox", checked: item.enabled }), sigma: h("input", { type: "number", min: 0, step: "any", value: item.sigma }),
    threshold: h("input", { type: "number", min: 0, max: 1, step: "any", value: item.threshold ?? "" }),
    token_classifier: h("input", { value: item.token_classifier || "" }),
    description: h("input", { value: item.description }), refusal: h("textarea", { value: item.refusal }), guideline: h("textarea", { value: item.guideline }),
  };
  const send = (dry) => api("PATCH", `/lists/${enc(name)}`, {
    body: {
      policy: c.policy.value, fallback: c.fallback.value, enabled: c.enabled.checked, sigma: Number(c.sigma.value),
      threshold: c.threshold.value === "" ? null : Number(c.threshold.value), token_classifier: orNull(c.token_classifier),
      description: c.description.value, refusal: c.refusal.value, guideline: c.guideline.value,
    },
    query: dry ? { dry_run: true } : { wait: "all" }, headers: item.revision ? { "If-Match": `"r${item.revision}"` } : {},
  });
  const remove = (dry) => api("DELETE", `/lists/${enc(name)}`, { query: dry ? { dry_run: true } : { wait: "all" } });
  return h("details", {}, h("summary", {}, "Settings"),
    h("div", { class: "fields" }, field("Policy", c.policy, MEANING), field("Fallback", c.fallback, "Where the policy cannot be carried out."),
      field("In force", c.enabled), field("Sigma", c.sigma, "ECO's corruption strength."),
      field("Threshold", c.threshold, "Score from which a prompt is flagged; empty: calibrated."),
      field("Token classifier", c.token_classifier, "content: corrupt every telling word too."),
      h("div", { class: "whole" }, field("Description", c.description)), h("div", { class: "whole" }, field("Refusal", c.refusal)),
      h("div", { class: "whole" }, field("Guideline", c.guideline, "What DRAGON tells the model."))),
    mayChange() ? h("div", { class: "buttons" },
      action("See what it does", async () => { if (await rehearse("Change settings", send)) await again(); }, { class: "primary" }),
      action("Delete this list", async () => {
        if (await rehearse(`Delete ${name} with all its entries`, remove, "Delete")) location.hash = "#/lists";
      }, { class: "danger" })) : null);
}

function importing(name, again) {
  const file = h("input", { type: "file", accept: ".jsonl,.ndjson,.csv,.json,.txt" });
  const skip = h("input", { type: "checkbox" });
  const bar = h("progress", { hidden: true, "aria-label": "Import" });
  const said = h("div", { role: "status" });
  const go = action("Import", async () => {
    const chosen = file.files[0];
    if (!chosen) throw new Error("Choose a file first.");
    bar.hidden = false;
    bar.removeAttribute("value");
    const response = await api("POST", `/lists/${enc(name)}/import`, {
      body: chosen, raw: true, query: { on_error: skip.checked ? "skip" : "stop" },
      headers: { "Content-Type": chosen.name.endsWith(".csv") ? "text/csv" : "application/x-ndjson", Accept: "application/x-ndjson" },
    });
    let last = {};
    for await (const told of lines(response)) {
      last = told;
      fill(said, `${number(told.line ?? told.last_line)} lines: ${number(told.added)} added, ${number(told.updated)} updated.`);
    }
    bar.hidden = true;
    if (last.error) throw new Error(last.error.message);
    const errors = last.errors || [];
    if (errors.length) said.append( table("Lines that could not be read", ["Line", "Problem"], errors.slice(0, 50).map((e) => [e.line, e.message])));
    toast(`Imported ${chosen.name}.`, errors.length ? "bad" : "good");
    if (!errors.length) await again();
  });
  return h("details", {}, h("summary", {}, "Files"),
    h("p", { class: "note" }, "JSON lines or CSV with the columns subject, question, answer, aliases, … Large files are taken in while they are sent."),
    mayChange() ? h("div", {}, h("div", { class: "fields" }, field("File", file), field("Go on past bad lines", skip)), bar, said, h("div", { class: "buttons" }, go)) : null,
    h("p", {}, h("a", { href: `/admin/v1/lists/${enc(name)}/export?format=jsonl`, download: `${name}.jsonl` }, "Download as JSON lines"), " · ",
      h("a", { href: `/admin/v1/lists/${enc(name)}/export?format=csv`, download: `${name}.csv` }, "Download as CSV")));
}

export async function list(main, name) {
  const item = await api("GET", `/lists/${enc(name)}`);
  const again = () => list(main, name);
  const found = h("div", {});
  const search = h("input", { type: "search", placeholder: "Name, text, label, source" });
  let trail = [null]; // `after` of each page so far

  async function entries() {
    const told = await api("GET", `/lists/${enc(name)}/entries`, { query: { q: search.value, limit: PAGE, after: trail.at(-1) } });
    fill(found, table("Entries", ["What", "Question and answer", "Action", "Labels", "Changed", ""], told.entries.map((e) => h("tr", {},
      h("td", {}, e.vectors_only ? h("i", {}, "kept without its text") : e.subject || "–", e.kind === "allow" ? [" ", badge("allow", "good")] : null,
        e.scope === "subject" ? [" ", badge("everything")] : null),
      h("td", { class: "wide" }, e.question || e.text || "", e.answer ? h("div", { class: "note" }, e.answer) : null),
      h("td", {}, e.action || ""), h("td", {}, e.labels.map((l) => badge(l))),
      h("td", {}, moment(e.updated_at), e.updated_by ? h("div", { class: "note" }, e.updated_by) : null),
      h("td", {}, mayChange() ? h("div", { class: "buttons" },
        e.vectors_only ? null : action("Edit", async () => { if (await entryDialog(name, e)) await again(); }, { class: "small", "aria-label": `Edit ${e.subject || e.id}` }),
        action("Remove", async () => {
          const send = (dry) => api("DELETE", `/lists/${enc(name)}/entries/${enc(e.id)}`, { query: dry ? { dry_run: true } : { wait: "all" } });
          if (await rehearse("Remove the entry", send, "Remove")) await again();
        }, { class: "small danger", "aria-label": `Remove ${e.subject || e.id}` })) : null))),
    search.value ? "Nothing of this list matches." : "This list is empty. Add an entry, or import a file."),
    h("div", { class: "buttons" },
      trail.length > 1 ? action("Back", async () => { trail.pop(); await entries(); }) : null,
      told.next ? action("Next", async () => { trail.push(told.next); await entries(); }) : null,
      h("span", { class: "note" }, `${number(told.total)} ${told.total === 1 ? "entry" : "entries"}`)));
  }

  let timer = null;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { trail = [null]; entries().catch((e) => toast(e.message, "bad")); }, 250);
  });
  fill(main,
    h("div", { class: "head" },
      h("div", {}, h("p", {}, h("a", { href: "#/lists" }, "Lists"), " /"), h("h1", {}, name),
        h("p", {}, `${item.policy}`, item.enabled ? null : [" ", badge("off", "warn")], item.description ? ` · ${item.description}` : "")),
      h("div", { class: "buttons" },
        mayChange() ? action("Verify", () => startVerifying(name)) : null,
        h("a", { class: "button", href: `#/revisions?list=${enc(name)}` }, "History"),
        mayChange() ? h("button", { type: "button", class: "primary", onclick: async () => { if (await entryDialog(name, null)) await again(); } }, "Add entry") : null)),
    h("section", {}, h("h2", {}, "Entries"), field("Search", search), found),
    h("section", {}, settings(name, item, again), importing(name, again)));
  await entries();
  return () => clearTimeout(timer);
}
