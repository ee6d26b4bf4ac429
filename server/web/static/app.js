// Which page is shown, and who is signed in.

import { action, fill, h, toast } from "./dom.js";
import { api, mayAudit, session, signIn, signOut, whoAmI } from "./api.js";
import { overview } from "./overview.js";
import { lists } from "./lists.js";
import { list } from "./list.js";
import { revision, revisions } from "./revisions.js";
import { playground } from "./playground.js";
import { live } from "./live.js";
import { verification, verifications } from "./verifications.js";
import { keys } from "./keys.js";
import { audit } from "./audit.js";

const PAGES = [
  [/^\/$/, "Overview", overview], [/^\/lists$/, "Lists", lists], [/^\/lists\/([^/]+)$/, "List", list],
  [/^\/revisions$/, "History", revisions], [/^\/revisions\/(\d+)$/, "Revision", revision],
  [/^\/playground$/, "Playground", playground], [/^\/live$/, "Live", live],
  [/^\/verifications$/, "Proof", verifications], [/^\/verifications\/([0-9a-f]+)$/, "Verification", verification],
  [/^\/keys$/, "Keys", keys], [/^\/audit$/, "Audit log", audit],
];

const main = document.getElementById("main");
const nav = document.getElementById("nav");
let leave = null; // what a page wants done when it is left

function links() {
  const found = [["/", "Overview"], ["/lists", "Lists"], ["/playground", "Playground"], ["/live", "Live"],
    ["/verifications", "Proof"], ["/revisions", "History"]];
  if (mayAudit()) found.push(["/keys", "Keys"], ["/audit", "Audit log"]);
  return found;
}

function frame(path) {
  nav.hidden = !session.principal;
  fill(nav, links().map(([to, label]) => {
    const here = to === "/" ? path === "/" : path.startsWith(to);
    return h("a", { href: `#${to}`, "aria-current": here ? "page" : undefined }, label);
  }));
  const theme = h("button", { type: "button", class: "small", onclick: turn, "aria-label": "Light or dark" }, "◐");
  fill(document.getElementById("who"), theme, session.principal
    ? [h("span", {}, `${session.principal.name} · ${session.principal.role}`), action("Sign out", leaving, { class: "small" })]
    : null);
}

function turn() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
}

async function leaving() {
  await signOut();
  await show();
}

async function show() {
  leave?.();
  leave = null;
  const path = location.hash.slice(1).split("?")[0] || "/";
  frame(path);
  if (!session.principal) return signInPage();
  for (const [pattern, title, page] of PAGES) {
    const match = path.match(pattern);
    if (!match) continue;
    document.title = `${title} · Letheward`;
    fill(main, h("p", { class: "note", role: "status" }, "Loading …"));
    try {
      leave = (await page(main, ...match.slice(1).map(decodeURIComponent))) || null;
    } catch (problem) {
      if (session.principal) fill(main, h("h1", {}, title), h("p", { class: "problem", role: "alert" }, problem.message));
    }
    return undefined;
  }
  document.title = "Letheward";
  return fill(main, h("h1", {}, "There is no such page"), h("p", {}, h("a", { href: "#/" }, "Go to the overview")));
}

async function signInPage() {
  document.title = "Sign in · Letheward";
  const key = h("input", { type: "password", autocomplete: "current-password", required: true, spellcheck: false });
  const problem = h("p", { class: "problem", role: "alert" });
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      fill(problem);
      try {
        await signIn(key.value.trim());
        await show();
        main.focus();
      } catch (error) {
        fill(problem, error.message);
        key.select();
      }
    },
  }, h("div", { class: "field" }, h("label", { htmlFor: "key" }, "Key"), Object.assign(key, { id: "key" }),
    h("span", { class: "hint" }, "The admin key that letheward serve prints, or an operator's or auditor's own.")),
  problem, h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, "Sign in")));
  const other = h("div", {});
  fill(main, h("div", { class: "narrow sheet" }, h("h1", {}, "Sign in"), form, other));
  key.focus();
  const offered = await api("GET", "/oidc").catch(() => null);
  if (offered?.login) fill(other, h("div", { class: "buttons" }, h("a", { class: "button", href: offered.login }, `Sign in with ${new URL(offered.issuer).host}`)));
}

addEventListener("hashchange", async () => {
  await show();
  main.focus();
});
addEventListener("signed-out", () => {
  toast("The session has ended. Sign in again.", "bad");
  show();
});

const kept = localStorage.getItem("theme");
if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
try {
  await whoAmI();
} catch (problem) {
  toast(problem.message, "bad");
}
await show();
