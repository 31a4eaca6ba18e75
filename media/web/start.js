// Start a Space now, or schedule one.
import { post, space } from "./api.js";
import { h, show } from "./dom.js";
import { POLICIES } from "./host.js";
import { icon } from "./icons.js";
import { field, sheet } from "./sheet.js";
import { idOf, topics } from "./topics.js";

const TITLE_LONGEST = 70;
const TOPICS = 3;

/** Ask what the Space is to be, make it, and go there. */
export function openStart(go) {
  const title = h("input", { maxlength: TITLE_LONGEST, autocomplete: "off", autofocus: true });
  const words = h("input", { autocomplete: "off", list: "topics" });
  const known = h("datalist", { id: "topics" });
  topics().then((all) => known.append(...all.map(({ name }) => h("option", { value: name }))));
  const policy = h("select", {}, ...Object.entries(POLICIES).map(([value, text]) => h("option", { value, text })));
  policy.value = "invited";
  const anonymous = h("input", { type: "checkbox" });
  const later = h("input", { type: "checkbox" });
  const moment = h("input", { type: "datetime-local", value: local(new Date(Date.now() + 86_400_000)) });
  const momentField = field("Start", moment, "In your time zone.");
  const send = h("button", { class: "primary", type: "submit" }, icon("mic"), h("span", { text: "Start now" }));
  const problem = h("p", { class: "problem", role: "alert" });
  show(momentField, false);
  later.addEventListener("change", () => {
    show(momentField, later.checked);
    send.lastChild.textContent = later.checked ? "Schedule" : "Start now";
  });
  const form = h(
    "form",
    { class: "stack", on: { submit: make } },
    field("What is it about?", title),
    field("Topics", words, `Up to ${TOPICS}, with commas between them.`),
    known,
    field("Who can speak without asking", policy),
    h("label", { class: "check" }, anonymous, " People may listen without signing in"),
    h("label", { class: "check" }, later, " Schedule it for later"),
    momentField,
    problem,
    h("div", { class: "row end" }, send),
  );
  const dialog = sheet("Start a Space", form);

  async function make(event) {
    event.preventDefault();
    send.disabled = true;
    problem.textContent = "";
    try {
      const made = await post("/spaces", {
        title: title.value.trim(),
        topic_ids: await Promise.all(words.value.split(",").map((word) => word.trim()).filter(Boolean).map(idOf)),
        speak_policy: policy.value,
        anonymous_listening: anonymous.checked,
        ...(later.checked ? { scheduled_start: new Date(moment.value).toISOString() } : {}),
      });
      if (!later.checked) await post(space(made.id, "start"));
      dialog.close();
      go(`/s/${made.id}`, { joining: !later.checked });
    } catch (error) {
      problem.textContent = error.message;
      send.disabled = false;
    }
  }
}

/** A time in the form of datetime-local, in the time zone of the browser. */
function local(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
