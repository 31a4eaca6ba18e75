// Start a Space now, or schedule one.
import { post, space } from "./api.js";
import { details, timeOfStart } from "./details.js";
import { h, set, show, write } from "./dom.js";
import { icon } from "./icons.js";
import { sheet } from "./sheet.js";

/** Ask what the Space is to be, make it, and go there. */
export function openStart(go) {
  const about = details();
  const start = timeOfStart();
  const later = h("input", { type: "checkbox" });
  const send = h("button", { class: "primary", type: "submit" }, icon("mic"), h("span", { text: "Start now" }));
  const problem = h("p", { class: "problem", role: "alert" });
  later.addEventListener("change", fit);
  const form = h(
    "form",
    { class: "stack", on: { submit: make } },
    ...about.elements,
    h("label", { class: "check" }, later, " Schedule it for later"),
    start.element,
    problem,
    h("div", { class: "row end" }, send),
  );
  const dialog = sheet("Start a Space", form);
  fit();

  function fit() {
    show(start.element, later.checked);
    set(start.element.querySelector("input"), { disabled: !later.checked });
    write(send.lastChild, later.checked ? "Schedule" : "Start now");
  }

  async function make(event) {
    event.preventDefault();
    send.disabled = true;
    write(problem, "");
    try {
      const time = later.checked ? { scheduled_start: start.read() } : {};
      const made = await post("/spaces", { ...(await about.read()), ...time });
      if (!later.checked) await post(space(made.id, "start"));
      dialog.close();
      go(`/s/${made.id}`, { joining: !later.checked });
    } catch (error) {
      write(problem, error.message);
      send.disabled = false;
    }
  }
}
