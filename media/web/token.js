// Who one is here. A lab has no passwords: a token is handed over in the fragment of the address, or pasted.
// It stays in this tab, unless the person asks to be remembered. Nobody but the person touches what is remembered:
// a token in the address is only offered here, and taken by offered.js.

const KEY = "spaces.token";
let held = null;
const watchers = new Set();

function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

const remembered = () => parse(localStorage.getItem(KEY));

function claims(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
  } catch {
    return null;
  }
}

/** Whom a token says that it is for, or null; only the server knows whether it is right. */
export const subjectOf = (token) => claims(token)?.sub ?? null;

/** Unix seconds at which a token says that it ends, or Infinity. */
export const endOf = (token) => claims(token)?.exp ?? Infinity;

let told = null;

/** Tell that one is somebody else; a renewed token is not. */
function tell() {
  if (me() === told) return;
  told = me();
  for (const watcher of watchers) watcher(told);
}

/** Whether somebody's token outlives this tab. */
const isRemembered = (id) => id !== null && subjectOf(remembered()?.token ?? "") === id;

/**
 * Take a token that the server has taken, and its refresh token if there is one; returns whether it can be one.
 * Unless one is to be remembered, this is for this tab: somebody else who is remembered stays so.
 */
export function signIn(token, { refresh = null, remember = isRemembered(subjectOf(token)) } = {}) {
  const id = subjectOf(token);
  if (!id) return false;
  held = { token, refresh };
  sessionStorage.setItem(KEY, JSON.stringify(held));
  if (remember) localStorage.setItem(KEY, JSON.stringify(held));
  else if (isRemembered(id)) localStorage.removeItem(KEY);
  tell();
  return true;
}

/** Forget who one is; somebody else who is remembered stays so, for other tabs. */
export function signOut() {
  const id = me();
  held = null;
  if (isRemembered(id)) localStorage.removeItem(KEY);
  if (remembered()) sessionStorage.setItem(KEY, "");
  else sessionStorage.removeItem(KEY);
  tell();
}

/**
 * Be who one was, and take a token out of the address at once, if there is one there.
 * Returns it, {token, refresh}, as an offer that nothing has been done about; else null.
 */
export function findToken() {
  const here = sessionStorage.getItem(KEY);
  held = here === null ? remembered() : parse(here);
  told = me();
  const given = new URLSearchParams(location.hash.slice(1));
  const [token, refresh] = [given.get("token"), given.get("refresh")];
  if (!token) return null;
  // What else is in the fragment, as an invitation, is for the room.
  given.delete("token");
  given.delete("refresh");
  const rest = given.size ? `#${given}` : "";
  history.replaceState(history.state, "", location.pathname + location.search + rest);
  return { token, refresh };
}

/** The token to send, or null. */
export const bearer = () => held?.token ?? null;

/** The refresh token, or null. */
export const refreshToken = () => held?.refresh ?? null;

/** One's user id, or null for nobody. */
export const me = () => (held ? subjectOf(held.token) : null);

/** Unix seconds at which the token ends, or Infinity. */
export const endsAt = () => (held ? endOf(held.token) : Infinity);

/** Be told when one becomes somebody else. */
export function onIdentity(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}
