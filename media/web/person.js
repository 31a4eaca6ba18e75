// One person on the stage, and what one may do about them.
import { del, post, put, space } from "./api.js";
import { avatar } from "./avatar.js";
import { button, h } from "./dom.js";
import { icon } from "./icons.js";
import { nameOf } from "./people.js";
import { attempt, toast } from "./say.js";
import { confirm, sheet } from "./sheet.js";
import { isAdmin } from "./state.js";
import { me } from "./token.js";

const ROLES = { host: "Host", cohost: "Co-host", speaker: "Speaker", requested: "Asks to speak" };

/** Show a person, with the actions that one's own role allows upon them. */
export function openPerson(room, id) {
  const person = room.store.state.stage.find((one) => one.user_id === id);
  if (!person) return;
  const dialog = sheet(
    nameOf(id),
    h(
      "div",
      { class: "profile" },
      avatar(id, "large"),
      h("div", {}, h("p", {}, ROLES[person.standing] ?? ""), h("p", { class: "dim", text: `@${id}` })),
    ),
    h("div", { class: "actions" }, ...actionsFor(room, person, () => dialog.close())),
  );
}

function actionsFor(room, person, close) {
  const { state } = room.store;
  const { user_id: id, standing } = person;
  const of = (...rest) => space(room.id, "participants", id, ...rest);
  const act = (label, picture, run, kind = "plain") =>
    button("", () => (close(), run()), { class: kind }, icon(picture), label);
  const name = nameOf(id);
  if (id === me()) {
    return standing === "host" ? [] : [act("Step down and listen", "down", () => room.stepDown())];
  }
  const host = state.you.standing === "host";
  if (!isAdmin(state) || standing === "host" || (!host && standing === "cohost")) return [];
  const actions = [];
  if (person.muted_by_admin) {
    const lift = () => attempt(() => post(of("unmute"))).then((done) => done && toast(`${name} may unmute again.`));
    actions.push(act(`Let ${name} unmute`, "mic", lift));
  } else {
    const mute = () => attempt(() => post(of("mute"))).then((done) => done && toast(`${name} is muted.`));
    actions.push(act(`Mute ${name}`, "muted", mute));
  }
  if (person.hand_raised) actions.push(act(`Lower the hand of ${name}`, "hand", () => attempt(() => del(of("hand")))));
  if (host && standing === "speaker") {
    actions.push(act("Make co-host", "star", () => attempt(() => post(of("promote")))));
  }
  actions.push(act("Take off the stage", "down", () => attempt(() => post(of("step-down")))));
  actions.push(act("Mute everyone else", "people", () => muteAllBut(room, [id])));
  actions.push(act("Remove from this Space", "remove", () => askRemove(room, id), "danger"));
  return actions;
}

/** Silence everyone on the stage but some. */
export async function muteAllBut(room, except) {
  const done = await attempt(() => post(space(room.id, "mute-all"), { except }).then(() => true));
  if (done) toast(except.length ? `Everyone but ${except.map(nameOf).join(", ")} is muted.` : "Everyone is muted.");
}

/** Remove somebody, after asking: nothing undoes it. */
export function askRemove(room, id) {
  const name = nameOf(id);
  const { anonymous_listening: open, removal_ends_anonymous: shuts } = room.store.state.space;
  const nameless = shuts ? " Listening without signing in ends for everybody." : " People may listen here without signing in; so could they, unseen and unheard.";
  const text = `${name} is out at once, and cannot come back to this Space by that name.${open ? nameless : ""}`;
  confirm(`Remove ${name}?`, text, "Remove", () => attempt(() => del(space(room.id, "participants", id))));
}

/** Raise one's hand or lower it. */
export async function setHand(room, up) {
  const you = await attempt(() => (up ? put : del)(space(room.id, "participants", "me", "hand")));
  if (you) room.learn(you);
}
