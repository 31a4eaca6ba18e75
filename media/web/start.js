// Start a Space now, or schedule one.
import { post, space } from "./api.js";
import { details, timeOfStart } from "./details.js";
import { h, set, show, write } from "./dom.js";
import { icon, redraw } from "./icons.js";
import { offerFields, takesPayments } from "./offer.js";
import { sheet } from "./sheet.js";

/** Ask what the Space is to be, make it, and go there. */
export function openStart(go) {
  const about = details();
  const start = timeOfStart();
  const later = h("input", { type: "checkbox" });
  const offer = offerFields();
  const sell = h("input", { type: "checkbox" });
  const sellLine = h("label", { class: "check" }, sell, " Sell tickets");
  const free = h("p", { class: "dim", text: "Who has no ticket does not get in. A Space with tickets keeps its time." });
  let payments = false;
  const send = h("button", { class: "primary", type: "submit" }, icon("mic"), h("span", { text: "Start now" }));
  const problem = h("p", { class: "problem", role: "alert" });
  for (const box of [later, sell]) box.addEventListener("change", fit);
  takesPayments().then((does) => {
    payments = does;
    fit();
  });
  const form = h(
    "form",
    { class: "stack", on: { submit: make } },
    ...about.elements,
    h("label", { class: "check" }, later, " Schedule it for later"),
    start.element,
    sellLine,
    free,
    offer.element,
    problem,
    h("div", { class: "row end" }, send),
  );
  const dialog = sheet("Start a Space", form);
  fit();

  function fit() {
    const selling = later.checked && sell.checked && payments;
    show(sellLine, later.checked && payments);
    show(free, selling);
    show(offer.element, selling);
    set(offer.element, { disabled: !selling });
    show(start.element, later.checked);
    set(start.element.querySelector("input"), { disabled: !later.checked });
    write(send.lastChild, later.checked ? "Schedule" : "Start now");
    redraw(send.firstChild, later.checked ? "calendar" : "mic");
  }

  async function make(event) {
    event.preventDefault();
    send.disabled = true;
    write(problem, "");
    try {
      const time = later.checked ? { scheduled_start: start.read() } : {};
      const tickets = offer.element.disabled ? {} : { tickets: await offer.read() };
      const made = await post("/spaces", { ...(await about.read()), ...time, ...tickets });
      if (!later.checked) await post(space(made.id, "start"));
      dialog.close();
      go(`/s/${made.id}`, { joining: !later.checked });
    } catch (error) {
      write(problem, error.message);
      send.disabled = false;
    }
  }
}
