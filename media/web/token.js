// Who one is here. A lab has no passwords: a token is handed over in the fragment of the address, or pasted.
// It stays in this tab, unless the person asks to be remembered.

const KEY = "spaces.token";
let held = null;
const watchers = new Set();

function read() {
  const text = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function claims(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
  } catch {
    return null;
  }
}

let told = null;

/** Tell that one is somebody else; a renewed token is not. */
function tell() {
  if (me() === told) return;
  told = me();
  for (const watcher of watchers) watcher(told);
}

/** Take a token, and its refresh token if there is one; returns whether it can be one. */
export function signIn(token, { refresh = null, remember = isRemembered() } = {}) {
  const said = claims(token);
  if (!said?.sub) return false;
  held = { token, refresh };
  sessionStorage.setItem(KEY, JSON.stringify(held));
  if (remember) localStorage.setItem(KEY, JSON.stringify(held));
  else localStorage.removeItem(KEY);
  tell();
  return true;
}

/** Forget who one is. */
export function signOut() {
  held = null;
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
  tell();
}

/** Find a token: in the fragment, which is taken out of the address at once, else where it was kept. */
export function findToken() {
  held = read();
  told = me();
  const given = new URLSearchParams(location.hash.slice(1));
  const [token, refresh] = [given.get("token"), given.get("refresh")];
  if (token) {
    // What else is in the fragment, as an invitation, is for the room.
    given.delete("token");
    given.delete("refresh");
    const rest = given.size ? `#${given}` : "";
    signIn(token, { refresh, remember: false });
    history.replaceState(history.state, "", location.pathname + location.search + rest);
  }
}

/** The token to send, or null. */
export const bearer = () => held?.token ?? null;

/** The refresh token, or null. */
export const refreshToken = () => held?.refresh ?? null;

/** Whether the token outlives this tab. */
export const isRemembered = () => localStorage.getItem(KEY) !== null;

/** One's user id, or null for nobody. */
export const me = () => (held ? (claims(held.token)?.sub ?? null) : null);

/** Unix seconds at which the token ends, or Infinity. */
export const endsAt = () => (held ? (claims(held.token)?.exp ?? Infinity) : Infinity);

/** Be told when one becomes somebody else. */
export function onIdentity(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}
