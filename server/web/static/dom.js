// Elements are built, never parsed: what comes from the server is text and stays text.

/** An element with properties, listeners (on...) and children. */
export function h(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name in made && !name.includes("-") && name !== "list" && name !== "form") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  put(made, ...children);
  return made;
}

/** Put children into an element: nodes, texts, lists of them; nothing for null and false. */
export function put(parent, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
  return parent;
}

export function fill(parent, ...children) {
  parent.replaceChildren();
  return put(parent, ...children);
}

let labels = 0;

/** A labelled control. The hint is read out with it. */
export function field(label, control, hint) {
  const id = (control.id ||= `f${++labels}`);
  const note = hint ? h("span", { class: "hint", id: `${id}-hint` }, hint) : null;
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { htmlFor: id }, label), control, note);
}

export function select(options, value, props = {}) {
  const made = h("select", props, options.map((o) => h("option", { value: o }, o === "" ? "(default)" : o)));
  made.value = value ?? "";
  return made;
}

/** A table with a caption for screen readers; each row is a list of cells. */
export function table(caption, heads, rows, empty) {
  if (!rows.length) return h("p", { class: "empty" }, empty || "Nothing here yet.");
  return h("div", { class: "scroll", role: "region", tabIndex: 0, "aria-label": caption },
    h("table", {}, h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, rows.map((row) => (row instanceof Node ? row : h("tr", {}, row.map((cell) => h("td", {}, cell))))))));
}

export function badge(text, kind = "") {
  return h("span", { class: `badge ${kind}` }, text);
}

export function moment(iso) {
  if (!iso) return "–";
  const at = typeof iso === "number" ? new Date(iso * 1000) : new Date(iso);
  return h("time", { dateTime: at.toISOString(), title: at.toISOString() }, at.toLocaleString());
}

/** Say something, aloud for screen readers too. */
export function toast(text, kind = "good") {
  const made = h("div", { class: `toast ${kind}` }, text);
  document.getElementById("toasts").append(made);
  setTimeout(() => made.remove(), kind === "bad" ? 12000 : 5000);
}

/** A modal dialog; resolves with what `close` was given. `build(close)` makes its content. */
export function dialog(title, build) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const made = h("dialog", { "aria-labelledby": "dialog-title" });
    const close = (value) => { made.close(); made.remove(); before?.focus?.(); resolve(value); };
    made.addEventListener("cancel", (event) => { event.preventDefault(); close(null); });
    put(made, h("h2", { id: "dialog-title" }, title), build(close));
    document.body.append(made);
    made.showModal();
  });
}

/** A button that shows that it works, and tells what went wrong. */
export function action(label, work, props = {}) {
  const made = h("button", { type: "button", ...props });
  put(made, label);
  made.addEventListener("click", async () => {
    made.disabled = true;
    made.setAttribute("aria-busy", "true");
    try {
      await work(made);
    } catch (problem) {
      toast(problem.message, "bad");
    } finally {
      made.disabled = false;
      made.removeAttribute("aria-busy");
    }
  });
  return made;
}

export const number = (value) => (value === null || value === undefined ? "–" : value.toLocaleString());
