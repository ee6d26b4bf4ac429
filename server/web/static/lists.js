// All lists, and a new one.

import { api, enc, mayChange } from "./api.js";
import { badge, dialog, field, fill, h, number, select, table, toast } from "./dom.js";

export const POLICIES = ["eco", "dragon", "icul", "template", "refuse", "monitor"];
export const MEANING = "eco corrupts what the model reads, dragon tells it to hold back, icul shows it wrong answers, template answers that it does not know, refuse refuses, monitor only counts.";

function creating(close) {
  const name = h("input", { required: true, maxLength: 128, autocomplete: "off", spellcheck: false });
  const policy = select(POLICIES, "eco");
  const description = h("input", { maxLength: 4000 });
  const problem = h("p", { class: "problem", role: "alert" });
  return h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        await api("PUT", `/lists/${enc(name.value.trim())}`, {
          body: { policy: policy.value, description: description.value }, headers: { "If-None-Match": "*" },
        });
        close(name.value.trim());
      } catch (error) {
        fill(problem, error.status === 412 ? "There is a list of that name already." : error.message);
      }
    },
  }, field("Name", name, "Letters, digits and . _ -, for instance the team that it is for."), field("Policy", policy, MEANING),
  field("Description", description), problem, h("div", { class: "buttons" },
    h("button", { type: "button", onclick: () => close(null) }, "Cancel"), h("button", { type: "submit", class: "primary" }, "Create list")));
}

export async function lists(main) {
  const told = await api("GET", "/lists");
  const create = h("button", {
    type: "button", class: "primary", onclick: async () => {
      const made = await dialog("New list", creating);
      if (made) {
        toast(`The list ${made} is there.`);
        location.hash = `#/lists/${enc(made)}`;
      }
    },
  }, "New list");
  fill(main, h("div", { class: "head" }, h("div", {}, h("h1", {}, "Lists"), h("p", {}, "What the model is to behave as if it had never learnt.")),
    mayChange() ? create : null),
  h("section", {}, table("Lists", ["List", "Policy", "Entries", "Keeps", "Description"], told.lists.map((l) => [
    h("a", { href: `#/lists/${enc(l.name)}` }, l.name), [l.policy, l.enabled ? null : [" ", badge("off", "warn")]], number(l.entries),
    l.keep === "vectors" ? "vectors only" : "texts", l.description]),
  "There is no list yet. Create one, then add who or what is to be forgotten.")));
}
