// Names of people: a profile where somebody has one, else the id. Asked for once, and only for those who are shown.
import { get } from "./api.js";
import { bearer, onIdentity } from "./token.js";

const known = new Map();
const watchers = new Set();

onIdentity(() => known.clear());

/** What is known of a person now: {id, name, verified}; what is not known yet is fetched, and told to watchers. */
export function person(id) {
  if (!known.has(id)) {
    known.set(id, { id, name: id, verified: false });
    if (bearer()) fetchProfile(id);
  }
  return known.get(id);
}

export const nameOf = (id) => person(id).name;

/** Be told when a name has come. */
export function onNames(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Take a profile that came along with something else. */
export function learn({ id, name, verified }) {
  known.set(id, { id, name, verified });
}

async function fetchProfile(id) {
  try {
    learn(await get(`/users/${encodeURIComponent(id)}`));
  } catch {
    return; // no profile: the id is the name
  }
  for (const watcher of watchers) watcher();
}
