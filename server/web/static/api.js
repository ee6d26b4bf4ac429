// The admin API, with the session's cookie and the token that changes must bring.

let csrf = null;
export const session = { principal: null };

export class Problem extends Error {
  constructor(status, message, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

function address(path, query) {
  const url = new URL(`/admin/v1${path}`, location.origin);
  for (const [key, value] of Object.entries(query || {})) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(key, value);
  }
  return url;
}

/** Ask; gives the response where `raw`, else its JSON. */
export async function api(method, path, { body, query, headers = {}, raw = false } = {}) {
  const sent = { ...headers };
  if (csrf && method !== "GET") sent["X-CSRF-Token"] = csrf;
  let content = body;
  if (body !== undefined && !(body instanceof Blob) && typeof body !== "string") {
    content = JSON.stringify(body);
    sent["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(address(path, query), { method, headers: sent, body: content, credentials: "same-origin" });
  } catch {
    throw new Problem(0, "The server cannot be reached. Check that it runs, and try again.", "unreachable");
  }
  if (response.ok && raw) return response;
  const told = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return told;
  if (response.status === 401 && session.principal) {
    session.principal = null;
    dispatchEvent(new Event("signed-out"));
  }
  throw new Problem(response.status, told?.error?.message || `The server answered with status ${response.status}.`,
    told?.error?.code);
}

function took(told) {
  csrf = told.csrf;
  session.principal = told.principal;
  return told.principal;
}

export async function whoAmI() {
  try {
    return took(await api("GET", "/session"));
  } catch (problem) {
    if (problem.status === 401 || problem.status === 403) return null;
    throw problem;
  }
}

export const signIn = async (key) => took(await api("POST", "/session", { body: { key } }));

export async function signOut() {
  await api("DELETE", "/session");
  csrf = session.principal = null;
}

export const mayChange = () => ["operator", "admin"].includes(session.principal?.role);
export const isAdmin = () => session.principal?.role === "admin";
export const mayAudit = () => ["auditor", "admin"].includes(session.principal?.role);
export const enc = encodeURIComponent;

/** Every line of a JSON-lines answer as it comes. */
export async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    rest += value || "";
    const parts = rest.split("\n");
    rest = parts.pop();
    for (const part of parts) if (part.trim()) yield JSON.parse(part);
    if (done) break;
  }
  if (rest.trim()) yield JSON.parse(rest);
}
