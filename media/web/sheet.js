// Dialogs: the browser's own, which keep the focus inside and close on Escape; on a phone they rise from below.
import { button, h } from "./dom.js";
import { icon } from "./icons.js";

let number = 0;

/** Open a dialog with a title. Returns the element; it removes itself when closed. */
export function sheet(title, ...content) {
  const id = `sheet-${++number}`;
  const close = button("Close", () => dialog.close(), { class: "round quiet" }, icon("cross"));
  const dialog = h(
    "dialog",
    { class: "sheet", "aria-labelledby": id },
    h("header", {}, h("h2", { id, text: title }), close),
    h("div", { class: "sheet-body" }, ...content),
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.getElementById("layer").append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask whether to do something that cannot be undone. */
export function confirm(title, text, yes, act) {
  const dialog = sheet(
    title,
    h("p", { text }),
    h(
      "div",
      { class: "row end" },
      button("Cancel", () => dialog.close(), { class: "plain", autofocus: true }),
      button(yes, () => (dialog.close(), act()), { class: "danger" }),
    ),
  );
  return dialog;
}

/** A form field with its label, and what there is to know about it. */
export function field(label, input, hint = null) {
  const id = `field-${++number}`;
  input.id = id;
  const note = hint && h("small", { id: `${id}-hint`, text: hint });
  if (note) input.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: id, text: label }), input, note);
}
