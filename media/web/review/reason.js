// Why somebody looks at sealed evidence: asked once for a case, and sent with every look, which the server notes.
import { h } from "../dom.js";
import { field, sheet } from "../sheet.js";
import { me } from "../token.js";

const MOST = 200;
const given = new Map();

/** The reason that was given for a case; asked for if there is none. Null if the reviewer would not say. */
export function reasonFor(one) {
  const key = `${me()} ${one.id}`;
  if (given.has(key)) return Promise.resolve(given.get(key));
  return new Promise((resolve) => {
    const input = h("input", { type: "text", required: true, maxlength: MOST, autofocus: true, autocomplete: "off", value: `To decide case ${one.id}: ${one.category}` });
    const form = h(
      "form",
      { class: "stack", on: { submit: take } },
      field("Reason", input, "It is written into the audit log with your name, once for each look."),
      h("div", { class: "row end" }, h("button", { class: "primary", type: "submit", text: "Look" })),
    );
    const dialog = sheet("Why do you look at this recording?", form);
    dialog.addEventListener("close", () => resolve(given.get(key) ?? null));
    input.select();

    function take(event) {
      event.preventDefault();
      const reason = input.value.trim();
      if (reason) given.set(key, reason);
      dialog.close();
    }
  });
}
