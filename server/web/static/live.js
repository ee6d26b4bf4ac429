// Decisions as they are made.

import { badge, fill, h, table } from "./dom.js";

const MOST = 200;

function row(d) {
  const kind = d.action === "pass" ? "good" : d.action === "monitor" ? "" : "warn";
  return h("tr", { class: "fresh" }, h("td", {}, new Date(d.at * 1000).toLocaleTimeString()), h("td", {}, badge(d.action, kind)),
    h("td", {}, d.list || "–"), h("td", { class: "mono" }, d.entry || ""), h("td", {}, d.score === null ? "" : d.score.toFixed(3)),
    h("td", {}, d.seen.join(", ")), h("td", { class: "mono" }, d.path), h("td", {}, String(d.status)), h("td", {}, `${d.ms} ms`));
}

export async function live(main) {
  const state = h("span", { role: "status" }, badge("connecting"));
  const empty = h("tr", {}, h("td", { colSpan: 9, class: "empty" }, "No request yet."));
  const made = table("Decisions", ["Time", "Action", "List", "Entry", "Score", "Seen by", "Path", "Status", "Took"], [empty]);
  const body = made.querySelector("tbody");
  const only = h("input", { type: "checkbox", id: "only" });
  let paused = false;
  const pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    fill(pause, paused ? "Go on" : "Pause");
  } }, "Pause");
  fill(main, h("div", { class: "head" }, h("div", {}, h("h1", {}, "Live"), h("p", {}, "What this worker decides, as it decides. No text of a request is here.")),
    h("div", { class: "buttons" }, state, h("label", { htmlFor: "only" }, only, " only what was flagged"), pause)), h("section", {}, made));
  const source = new EventSource("/admin/v1/live");
  source.onopen = () => fill(state, badge("connected", "good"));
  source.onerror = () => fill(state, badge("connection lost, trying again", "bad"));
  source.onmessage = (event) => {
    const told = JSON.parse(event.data);
    if (paused || (only.checked && told.action === "pass")) return;
    empty.remove();
    body.prepend(row(told));
    while (body.rows.length > MOST) body.lastChild.remove();
  };
  return () => source.close();
}
