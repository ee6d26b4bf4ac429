// The audit log, and whether it holds.

import { api } from "./api.js";
import { action, badge, fill, h, moment, number, table } from "./dom.js";

export async function audit(main) {
  let after = 0;
  const rows = [];
  const result = h("div", { role: "status" });
  const log = h("div", {});
  async function more() {
    const told = await api("GET", "/audit", { query: { after, limit: 200 } });
    rows.push(...told.events);
    after = told.next;
    fill(log, table("Events", ["No.", "When", "Who", "Role", "What", "On", "Detail"], rows.map((e) => [String(e.seq), moment(e.at), e.actor, e.role, e.action, e.target,
      h("span", { class: "mono" }, Object.keys(e.detail).length ? JSON.stringify(e.detail) : "")]), "Nothing was done yet."),
    told.next ? h("div", { class: "buttons" }, action("More", more)) : null);
  }
  const check = action("Check the chain", async () => {
    const told = await api("GET", "/audit/verify");
    fill(result, h("p", {}, told.holds ? badge("unbroken", "good") : badge("tampered with", "bad"), ` ${number(told.events)} events. `,
      "Keep this, and a later check can tell whether events were cut off: ", h("code", {}, told.checkpoint)),
    told.faults.length ? table("Faults", ["Event", "Problem"], told.faults.map((f) => [String(f.seq), f.message])) : null);
  }, { class: "primary" });
  fill(main, h("div", { class: "head" }, h("div", {}, h("h1", {}, "Audit log"), h("p", {}, "Append-only; each event's hash covers the one before.")), check), h("section", {}, result, log));
  await more();
}
