// Who is loudest: marked on the stage, and named to those who can silence somebody, however long the stage is.
import { post, space } from "./api.js";
import { button, h, show, write } from "./dom.js";
import { icon } from "./icons.js";
import { nameOf } from "./people.js";
import { muteAllBut } from "./person.js";
import { attempt, toast } from "./say.js";
import { isAdmin } from "./state.js";
import { me } from "./token.js";

const STAYS = 4_000;

/** The ids of those who are heard, loudest first. */
export function heard({ stage, speaking }) {
  const open = stage.filter((one) => one.user_id in speaking && !one.muted_by_self && !one.muted_by_admin);
  return open.map((one) => one.user_id).sort((a, b) => speaking[b] - speaking[a]);
}

/**
 * Name the loudest of those whom one may mute, and offer to mute them, or everyone but them. Whoever it names stays for some
 * seconds, and for as long as somebody is about to press: else another one would be silenced than was meant.
 */
export function loudestView(room) {
  let named = null;
  let since = 0;
  let timer = 0;
  const name = h("span", { class: "name" });
  const mute = button("", () => silence(room, named), { class: "plain small" }, icon("muted"), h("span", {}));
  const others = button("", () => muteAllBut(room, [named]), { class: "plain small" }, icon("people"), h("span", {}));
  const view = h("div", { class: "loudest row wrap", role: "group", "aria-label": "Who is loud" }, name, mute, others);
  room.store.watch((state) => {
    const { you, stage } = state;
    const held = view.matches(":hover, :focus-within");
    const now = heard(state).find((id) => id !== me() && (you.standing === "host" || isSpeaker(stage, id)));
    const old = Date.now() - since > STAYS;
    if (now && (now === named || !named || (old && !held))) {
      named = now;
      since = Date.now();
      clearTimeout(timer);
      timer = setTimeout(() => room.store.touch(), STAYS + 100); // silence is no event
    } else if (!isOpenOn(stage, named) || (old && !held)) named = null;
    show(view, Boolean(named) && isAdmin(state));
    if (!named) return;
    write(name, `${nameOf(named)} is loud`);
    write(mute.lastChild, `Mute only ${nameOf(named)}`);
    write(others.lastChild, `Mute everyone but ${nameOf(named)}`);
  });
  return view;
}

const isSpeaker = (stage, id) => stage.some((one) => one.user_id === id && one.standing === "speaker");
const isOpenOn = (stage, id) => stage.some((one) => one.user_id === id && !one.muted_by_self && !one.muted_by_admin);

async function silence(room, id) {
  if (await attempt(() => post(space(room.id, "participants", id, "mute")))) toast(`${nameOf(id)} is muted.`);
}
