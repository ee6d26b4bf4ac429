// API keys: whose they are, and what they may do.

import { api, isAdmin } from "./api.js";
import { action, badge, dialog, field, fill, h, moment, select, table, toast } from "./dom.js";

const ROLES = ["client", "auditor", "operator", "admin"];

function told(made) {
  return dialog("Copy the key now", (close) => [h("p", {}, "Nobody can show it again."), h("code", { class: "secret" }, made.key),
    h("div", { class: "buttons" }, action("Copy", async () => { await navigator.clipboard.writeText(made.key); toast("Copied."); }),
      h("button", { type: "button", class: "primary", onclick: () => close(true) }, "Done"))]);
}

function creating(close) {
  const name = h("input", { required: true, maxLength: 128 });
  const role = select(ROLES, "client");
  const lists = h("input", {});
  const rate = h("input", { type: "number", min: 1 });
  const ends = h("input", { type: "datetime-local" });
  const problem = h("p", { class: "problem", role: "alert" });
  return h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        close(await api("POST", "/keys", { body: {
          name: name.value, role: role.value, lists: lists.value.split(",").map((l) => l.trim()).filter(Boolean),
          requests_per_minute: rate.value ? Number(rate.value) : null, expires_at: ends.value ? new Date(ends.value).toISOString() : null,
        } }));
      } catch (error) {
        fill(problem, error.message);
      }
    },
  }, field("Name", name, "Whose it is. For clients also the tenant that lists can be for."),
  field("Role", role, "client asks the model, auditor reads, operator changes lists, admin does everything."),
  field("Lists", lists, "Patterns with commas between them, for operators and auditors; empty: all."), field("Requests a minute", rate),
  field("Ends", ends), problem, h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => close(null) }, "Cancel"),
    h("button", { type: "submit", class: "primary" }, "Create key")));
}

export async function keys(main) {
  const found = await api("GET", "/keys");
  const again = () => keys(main);
  const make = async (work) => { const made = await work(); if (made) { await told(made); await again(); } };
  fill(main, h("div", { class: "head" }, h("div", {}, h("h1", {}, "Keys"), h("p", {}, "Stored as hashes. The admin key of the settings is not among them.")),
    isAdmin() ? h("button", { type: "button", class: "primary", onclick: () => make(() => dialog("New key", creating)).catch((e) => toast(e.message, "bad")) }, "New key") : null),
  h("section", {}, table("Keys", ["Name", "Role", "Lists", "State", "Made", "Ends", ""], found.keys.map((k) => [
    k.name, k.role, k.lists.join(", ") || "all", k.works ? badge("works", "good") : badge(k.revoked_at ? "revoked" : "ended", "bad"),
    [moment(k.created_at), h("div", { class: "note" }, k.created_by)], moment(k.expires_at),
    isAdmin() && k.works ? h("div", { class: "buttons" },
      action("Rotate", () => make(() => api("POST", `/keys/${k.id}/rotate`, { body: { grace: 3600 } })), { class: "small", title: "The old one goes on for an hour", "aria-label": `Rotate the key of ${k.name}` }),
      action("Revoke", async () => { await api("DELETE", `/keys/${k.id}`); toast("Revoked."); await again(); }, { class: "small danger", "aria-label": `Revoke the key of ${k.name}` })) : null]),
  "No key yet. Create one for each client, operator and auditor.")));
}
