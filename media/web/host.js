// What host and co-hosts see: who waits to speak, who may speak without asking, and what ends a Space.
import { del, patch, post, space } from "./api.js";
import { avatar, refreshAvatar } from "./avatar.js";
import { POLICIES } from "./details.js";
import { button, h, keyed, show, write } from "./dom.js";
import { entryView } from "./entry.js";
import { icon } from "./icons.js";
import { openInvite } from "./invite.js";
import { loudestView } from "./loudest.js";
import { nameOf } from "./people.js";
import { askRemove, muteAllBut } from "./person.js";
import { attempt, say, toast } from "./say.js";
import { confirm, field, sheet } from "./sheet.js";
import { isAdmin } from "./state.js";
import { me } from "./token.js";

/** The panel of host and co-hosts. */
export function hostView(room) {
  const waiting = h("ol", { class: "queue", "aria-label": "People who ask to speak" });
  const nobody = h("p", { class: "dim", text: "Nobody waits to speak." });
  const number = h("span", { class: "badge" });
  const policy = speakPolicy(room);
  const lift = button("", () => liftMutes(room), { class: "plain small" }, icon("mic"), "Let everyone unmute");
  const view = h(
    "section",
    { class: "card host", "aria-labelledby": "host-title" },
    h("h2", { id: "host-title" }, "Requests to speak ", number),
    waiting,
    nobody,
    policy,
    entryView(room),
    loudestView(room),
    h(
      "div",
      { class: "row wrap" },
      button("", () => openInvite(room), { class: "plain small" }, icon("plus"), "Invite"),
      button("", () => muteAllBut(room, [me()]), { class: "plain small mute-all" }, icon("muted"), "Mute everyone else"),
      lift,
    ),
  );
  let before = 0;
  room.store.watch((state) => {
    show(view, isAdmin(state) && state.space?.state === "live");
    const { requests } = state;
    keyed(waiting, requests, (r) => r.user_id, (r) => request(room, r), refreshRequest);
    show(nobody, requests.length === 0);
    show(number, requests.length > 0);
    show(lift, state.stage.some((one) => one.muted_by_admin && one.user_id !== me()));
    write(number, requests.length);
    if (requests.length > before) say(`${nameOf(requests.at(-1).user_id)} asks to speak.`);
    before = requests.length;
    const select = policy.querySelector("select");
    if (state.space && document.activeElement !== select) select.value = state.space.speak_policy;
  });
  return view;
}

function request(room, { user_id: id }) {
  const answer = (how) => attempt(() => post(space(room.id, "requests", id, how)));
  return h(
    "li",
    { data: { person: id } },
    avatar(id, "small"),
    h("span", { class: "name" }),
    button(`Approve ${nameOf(id)}`, () => answer("approve"), { class: "round yes", title: "Approve" }, icon("check")),
    button(`Deny ${nameOf(id)}`, () => answer("deny"), { class: "round no", title: "Deny" }, icon("cross")),
    button(`Remove ${nameOf(id)}`, () => askRemove(room, id), { class: "round quiet", title: "Remove" }, icon("remove")),
  );
}

function refreshRequest(element, { user_id: id }) {
  refreshAvatar(element.children[0], id);
  write(element.children[1], nameOf(id));
}

function speakPolicy(room) {
  const options = Object.entries(POLICIES).map(([value, text]) => h("option", { value, text }));
  const choose = (event) => attempt(() => patch(space(room.id), { speak_policy: event.target.value }));
  return field("Who can speak without asking", h("select", { on: { change: choose } }, ...options));
}

/** Take back what muting everyone did; each opens the microphone again by themselves. */
async function liftMutes(room) {
  const done = await attempt(() => del(space(room.id, "mute-all")).then(() => true));
  if (done) toast("Everyone may unmute again.");
}

/** A host goes: only for now, or for everyone. */
export function openEnd(room, go) {
  const dialog = sheet(
    "Leave this Space?",
    h("p", { text: "If you only leave, co-hosts carry on; without any the Space ends by itself after a while." }),
    h(
      "div",
      { class: "actions" },
      button("End it for everyone", () => (dialog.close(), askEnd(room)), { class: "danger" }),
      button("Only leave", leave, { class: "plain" }),
      button("Stay", () => dialog.close(), { class: "plain", autofocus: true }),
    ),
  );

  async function leave() {
    dialog.close();
    await room.leave();
    go("/");
  }
}

export function askEnd(room) {
  confirm("End the Space?", "It is over for everyone at once, and cannot be started again.", "End it", () =>
    attempt(() => post(space(room.id, "end"))),
  );
}
