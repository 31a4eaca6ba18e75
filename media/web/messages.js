// Messages: what is written while people speak, and posts that somebody shows to everyone.
import { get, post, space } from "./api.js";
import { avatar, refreshAvatar } from "./avatar.js";
import { button, h, keyed, show, write } from "./dom.js";
import { icon } from "./icons.js";
import { nameOf } from "./people.js";
import { postView, refreshPost } from "./posts.js";
import { attempt } from "./say.js";
import { isLive } from "./state.js";
import { me } from "./token.js";

const LONGEST = 280;

/** The panel of messages. */
export function messagesView(room) {
  const list = h("ol", { class: "messages", role: "log", "aria-label": "Messages", tabindex: "0" });
  const empty = h("p", { class: "dim", text: "Nothing written yet." });
  const input = h("input", {
    id: "message",
    maxlength: LONGEST,
    autocomplete: "off",
    placeholder: "Write a message",
    "aria-label": "Message",
  });
  const send = button("Send", null, { class: "round primary" }, icon("send"));
  send.type = "submit";
  const form = h("form", { class: "write", on: { submit } }, input, send);
  const view = h("section", { class: "card chat", "aria-labelledby": "chat-title" }, title(), list, empty, form);
  readBefore(room);
  room.store.watch((state) => {
    show(view, Boolean(state.space));
    show(form, state.joined && isLive(state) && Boolean(me()));
    show(empty, state.messages.length === 0);
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    const size = list.children.length;
    keyed(list, state.messages, (m) => m.id, make, refresh);
    if (atEnd && list.children.length !== size) list.scrollTop = list.scrollHeight;
  });

  async function submit(event) {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    if ((await attempt(() => post(space(room.id, "messages"), { text }))) === undefined) input.value = text;
  }
  return view;
}

const title = () => h("h2", { id: "chat-title", text: "Messages" });

/** Read what was written before one came. */
async function readBefore(room) {
  const read = (what) => get(space(room.id, what)).catch(() => ({ data: [] }));
  const [written, posts] = await Promise.all([read("messages"), read("shared")]);
  const shown = posts.data.map((post) => ({ ...post, id: `${post.post_id} ${post.created_at}` }));
  const { messages } = room.store.state;
  const known = new Set(messages.map((one) => one.id));
  const older = [...written.data, ...shown].filter((one) => !known.has(one.id));
  room.store.set({ messages: [...older, ...messages].sort((a, b) => a.created_at.localeCompare(b.created_at)) });
}

function make(message) {
  return h(
    "li",
    {},
    avatar(message.user_id, "small"),
    h("div", {}, h("strong", {}), message.post_id ? shared(message.post_id) : h("p", { text: message.text })),
  );
}

const shared = (id) => h("div", { class: "shared" }, icon("share"), postView(id));

function refresh(element, message) {
  refreshAvatar(element.firstChild, message.user_id);
  write(element.lastChild.firstChild, nameOf(message.user_id));
  if (message.post_id) refreshPost(element.querySelector(".post"));
}
