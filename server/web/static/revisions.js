// What changed, and the way back.

import { api, enc, mayChange } from "./api.js";
import { difference, rehearse } from "./changes.js";
import { action, fill, h, moment, number, table } from "./dom.js";

function counted(counts) {
  const told = Object.entries(counts).filter(([, n]) => n).map(([name, n]) => `${number(n)} ${name}`);
  return told.join(", ") || "settings";
}

const back = (to, list) => (dry) => api("POST", "/rollback", { body: { to, ...(list ? { list } : {}) }, query: dry ? { dry_run: true } : { wait: "all" } });

export async function revisions(main) {
  const list = new URLSearchParams(location.hash.split("?")[1] || "").get("list");
  const rows = [];
  let before = null;
  async function more() {
    const told = await api("GET", "/revisions", { query: { list, before, limit: 50 } });
    rows.push(...told.revisions);
    before = told.next;
    draw();
  }
  function draw() {
    fill(main, h("div", { class: "head" }, h("div", {}, h("h1", {}, list ? `History of ${list}` : "History"),
      h("p", {}, "Every change is a revision. Each has its way back."))),
    h("section", {}, table("Revisions", ["Revision", "When", "Who", "What", "List", "Reason", ""], rows.map((r) => [
      h("a", { href: `#/revisions/${r.revision}` }, String(r.revision)), moment(r.at), r.actor, [r.action, h("div", { class: "note" }, counted(r.counts))],
      r.list ? h("a", { href: `#/lists/${enc(r.list)}` }, r.list) : "all", r.reason,
      mayChange() ? action("Go back to here", async () => {
        if (await rehearse(`Back to revision ${r.revision}${list ? ` of ${list}` : ""}`, back(r.revision, list), "Roll back")) await revisions(main);
      }, { class: "small", "aria-label": `Go back to revision ${r.revision}` }) : null]), "Nothing was changed yet."),
    before ? h("div", { class: "buttons" }, action("Older", more)) : null));
  }
  await more();
}

export async function revision(main, numeral) {
  const told = await api("GET", `/revisions/${numeral}`, { query: { limit: 200 } });
  const before = Number(numeral) - 1;
  fill(main, h("div", { class: "head" }, h("div", {}, h("p", {}, h("a", { href: "#/revisions" }, "History"), " /"), h("h1", {}, `Revision ${numeral}`),
    h("p", {}, moment(told.at), ` · ${told.actor} · ${told.action}`, told.reason ? ` · ${told.reason}` : "")),
  mayChange() && before > 0 ? action("Undo: back to before it", async () => {
    if (await rehearse(`Back to revision ${before}`, back(before, told.list), "Roll back")) location.hash = "#/revisions";
  }) : null),
  h("section", {}, told.changes.length ? told.changes.map(difference) : h("p", { class: "empty" }, "It changed nothing that is shown."),
    told.next ? h("p", { class: "note" }, "Only the first 200 changes are shown.") : null));
}
