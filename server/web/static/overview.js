// The numbers that an operator wants to see first.

import { api, enc } from "./api.js";
import { badge, fill, h, number, table } from "./dom.js";

const EVERY = 5000; // ms

const figure = (value, label) => h("div", { class: "figure" }, h("b", {}, value), h("span", {}, label));
const ms = (value) => (value === null ? "–" : `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`);

export function holds(value) {
  if (value === true) return badge("holds", "good");
  return value === false ? badge("does not hold", "bad") : badge("not verified");
}

function drawn(told) {
  const total = Object.values(told.requests).reduce((a, b) => a + b, 0);
  return [
    h("div", { class: "head" }, h("div", {}, h("h1", {}, "Overview"),
      h("p", {}, `Revision ${told.revision} is in force in ${told.processes} ${told.processes === 1 ? "process" : "processes"}. Numbers since the start.`)),
    h("div", {}, told.enforcing ? badge("enforcing", "good") : badge("only watching", "warn"), " ", told.stale ? badge("a change is not in force", "bad") : null)),
    h("div", { class: "grid" }, figure(number(total), "requests answered"), figure(number(told.flagged), "flagged"),
      figure(number(told.answers_stopped), "answers stopped"), figure(ms(told.judge_p50_ms), "judging, median"),
      figure(ms(told.judge_p99_ms), "judging, 99 %"), figure(number(told.in_flight), "in flight"),
      told.failures ? figure(number(told.failures), "could not be judged") : null),
    h("section", {}, h("h2", {}, "Lists"), table("Lists", ["List", "Policy", "Entries", "Flagged", "Deletion"],
      told.lists.map((l) => [h("a", { href: `#/lists/${enc(l.name)}` }, l.name),
        [l.policy, l.enabled ? null : [" ", badge("off", "warn")]], number(l.entries), number(l.flagged), holds(l.holds)]),
      "There is no list yet. Go to Lists and create the first one.")),
    h("div", { class: "columns" },
      h("section", {}, h("h2", {}, "What was done"), table("Requests by action", ["Action", "Requests", "Share"],
        Object.entries(told.requests).sort((a, b) => b[1] - a[1]).map(([name, count]) => [name, number(count),
          h("meter", { min: 0, max: total || 1, value: count, "aria-label": `${name}: ${count} of ${total}` })]),
        "No request yet. Point a client at this address with /v1 behind it.")),
      h("section", {}, h("h2", {}, "Model servers"), table("Model servers", ["Address", "State", "In flight"],
        told.upstreams.map((u) => [h("span", { class: "mono" }, u.url), u.up ? badge("up", "good") : badge("down", "bad"), number(u.in_flight)]),
        "No model server is known yet."))),
  ];
}

export async function overview(main) {
  fill(main, drawn(await api("GET", "/glance")));
  const timer = setInterval(async () => {
    if (document.hidden || main.contains(document.activeElement)) return; // nobody loses their place
    try {
      const told = await api("GET", "/glance");
      if (timer) fill(main, drawn(told));
    } catch { /* the next look may work */ }
  }, EVERY);
  return () => clearInterval(timer);
}
