// The stage: who has the right to speak, what they are, whether they are muted, and who is heard right now.
import { avatar, refreshAvatar } from "./avatar.js";
import { h, keyed, set, show, write } from "./dom.js";
import { icon, redraw } from "./icons.js";
import { loudness } from "./level.js";
import { heard } from "./loudest.js";
import { nameOf } from "./people.js";
import { openPerson } from "./person.js";
import { me } from "./token.js";

const ROLES = { host: "Host", cohost: "Co-host", speaker: "Speaker" };
const ORDER = ["host", "cohost", "speaker"];

/** The people on the stage; `room` is the room they are in. */
export function stageView(room) {
  const list = h("ul", { class: "people" });
  const number = h("span", { class: "dim" });
  const title = h("h2", { id: "stage-title" }, "On stage ", number);
  const view = h("section", { class: "stage", "aria-labelledby": "stage-title" }, title, list);
  room.store.watch((state) => {
    const people = [...state.stage].sort((a, b) => ORDER.indexOf(a.standing) - ORDER.indexOf(b.standing));
    const loud = heard(state);
    const loudest = loud.length > 1 ? loud[0] : null; // of one alone it says nothing
    write(number, people.length);
    keyed(list, people, (p) => p.user_id, (p) => make(p, room), (element, p) => update(element, p, state, loudest === p.user_id));
  });
  return view;
}

function make({ user_id: id }, room) {
  const ring = h("span", { class: "ring" }, avatar(id, "large"), h("span", { class: "mark hand" }, "✋"));
  const mute = h("span", { class: "mark mute" }, icon("muted"));
  ring.append(mute, h("span", { class: "mark loud" }, icon("volume")));
  const open = () => openPerson(room, id);
  return h(
    "li",
    { data: { person: id } },
    h(
      "button",
      { type: "button", class: "person", on: { click: open } },
      ring,
      h("span", { class: "name" }),
      h("span", { class: "role" }),
      h("span", { class: "unseen state" }),
    ),
  );
}

function update(element, person, state, loudest) {
  const mine = person.user_id === me();
  const level = levelOf(person, state, mine);
  const muted = person.muted_by_self || person.muted_by_admin;
  const [ring, name, role, said] = element.firstChild.children;
  refreshAvatar(ring.firstChild, person.user_id);
  set(ring, { css: { "--level": level.toFixed(2) } });
  ring.classList.toggle("speaking", level > 0);
  element.classList.toggle("away", !person.connected);
  const [, hand, mute, loud] = ring.children;
  show(hand, Boolean(person.hand_raised));
  show(mute, muted);
  show(loud, loudest && !muted);
  mute.classList.toggle("by-admin", person.muted_by_admin);
  redraw(mute.firstChild, "muted");
  write(name, nameOf(person.user_id));
  write(role, `${ROLES[person.standing]}${mine ? " (you)" : person.connected ? "" : ", away"}`);
  write(said, describe(person, muted, level, loudest));
}

function levelOf(person, state, mine) {
  if (person.muted_by_self || person.muted_by_admin) return 0;
  if (mine && state.ownLevel !== undefined) return state.ownLevel > -45 ? loudness(state.ownLevel) : 0;
  const level = state.speaking[person.user_id];
  return level === undefined ? 0 : Math.max(0.15, loudness(level));
}

function describe(person, muted, level, loudest) {
  const words = [];
  if (person.muted_by_admin) words.push("muted by an admin");
  else if (muted) words.push("muted");
  if (person.hand_raised) words.push("hand raised");
  if (level > 0) words.push(loudest ? "speaking, loudest" : "speaking");
  return words.join(", ");
}
