// Captions: what speakers who consent say, as lines of text, marked as automatic; one's own can be corrected.
import { del, get, put } from "./api.js";
import { avatar, refreshAvatar } from "./avatar.js";
import { button, h, keyed, set, show, write } from "./dom.js";
import { icon } from "./icons.js";
import { nameOf } from "./people.js";
import { attempt } from "./say.js";
import { isLive, onStage } from "./state.js";
import { me } from "./token.js";

const LONGEST = 2_000;
const SHOWN = "spaces.captions";

const address = (room, ...parts) => `/2/spaces/${[room.id, "captions", ...parts].map(encodeURIComponent).join("/")}`;

/** The panel of captions; it is there if somebody is captioned, or if one may be. */
export function captionsView(room) {
  const list = h("ol", { class: "captions", tabindex: "0", "aria-label": "Captions" });
  const empty = h("p", { class: "dim", text: "Nothing said yet by anybody who is captioned." });
  const paused = h("p", { class: "dim", role: "status", text: "Captions are paused: there is too much to write down." });
  const wanted = h("input", { type: "checkbox", role: "switch", checked: localStorage.getItem(SHOWN) === "on" });
  const own = h("input", { type: "checkbox", role: "switch" });
  const ownLine = h("label", { class: "check" }, own, " Caption what I say, for everyone here");
  const view = h(
    "section",
    { class: "card captioned", "aria-labelledby": "captions-title" },
    h("h2", { id: "captions-title", text: "Captions" }),
    h("label", { class: "check" }, wanted, " Show captions"),
    ownLine,
    paused,
    list,
    empty,
  );
  wanted.addEventListener("change", () => {
    localStorage.setItem(SHOWN, wanted.checked ? "on" : "off");
    room.store.touch();
  });
  own.addEventListener("change", () => consent(own.checked));
  readBefore(room);
  room.store.watch((state) => {
    const { available, user_ids, lines, passing } = state.captions;
    const may = available && onStage(state) && isLive(state) && Boolean(me());
    const all = [...lines, ...Object.values(passing)];
    show(view, may || user_ids.length > 0 || all.length > 0);
    show(ownLine, may);
    own.checked = user_ids.includes(me());
    show(paused, wanted.checked && state.captions.paused);
    show(list, wanted.checked && all.length > 0);
    show(empty, wanted.checked && all.length === 0);
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    keyed(list, wanted.checked ? all : [], (line) => line.id ?? `now ${line.user_id}`, (line) => make(room, line), refresh);
    if (atEnd) list.scrollTop = list.scrollHeight;
  });

  async function consent(yes) {
    const done = await attempt(() => (yes ? put : del)(address(room, "consent")));
    if (done === undefined) own.checked = !yes;
  }
  return view;
}

/** Read what was said before one came, and whether there are captions at all. */
async function readBefore(room) {
  const { data, ...state } = await get(address(room)).catch(() => ({ data: [], available: false }));
  const { captions } = room.store.state;
  const known = new Set(captions.lines.map((line) => line.id));
  const lines = [...data.filter((line) => !known.has(line.id)), ...captions.lines];
  room.store.set({ captions: { ...captions, ...state, user_ids: state.user_ids ?? captions.user_ids, lines } });
}

function make(room, line) {
  const edit = button("Correct", () => correct(room, item), { class: "round quiet", title: "Correct" }, icon("edit"));
  const item = h(
    "li",
    { class: line.id ? "" : "passing" },
    avatar(line.user_id, "small"),
    h("div", {}, h("strong", {}), h("span", { class: "mark dim" }), h("p", {})),
    line.id && line.user_id === me() && edit,
  );
  return item;
}

function refresh(item, line) {
  const [name, mark, text] = item.children[1].children;
  refreshAvatar(item.firstChild, line.user_id);
  write(name, nameOf(line.user_id));
  write(mark, line.corrected ? "corrected" : "automatic");
  write(text, line.text);
  set(text, { lang: line.language });
  item.dataset.line = line.id ?? "";
}

/** Put a field in the place of a line, until it is sent or left by Escape. */
function correct(room, item) {
  const text = item.querySelector("p");
  if (item.querySelector("form")) return;
  const input = h("input", { value: text.textContent, maxlength: LONGEST, "aria-label": "What was said", required: true });
  const form = h("form", { class: "write", on: { submit, keydown } }, input, h("button", { class: "primary", type: "submit" }, "Save"));
  show(text, false);
  text.after(form);
  input.focus();

  function close() {
    form.remove();
    show(text, true);
    item.querySelector("button").focus();
  }
  function keydown(event) {
    if (event.key === "Escape") close();
  }
  async function submit(event) {
    event.preventDefault();
    if (await attempt(() => put(address(room, item.dataset.line), { text: input.value }))) close();
  }
}
