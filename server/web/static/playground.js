// The same conversation with and without the guard, and why.

import { api } from "./api.js";
import { badge, field, fill, h, put, table } from "./dom.js";

function answer(title, side) {
  return h("section", { "aria-label": title }, h("h2", {}, title, " ", side.action ? badge(side.action, side.action === "pass" ? "good" : "warn") : null),
    side.error ? h("p", { class: "problem" }, side.error) : h("p", { class: "answer" }, side.text || "(an empty answer)"));
}

function why(turn, index, count) {
  const rows = turn.verdicts.map((v) => [v.list, h("span", { class: "mono" }, v.entry), v.score.toFixed(3), v.threshold.toFixed(3),
    (v.evidence || []).map((e) => h("div", {}, `${e.stage} ${e.score.toFixed(2)}`, e.view === "raw" ? "" : ` (read as ${e.view})`))]);
  return h("section", {}, h("h2", {}, count > 1 ? `Why: message ${index + 1}` : "Why"),
    turn.flagged ? table("Verdicts", ["List", "Entry", "Score", "Threshold", "Evidence"], rows) : h("p", { class: "empty" }, "Nothing in it is about an entry: it passes untouched."));
}

export async function playground(main) {
  const system = h("textarea", { rows: 2 });
  const said = h("textarea", { required: true, rows: 3, placeholder: "What is the capital of France?" });
  const tokens = h("input", { type: "number", min: 1, max: 2048, value: 96 });
  const results = h("div", { "aria-live": "polite" });
  let turns = [];
  const talk = h("ol", { class: "talk" });
  const ask = h("button", { type: "submit", class: "primary" }, "Ask both ways");
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      ask.disabled = true;
      fill(results, h("p", { class: "note" }, "The model is writing …"));
      const messages = [...(system.value.trim() ? [{ role: "system", content: system.value.trim() }] : []), ...turns, { role: "user", content: said.value.trim() }];
      try {
        const told = await api("POST", "/playground", { body: { messages, max_tokens: Number(tokens.value) } });
        fill(results, h("div", { class: "columns" }, answer("Without the guard", told.bare), answer("With the guard", told.guarded)),
          told.turns.map((turn, i) => why(turn, i, told.turns.length)),
          h("p", { class: "note" }, `${told.model} at temperature 0, judged at revision ${told.revision}. `),
          told.guarded.text ? h("button", {
            type: "button", onclick: () => {
              turns = [...turns, { role: "user", content: said.value.trim() }, { role: "assistant", content: told.guarded.text }];
              fill(talk, turns.map((t) => h("li", {}, h("b", {}, t.role), ` ${t.content}`)));
              said.value = "";
              said.focus();
            },
          }, "Go on with the guarded answer") : null);
      } catch (error) {
        fill(results, h("p", { class: "problem", role: "alert" }, error.message));
      } finally {
        ask.disabled = false;
      }
    },
  }, talk, field("Message", said), h("details", {}, h("summary", {}, "More"), h("div", { class: "fields" },
    h("div", { class: "whole" }, field("System prompt", system)), field("Tokens at most", tokens))), h("div", { class: "buttons" }, ask,
    h("button", { type: "button", onclick: () => { turns = []; fill(talk); fill(results); said.value = ""; said.focus(); } }, "Start over")));
  fill(main, h("div", { class: "head" }, h("div", {}, h("h1", {}, "Playground"), h("p", {}, "Ask the model with and without the guard, side by side."))),
    put(h("section", {}), form), results);
}
