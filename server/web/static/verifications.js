// Proof that a deletion holds: run it, watch it, take the record away.

import { api, enc, mayChange } from "./api.js";
import { action, badge, dialog, field, fill, h, moment, number, table, toast } from "./dom.js";
import { holds } from "./overview.js";

/** Ask how, and begin. */
export async function startVerifying(name) {
  const id = await dialog(`Verify ${name}`, (close) => {
    const entries = h("input", { type: "number", min: 1, max: 10000, value: 20 });
    const samples = h("input", { type: "number", min: 1, max: 1000, value: 3 });
    const probes = h("input", { type: "number", min: 1, max: 50, value: 2 });
    const others = h("input", { type: "number", min: 0, max: 1000, value: 20 });
    const problem = h("p", { class: "problem", role: "alert" });
    return h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        try {
          const begun = await api("POST", `/lists/${enc(name)}/verify`, {
            body: { most_entries: Number(entries.value), samples: Number(samples.value), per_kind: Number(probes.value), most_neighbours: Number(others.value) },
          });
          close(begun.id);
        } catch (error) {
          fill(problem, error.message);
        }
      },
    }, h("p", {}, "Asks the model about the list's entries through the guard and bare: the questions, paraphrases, disguises, several turns. The record says how sure that makes."),
    h("div", { class: "fields" }, field("Entries at most", entries, "Drawn at random."), field("Samples of each probe", samples, "At each temperature above 0."),
      field("Probes of each kind", probes), field("Neighbours", others, "Questions that are to be answered as ever.")), problem,
    h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => close(null) }, "Cancel"), h("button", { type: "submit", class: "primary" }, "Verify")));
  });
  if (id) location.hash = `#/verifications/${id}`;
}

const state = (v) => badge(v.state, v.state === "failed" ? "bad" : v.state === "done" ? "good" : "warn");

export async function verifications(main) {
  const told = await api("GET", "/verifications");
  fill(main, h("div", { class: "head" }, h("div", {}, h("h1", {}, "Proof"), h("p", {}, "Verifications and their signed deletion records."))),
    h("section", {}, table("Verifications", ["Begun", "List", "Entry", "State", "Deletion", "Revision", "Model", "By"], told.verifications.map((v) => [
      h("a", { href: `#/verifications/${v.id}` }, moment(v.started_at)), h("a", { href: `#/lists/${enc(v.list)}` }, v.list), v.entry || "all", state(v),
      v.state === "done" ? holds(v.holds) : "", String(v.revision), v.model, v.by]),
    "No list was verified yet. Open a list and choose Verify.")));
}

function verdict(v) {
  const told = v.verdict;
  return [h("p", {}, h("strong", {}, told.says)), told.caveat ? h("p", {}, told.caveat) : null,
    told.leaking_entries?.length ? h("p", { class: "problem" }, "Entries that leak: ", told.leaking_entries.map((id) => [h("a", { class: "mono", href: `#/lists/${enc(v.list)}` }, id), " "])) : null];
}

export async function verification(main, id) {
  let timer = null;
  let ended = false;
  async function look() {
    const v = await api("GET", `/verifications/${id}`);
    const done = v.progress.done ?? 0;
    const total = v.progress.of ?? 0;
    const running = v.state === "waiting" || v.state === "running";
    fill(main, h("div", { class: "head" }, h("div", {}, h("p", {}, h("a", { href: "#/verifications" }, "Proof"), " /"), h("h1", {}, `Verification of ${v.list}`),
      h("p", {}, moment(v.started_at), ` · ${v.by} · ${v.model} · revision ${v.revision}`)), h("div", {}, state(v), " ", v.state === "done" ? holds(v.holds) : null)),
    h("section", { "aria-live": "polite" },
      running ? [h("p", {}, total ? `${number(done)} of ${number(total)} answers` : "Getting ready …"), h("progress", total ? { max: total, value: done, "aria-label": "Progress" } : { "aria-label": "Progress" })] : null,
      v.verdict ? verdict(v) : null,
      v.state === "failed" ? h("p", { class: "problem" }, v.progress.error || "It failed; the log says why.") : null,
      h("div", { class: "buttons" },
        v.state === "done" ? [h("a", { class: "button", href: `/admin/v1/verifications/${id}/record?format=json`, download: `deletion-record-${id}.json` }, "Download the record (JSON)"),
          h("a", { class: "button", href: `/admin/v1/verifications/${id}/record?format=html`, download: `deletion-record-${id}.html` }, "Download to print (HTML)")] : null,
        running && mayChange() ? action("Cancel", async () => { await api("DELETE", `/verifications/${id}`); toast("Cancelled."); await look(); }) : null)));
    if (running && !ended) timer = setTimeout(() => look().catch((e) => toast(e.message, "bad")), 1500);
  }
  await look();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
