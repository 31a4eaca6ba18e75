// What stands between a person and the room: come in, why not, when to try again; and what is asked of them.
import { post, space } from "./api.js";
import { button, h } from "./dom.js";
import { openAnalytics } from "./analytics.js";
import { askCancel, openEdit } from "./edit.js";
import { icon } from "./icons.js";
import { reminder, toCalendar } from "./reminder.js";
import { attempt } from "./say.js";
import { openSignIn } from "./signin.js";
import { isLive, onStage } from "./state.js";
import { openOffer, ticketView } from "./tickets.js";
import { countdown, when } from "./time.js";
import { me } from "./token.js";
import { why, whyClosed } from "./why.js";

/** The notice of a room, or nothing; drawn anew only when it says something else. */
export function noticeView(room, go) {
  const view = h("div", { class: "notice-place" });
  let said = "";
  room.store.watch((state) => {
    const notice = noticeOf(state);
    const key = notice ? JSON.stringify([notice.key, notice.title, notice.text, notice.retryAt]) : "";
    if (key === said) return;
    said = key;
    const kept = view.contains(document.activeElement);
    view.replaceChildren(...(notice ? [draw(notice, room, go)] : []));
    if (kept) view.querySelector("button")?.focus();
  });
  return view;
}

/** What is to be said first: {key, title, text, retryAt, kind}. */
export function noticeOf(state) {
  const { space: of, you, line } = state;
  if (you.standing === "removed") {
    const text = "You cannot come back to this Space. Other Spaces are open to you.";
    return { key: "removed", kind: "stop", title: "You were removed from this Space", text, action: "list" };
  }
  if (state.stream === "refused") return refusal(state.streamProblem);
  if (!of) {
    if (state.stream === "lost") return { key: "lost", kind: "wait", ...why(state.streamProblem), action: "wait" };
    return { key: "loading", kind: "quiet", title: "One moment …", text: "" };
  }
  const closed = whyClosed(of);
  if (closed) return { key: "closed", kind: "stop", ...closed, report: of.state === "ended" && of.creator_id === me() };
  if (!isLive(state)) return beforeStart(of);
  if (line.phase === "refused") return refusal(line.problem);
  if (!state.joined) return { key: "join", kind: "join", title: "", text: joinText(of) };
  if (line.phase === "waiting") {
    return { key: "waiting", kind: "wait", ...why(line.problem), action: "wait", retryAt: line.retryAt };
  }
  if (!state.heard) return { key: "unheard", kind: "join", title: "", text: "Your browser waits for a tap to play sound." };
  if (you.standing === "invited") {
    const title = { cohost: "You are invited as a co-host", listener: "You are invited to listen" }[you.invited_as];
    return { key: "invited", kind: "ask", title: title ?? "You are invited to speak", text: "You start muted." };
  }
  if (you.retry_at && Date.parse(you.retry_at) > Date.now() && you.standing === "listener") {
    const text = "The host has answered your request with no. You can ask again";
    return { key: "denied", kind: "denied", title: "Not now", text, retryAt: Date.parse(you.retry_at) };
  }
  if (state.microphone && onStage(state)) {
    return { key: "microphone", kind: "mic", title: "No microphone", text: state.microphone };
  }
  if (state.stream === "lost") {
    const text = "You still hear it; who is here, and what is written, may be out of date.";
    return { key: "stale", kind: "quiet", title: "Connecting again …", text };
  }
  if (line.phase === "connecting") return { key: "connecting", kind: "quiet", title: "Connecting …", text: "" };
  if (you.muted_by_admin && onStage(state)) {
    const text = "Only an admin can lift that. Raise your hand if you have something to say.";
    return { key: "muted", kind: "muted", title: "An admin has muted you", text };
  }
  return null;
}

function refusal(problem) {
  const reason = why(problem);
  if (reason.action === "ticket" && me()) return { key: "ticket", kind: "ticket", ...reason, text: "" };
  return { key: "refused", kind: "stop", ...reason };
}

const joinText = (of) => (me() ? "" : of.anonymous_listening ? "You listen without a name." : "");

function beforeStart(of) {
  const mine = of.creator_id === me();
  const start = of.scheduled_start ? new Date(of.scheduled_start) : null;
  const title = start ? `Starts ${when(start)}` : "This Space has not started yet";
  const text = mine ? `You are the host.${of.is_ticketed ? " Tickets are on sale." : ""}` : "";
  return { key: "early", kind: mine ? "start" : "early", title, text, start: start?.getTime(), ticketed: of.is_ticketed };
}

const PICTURES = { denied: "hand", stop: "remove", wait: "volume", early: "calendar", ticket: "ticket", start: "calendar", ask: "mic", mic: "muted", muted: "muted" };

function draw(notice, room, go) {
  const picture = PICTURES[notice.kind];
  const words = [notice.title && h("h2", { text: notice.title }), notice.text && h("p", { text: notice.text })];
  const parts = [picture && icon(picture), h("div", { class: "words" }, ...words, ...timesOf(notice, room))];
  const buttons = BUTTONS[notice.kind]?.(room, go, notice) ?? [];
  return h(
    "section",
    { class: `notice ${notice.kind}`, "aria-label": notice.title || "Come in" },
    ...parts,
    buttons.length ? h("div", { class: "row wrap" }, ...buttons) : null,
  );
}

function timesOf(notice, room) {
  if (notice.start && notice.start > Date.now()) return [h("p", {}, countdown(notice.start))];
  if (notice.retryAt && notice.retryAt > Date.now()) {
    const words = notice.kind === "denied" ? "" : "Trying again ";
    return [h("p", { class: "dim" }, words, countdown(notice.retryAt, undefined, () => onZero(notice, room)), ".")];
  }
  return [];
}

function onZero(notice, room) {
  if (notice.kind === "stop") room.retry();
  else room.store.touch();
}

const toList = (go) => button("Find another Space", () => go("/"), { class: "plain" });
const tryNow = (room) => button("Try now", () => room.retry(), { class: "plain" });

const BUTTONS = {
  join: (room) => [
    button("", () => (room.store.state.joined ? room.unblock() : room.join()), { class: "primary big" }, icon("volume"), "Start listening"),
    ...(me() ? [] : [button("Sign in", openSignIn, { class: "plain" })]),
  ],
  stop: (room, go, { action, retryAt, report }) => [
    ...(report ? [button("", () => openAnalytics(room), { class: "primary" }, icon("chart"), "How it went")] : []),
    ...(action === "signin" ? [button("Sign in", openSignIn, { class: "primary" })] : []),
    ...(retryAt || ["retry", "wait"].includes(action) ? [tryNow(room)] : []),
    toList(go),
  ],
  wait: (room, go) => [tryNow(room), toList(go)],
  start: (room) => [
    button("Start now", () => attempt(() => post(space(room.id, "start"))).then((done) => done && room.join()), { class: "primary" }),
    button("", () => openEdit(room), { class: "plain" }, icon("edit"), "Change"),
    button("", () => openOffer(room), { class: "plain" }, icon("ticket"), "Tickets"),
    toCalendar(room.id),
    button("Call it off", () => askCancel(room), { class: "plain" }),
  ],
  early: (room, _, { ticketed }) =>
    me() ? [...(ticketed ? [ticketView(room, { compact: true })] : []), reminder(room.id), toCalendar(room.id)] : [],
  ticket: (room, go) => [ticketView(room), toList(go)],
  ask: (room) => [
    button("Accept", () => room.answerInvitation(true), { class: "primary" }),
    button("Decline", () => room.answerInvitation(false), { class: "plain" }),
  ],
  mic: (room) => [button("Try again", () => room.openMicrophone(), { class: "primary" })],
};
