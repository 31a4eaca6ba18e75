// Posts that are pinned or shared: a Space tells their ids, and each is read once by whoever looks at it.
import { get } from "./api.js";
import { h, write } from "./dom.js";
import { nameOf } from "./people.js";
import { when } from "./time.js";
import { bearer, me, onIdentity } from "./token.js";

const OWN = 10;
const known = new Map();

onIdentity(() => known.clear());

/** A post: {author_id, text, created_at}, or {missing}, which says why it cannot be shown. */
function read(id) {
  if (!bearer()) return Promise.resolve({ missing: "Sign in to read this post." });
  if (!known.has(id)) known.set(id, get(`/posts/${encodeURIComponent(id)}`).catch((problem) => lost(id, problem)));
  return known.get(id);
}

function lost(id, problem) {
  if (problem.status === 404) return { missing: `Post ${id} is not kept here, or is not for everyone.` };
  known.delete(id);
  return { missing: `Post ${id} could not be read: ${problem.message}` };
}

/** Show a post: who wrote what, and when. */
export function postView(id) {
  const view = h("div", { class: "post" }, h("p", { class: "dim", text: "One moment …" }));
  read(id).then(({ missing, author_id: author, text, created_at: at }) => {
    if (missing) return write(view.firstChild, missing);
    view.dataset.author = author;
    const head = h("p", { class: "post-head" }, h("b", {}), h("time", { class: "dim", datetime: at, text: when(new Date(at)) }));
    view.replaceChildren(head, h("p", { class: "post-text", text }));
    refreshPost(view);
  });
  return view;
}

/** Show the author's name, once it is known. */
export function refreshPost(view) {
  if (view.dataset.author) write(view.querySelector("b"), nameOf(view.dataset.author));
}

/** One's own newest posts, to choose from. */
export async function ownPosts() {
  const { data } = await get(`/posts?${new URLSearchParams({ author_id: me(), limit: OWN })}`).catch(() => ({ data: [] }));
  return data;
}
