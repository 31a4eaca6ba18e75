// The controls that are always at hand: microphone or request, hand, reactions, and the way out.
import { button, h, set, show, write } from "./dom.js";
import { openEnd } from "./host.js";
import { icon, redraw } from "./icons.js";
import { setHand } from "./person.js";
import { reactionMenu } from "./reactions.js";
import { isAdmin, isLive, isOpen, onStage } from "./state.js";
import { me } from "./token.js";

/** The bar at the bottom; `go` leaves the room. */
export function dockView(room, go) {
  const mic = labelled("muted", () => room.toggleMute(), "mic");
  const ask = labelled("hand", () => toggleRequest(room), "ask");
  const hand = labelled("hand", () => toggleHand(room), "raise");
  const react = reactionMenu(room);
  const leave = labelled("leave", () => leaveRoom(room, go), "leave");
  const view = h(
    "div",
    { class: "dock", role: "toolbar", "aria-label": "Your controls" },
    ...[leave, hand, react, ask, mic].map((one) => one.element ?? one),
  );
  room.store.watch((state) => {
    const { you } = state;
    const here = state.joined && isLive(state);
    show(view, here);
    const stage = onStage(state);
    show(mic.element, stage);
    drawMicrophone(mic, state);
    show(ask.element, !stage && Boolean(me()) && you.standing !== "removed");
    drawRequest(ask, state);
    show(hand.element, stage);
    hand.label(you.hand_raised ? "Lower hand" : "Raise hand", "R");
    set(hand.element, { "aria-pressed": String(Boolean(you.hand_raised)) });
    show(react, Boolean(me()) && !isAdmin(state)); // the table of rights gives reactions to the others
    leave.label("Leave");
  });
  return view;
}

function labelled(picture, act, name) {
  const words = h("span", {});
  const drawing = icon(picture);
  const element = button("", act, { class: `control ${name}` }, drawing, words);
  return {
    element,
    drawing,
    label(text, key = "") {
      write(words, text);
      set(element, { title: key ? `${text} (${key})` : text, "aria-keyshortcuts": key || null });
    },
  };
}

function drawMicrophone(mic, state) {
  const open = isOpen(state);
  const { muted_by_admin: byAdmin } = state.you;
  redraw(mic.drawing, open ? "mic" : "muted");
  mic.element.classList.toggle("open", open);
  mic.element.classList.toggle("forbidden", byAdmin);
  if (state.microphone) mic.label("Try the microphone", "M");
  else if (byAdmin) mic.label("Muted by an admin");
  else mic.label(open ? "Mute" : "Unmute", "M");
  set(mic.element, { "aria-disabled": byAdmin ? "true" : null });
}

function drawRequest(ask, state) {
  const waiting = state.you.standing === "requested";
  const place = state.request?.position;
  ask.element.classList.toggle("waiting", waiting);
  ask.label(waiting ? `Take back${place ? ` (place ${place})` : ""}` : "Ask to speak");
}

export function toggleRequest(room) {
  return room.store.state.you.standing === "requested" ? room.queue.withdraw() : room.queue.ask();
}

export const toggleHand = (room) => setHand(room, !room.store.state.you.hand_raised);

async function leaveRoom(room, go) {
  if (room.store.state.you.standing === "host") {
    openEnd(room, go);
    return;
  }
  await room.leave();
  go("/");
}
