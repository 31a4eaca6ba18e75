// Names of topics: the API speaks of them by their ids, and takes words of a host's own too.
import { get } from "./api.js";
import { bearer, onIdentity } from "./token.js";

let known = null;
onIdentity(() => (known = null));

/** Every topic that has a name: {id, name}. */
export function topics() {
  known ??= bearer()
    ? get("/topics").then(({ data }) => data).catch(() => {
        known = null;
        return [];
      })
    : Promise.resolve([]);
  return known;
}

/** Names of the topics of a Space; an id that nobody has named is no word for people, and left out. */
export async function namesOf(ids) {
  const names = new Map((await topics()).map((topic) => [topic.id, topic.name]));
  return ids.map((id) => names.get(id) ?? (/^\d+$/.test(id) ? null : id)).filter(Boolean);
}

/** The id of a topic by its name, or the words themselves. */
export async function idOf(words) {
  const found = (await topics()).find((topic) => topic.name.toLowerCase() === words.toLowerCase());
  return found?.id ?? words;
}
