// What can be decided about a case, each with its number key, and the note that goes with it.
import { button, h, set, show, write } from "../dom.js";
import { field } from "../sheet.js";
import { isMine } from "./desk.js";

const OF_A_PERSON = ["mute", "remove speech rights", "remove from the Space"];
const ACTIONS = ["no violation", "warn", ...OF_A_PERSON, "end the Space", "suspend"];
const ANSWERS = ["upheld", "overturned"];
const WORDS = {
  "no violation": "No violation",
  warn: "Warn",
  mute: "Mute",
  "remove speech rights": "Take speech rights away",
  "remove from the Space": "Remove from the Space",
  "end the Space": "End the Space",
  suspend: "Suspend the account",
  upheld: "Uphold the decision",
  overturned: "Overturn the decision",
};

/** What a reviewer can choose, in the order of the number keys, which is the same for every case of a kind. */
export const choicesOf = (one) => (one.is_appeal ? ANSWERS : ACTIONS);

/** Whether an action can be done in a case: some are about a person, and not about a Space. */
const suits = (one, action) => Boolean(one.subject.user_id) || !OF_A_PERSON.includes(action);

/** The panel of a decision: `{ element, draw, write }`. */
export function actionsView(desk, one, preview) {
  const buttons = choicesOf(one).map((action, place) =>
    button("", () => desk.toggle(action), { class: "action", data: { action } }, h("kbd", { text: place + 1 }), WORDS[action]),
  );
  const note = h("textarea", { rows: 3, maxlength: 1500, value: desk.draft(one.id) });
  note.addEventListener("input", () => desk.setDraft(one.id, note.value));
  note.addEventListener("keydown", (event) => event.key === "Escape" && note.blur());
  const send = button("Decide", () => desk.submit(), { class: "primary" }, h("kbd", { text: "N" }), "Decide and go on");
  const remark = button("", () => desk.remark(), { class: "plain small" }, "Only note it");
  const look = button("", preview, { class: "plain small" }, h("kbd", { text: "V" }), "Statement");
  const take = button("Take this case", () => desk.take(), { class: "primary" }, h("kbd", { text: "Enter" }), "Take this case");
  const whose = h("p", { class: "dim" });
  const element = h(
    "section",
    { class: "card", "aria-label": "Decision" },
    h("h2", { text: one.is_appeal ? "Answer to the complaint" : "Decision" }),
    whose,
    take,
    h("div", { class: "actions", role: "group", "aria-label": "Actions" }, ...buttons),
    field(one.is_appeal ? "Reasons, for the person" : "Note", note, "M writes, Escape leaves"),
    h("div", { class: "row wrap" }, send, look, remark),
  );
  return {
    element,
    write: () => note.focus(),
    draw({ shown, chosen }) {
      const mine = isMine(shown);
      for (const each of buttons) {
        const { action } = each.dataset;
        set(each, { "aria-pressed": String(chosen.has(action)), disabled: !mine || !suits(shown, action) });
      }
      set(send, { disabled: !mine || chosen.size === 0 });
      show(take, !mine && shown.state !== "closed" && shown.state !== "final");
      show(whose, !mine);
      write(whose, whoHas(shown));
      if (document.activeElement !== note && note.value !== desk.draft(shown.id)) note.value = desk.draft(shown.id);
    },
  };
}

function whoHas({ state, reviewer }) {
  if (reviewer === null) return state === "open" || state === "escalated" ? "Nobody has this case." : `This case is ${state}.`;
  return state === "held" ? `${reviewer} holds this case.` : `${reviewer} has this case: ${state}.`;
}
