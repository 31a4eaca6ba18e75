// Pinned and shared posts: what the people on the stage want everyone to look at.
import { button, h, keyed, show, write } from "./dom.js";
import { del, post, put, space } from "./api.js";
import { icon } from "./icons.js";
import { attempt } from "./say.js";
import { field, sheet } from "./sheet.js";
import { isLive, onStage } from "./state.js";

const idOf = (pin) => (typeof pin === "string" ? pin : (pin.post_id ?? pin.id));

/** The panel of pins; it is there if something is pinned, or if one may pin. */
export function pinsView(room) {
  const list = h("ul", { class: "pins" });
  const add = button("", () => openPin(room), { class: "plain small" }, icon("pin"), "Pin a post");
  const view = h("section", { class: "card pinned", "aria-labelledby": "pins-title" }, title(), list, add);
  room.store.watch((state) => {
    const may = onStage(state) && isLive(state);
    show(view, may || state.pins.length > 0);
    show(add, may);
    keyed(list, state.pins, idOf, (pin) => make(room, pin), (element, pin) => {
      write(element.querySelector("p"), pin.text ?? `Post ${idOf(pin)}`);
      show(element.querySelector("button"), may);
    });
  });
  return view;
}

const title = () => h("h2", { id: "pins-title", text: "Pinned" });

function make(room, pin) {
  const id = idOf(pin);
  const unpin = () => attempt(() => del(space(room.id, "pins", id)));
  return h("li", {}, icon("pin"), h("p", {}), button("Unpin", unpin, { class: "round quiet", title: "Unpin" }, icon("cross")));
}

function openPin(room) {
  const input = h("input", { required: true, autocomplete: "off", autofocus: true });
  const problem = h("p", { class: "problem", role: "alert" });
  const once = h("button", { class: "plain", type: "submit" }, "Only show it once");
  const form = h(
    "form",
    { class: "stack", on: { submit: send } },
    field("Post", input, "Its id, or the link to it."),
    problem,
    h(
      "div",
      { class: "row end reversed" },
      h("button", { class: "primary", type: "submit" }, "Pin it"),
      once,
    ),
  );
  const dialog = sheet("Pin a post", form);

  async function send(event) {
    event.preventDefault();
    const id = input.value.trim().split(/[/?#]/).filter(Boolean).at(-1) ?? "";
    try {
      if (event.submitter === once) await post(space(room.id, "shared"), { post_id: id });
      else await put(space(room.id, "pins", id));
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
  }
}
