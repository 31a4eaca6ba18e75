// What a host says about a Space, as fields of a form: what it is about, who may speak, who may listen.
import { get } from "./api.js";
import { h, set, show, write } from "./dom.js";
import { field } from "./sheet.js";
import { idOf, namesOf, topics } from "./topics.js";

const TITLE_LONGEST = 70;
const DAY = 86_400;

export const POLICIES = {
  everyone: "Everyone",
  following: "People you follow",
  invited: "Only people you let in",
};

/** Fields for a Space to come, or for one that is there: {elements, read}, which gives the body of a request. */
export function details(of = null) {
  const title = h("input", { maxlength: TITLE_LONGEST, autocomplete: "off", autofocus: true, value: of?.title ?? "" });
  const words = h("input", { autocomplete: "off", list: "topics" });
  const known = h("datalist", { id: "topics" });
  topics().then((all) => known.append(...all.map(({ name }) => h("option", { value: name }))));
  if (of) namesOf(of.topic_ids).then((names) => (words.value ||= names.join(", ")));
  const policy = h("select", {}, ...Object.entries(POLICIES).map(([value, text]) => h("option", { value, text })));
  policy.value = of?.speak_policy ?? "invited";
  const anonymous = h("input", { type: "checkbox", checked: Boolean(of?.anonymous_listening) });
  const shuts = h("input", { type: "checkbox", checked: Boolean(of?.removal_ends_anonymous) });
  const shutsLine = h("label", { class: "check" }, shuts, " … until somebody is removed, who could go on without a name");
  const replay = h("input", { type: "checkbox", checked: Boolean(of?.is_available_for_replay) });
  const settled = of?.state === "live" && !of.is_available_for_replay; // those who speak were not told
  const fit = () => show(shutsLine, anonymous.checked);
  anonymous.addEventListener("change", fit);
  fit();
  const topicField = field("Topics", words, "With commas between them.");
  rules().then(({ topics: most }) => most && write(topicField.querySelector("small"), `Up to ${most}, with commas between them.`));
  return {
    elements: [
      field("What is it about?", title),
      topicField,
      known,
      field("Who can speak without asking", policy),
      h("label", { class: "check" }, anonymous, " People may listen without signing in"),
      shutsLine,
      ...(settled ? [] : [h("label", { class: "check" }, replay, " Record it, to be heard again by those who could listen")]),
    ],
    async read() {
      const names = words.value.split(",").map((word) => word.trim()).filter(Boolean);
      return {
        title: title.value.trim(),
        topic_ids: await Promise.all(names.map(idOf)),
        speak_policy: policy.value,
        anonymous_listening: anonymous.checked,
        removal_ends_anonymous: shuts.checked,
        ...(settled ? {} : { is_available_for_replay: replay.checked }),
      };
    },
  };
}

/** A field for the time at which a Space starts: {element, read}; tomorrow at this time unless it has one. */
export function timeOfStart(of = null) {
  const start = of?.scheduled_start ? new Date(of.scheduled_start) : new Date(Date.now() + 1000 * DAY);
  const moment = h("input", { type: "datetime-local", required: true, value: local(start), min: local(new Date()) });
  const element = field("Start", moment, "In your time zone.");
  rules().then(({ window }) => {
    if (!window) return;
    set(moment, { max: local(new Date(Date.now() + 1000 * window)) });
    write(element.querySelector("small"), `In your time zone, at most ${Math.round(window / DAY)} days ahead.`);
  });
  return { element, read: () => new Date(moment.value).toISOString() };
}

/** What the server's rules say of the number of topics, and how many seconds ahead one may schedule. */
async function rules() {
  const { data } = await get("/policies").catch(() => ({ data: [] }));
  const policy = data.find((one) => one.default);
  return { topics: policy?.topics, window: policy?.schedule_window };
}

/** A time in the form of datetime-local, in the time zone of the browser. */
function local(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
