// Pinned and shared posts: what the people on the stage want everyone to look at.
import { button, h, keyed, set, show } from "./dom.js";
import { del, post, put, space } from "./api.js";
import { icon } from "./icons.js";
import { ownPosts, postView, refreshPost } from "./posts.js";
import { attempt } from "./say.js";
import { field, sheet } from "./sheet.js";
import { isLive, onStage } from "./state.js";

const LONGEST = 4_000;

/** The panel of pins; it is there if something is pinned, or if one may pin. */
export function pinsView(room) {
  const list = h("ul", { class: "pins" });
  const add = button("", () => openPin(room), { class: "plain small" }, icon("pin"), "Pin a post");
  const view = h("section", { class: "card pinned", "aria-labelledby": "pins-title" }, title(), list, add);
  room.store.watch((state) => {
    const may = onStage(state) && isLive(state);
    show(view, may || state.pins.length > 0);
    show(add, may);
    keyed(list, state.pins, (pin) => pin.post_id, (pin) => make(room, pin), (element) => {
      refreshPost(element.querySelector(".post"));
      show(element.querySelector("button"), may);
    });
  });
  return view;
}

const title = () => h("h2", { id: "pins-title", text: "Pinned" });

function make(room, { post_id: id }) {
  const unpin = () => attempt(() => del(space(room.id, "pins", id)));
  return h("li", {}, icon("pin"), postView(id), button("Unpin", unpin, { class: "round quiet", title: "Unpin" }, icon("cross")));
}

function openPin(room) {
  const words = h("textarea", { rows: 3, maxlength: LONGEST, autofocus: true });
  const input = h("input", { autocomplete: "off", list: "own-posts" });
  const own = h("datalist", { id: "own-posts" });
  ownPosts().then((posts) => own.append(...posts.map(({ id, text }) => h("option", { value: id, text }))));
  const problem = h("p", { class: "problem", role: "alert" });
  const pin = h("button", { class: "primary", type: "submit" }, "Pin it");
  const once = h("button", { class: "plain", type: "submit" }, "Only show it once");
  const form = h(
    "form",
    { class: "stack", on: { submit: send, input: fit } },
    field("Write a post", words, "Everyone can find it, not only those who are here."),
    field("Or take one that is there", input, "Its id, or the link to it."),
    own,
    problem,
    h("div", { class: "row end reversed" }, pin, once),
  );
  const dialog = sheet("Pin a post", form);
  fit();

  function fit() {
    const nothing = !words.value.trim() && !input.value.trim();
    for (const one of [pin, once]) set(one, { disabled: nothing });
    set(input, { disabled: Boolean(words.value.trim()) });
  }

  async function send(event) {
    event.preventDefault();
    try {
      const text = words.value.trim();
      if (text) {
        input.value = (await post("/posts", { text })).id; // if pinning fails now, another try takes this one
        words.value = "";
        fit();
      }
      const id = input.value.trim().split(/[?#]/)[0].split("/").filter(Boolean).at(-1) ?? "";
      if (event.submitter === once) await post(space(room.id, "shared"), { post_id: id });
      else await put(space(room.id, "pins", id));
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
  }
}
