// What a change would do, shown before it is made.

import { action, badge, dialog, fill, h, number, toast } from "./dom.js";

function shown(value) {
  if (value === null || value === undefined || value === "") return "(none)";
  if (Array.isArray(value)) return value.length ? value.map((v) => (typeof v === "string" ? v : JSON.stringify(v))).join(" · ") : "(none)";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function sides(change, name) {
  const before = change.before ? shown(change.before[name]) : null;
  const after = change.after ? shown(change.after[name]) : null;
  return [
    before !== null && before !== "(none)" ? h("del", {}, h("span", { class: "sign", "aria-label": "removed" }, "−"), before) : null,
    after !== null && after !== "(none)" ? h("ins", {}, h("span", { class: "sign", "aria-label": "added" }, "+"), after) : null,
  ];
}

/** One list or entry before and after. */
export function difference(change) {
  const kind = !change.before ? ["added", "good"] : !change.after ? ["removed", "bad"] : ["changed", ""];
  const what = change.entry ? `entry ${change.entry}` : "settings";
  const dull = ["id", "vectors_only", "name", "revision"];
  return h("article", { class: "diff" },
    h("h3", {}, badge(kind[0], kind[1]), ` ${change.list} · ${what}`),
    h("dl", {}, change.fields.filter((name) => !dull.includes(name)).map((name) => {
      const [before, after] = sides(change, name);
      return before || after ? [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, before, after)] : null;
    })));
}

export function impact(told) {
  if (!told.requests) {
    return h("p", { class: "note" }, "No recent requests to try it on: they are kept in memory only, and there are none yet.");
  }
  const rows = [
    ["flagged now", told.flagged_before], ["flagged then", told.flagged_after], ["newly flagged", told.newly_flagged],
    ["no longer flagged", told.no_longer_flagged], ["treated in another way", told.other_action],
  ];
  return h("div", { class: "impact" }, h("p", {}, told.requests === 1 ? "On the last request:" : `On the last ${number(told.requests)} requests:`),
    h("dl", { class: "numbers" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, number(value))))));
}

/** Show what `send(true)` (a dry run) says, then `send(false)` if that is wanted. Gives its answer, or null. */
export async function rehearse(title, send, label = "Apply") {
  const told = await send(true);
  if (!told.total) {
    toast("That would change nothing.");
    return null;
  }
  return dialog(title, (close) => {
    const problem = h("p", { class: "problem", role: "alert" });
    return [
      h("p", {}, `${number(told.total)} ${told.total === 1 ? "change" : "changes"}. Nothing is stored yet.`),
      impact(told.impact),
      h("div", { class: "diffs" }, told.changes.slice(0, 50).map(difference),
        told.total > 50 ? h("p", { class: "note" }, `and ${number(told.total - Math.min(50, told.changes.length))} more`) : null),
      problem,
      h("div", { class: "buttons" },
        h("button", { type: "button", onclick: () => close(null) }, "Cancel"),
        action(label, async () => {
          try {
            const done = await send(false);
            toast(`In force at revision ${done.revision}.`);
            close(done);
          } catch (error) {
            fill(problem, error.status === 412 ? "Somebody changed this meanwhile. Close this, look again, and try again." : error.message);
          }
        }, { class: "primary" })),
    ];
  });
}
