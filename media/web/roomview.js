// The page of a room: what it is about at the top, who is in it in the middle, one's own controls at the bottom.
import { openAnalytics } from "./analytics.js";
import { captionsView } from "./captions.js";
import { crowdView } from "./crowd.js";
import { dockView, toggleHand } from "./dock.js";
import { button, h, keyed, set, show, write } from "./dom.js";
import { openEdit } from "./edit.js";
import { hostView } from "./host.js";
import { icon } from "./icons.js";
import { openInvite } from "./invite.js";
import { shortcut } from "./keys.js";
import { messagesView } from "./messages.js";
import { noticeView } from "./notice.js";
import { nameOf } from "./people.js";
import { pinsView } from "./pins.js";
import { qualityView } from "./quality.js";
import { floatingView } from "./reactions.js";
import { replayView } from "./replay.js";
import { Room } from "./room.js";
import { copy } from "./say.js";
import { stageView } from "./stage.js";
import { isLive, onStage } from "./state.js";
import { me } from "./token.js";
import { namesOf } from "./topics.js";

/** Show a room in a place; `go` goes to another page. Returns what closes it. */
export function roomPage(place, id, go, { joining = false, source = "link" } = {}) {
  const room = new Room(id, source);
  const quality = qualityView(room);
  const replay = replayView(room);
  const body = h(
    "div",
    { class: "room-body" },
    h("div", { class: "room-main" }, stageView(room), crowdView(room), captionsView(room), messagesView(room)),
    h("div", { class: "room-side" }, quality.view, hostView(room), pinsView(room)),
  );
  const page = h(
    "article",
    { class: "room" },
    headView(room, quality, go),
    noticeView(room, go),
    replay.view,
    body,
    floatingView(room),
    dockView(room, go),
  );
  place.replaceChildren(page);
  const ends = [
    room.store.watch((state) => {
      show(body, isLive(state) && state.you.standing !== "removed" && state.stream !== "refused");
      document.title = state.space ? `${titleOf(state.space)} · Spaces` : "Spaces";
    }),
    shortcut("m", "Mute or unmute", () => room.toggleMute()),
    shortcut("r", "Raise or lower your hand", () => onStage(room.store.state) && toggleHand(room)),
    shortcut("e", "React", () => page.querySelector(".react-place:not([hidden]) .react")?.click()),
    shortcut("d", "Show delay and quality", () => quality.toggle()),
  ];
  room.open();
  if (joining) room.join();
  return () => {
    ends.forEach((end) => end());
    replay.close();
    room.close();
  };
}

export const titleOf = (of) => of.title || `${nameOf(of.creator_id)}’s Space`;

function headView(room, quality, go) {
  const title = h("h1", {});
  const live = h("span", { class: "live-badge", text: "Live" });
  const host = h("p", { class: "byline" });
  const kept = h("p", { class: "kept", hidden: true, text: "Recorded: whoever speaks can be heard again afterwards" });
  const topics = h("ul", { class: "topics", "aria-label": "Topics" });
  const details = button("Delay and quality", () => details_(), { class: "round quiet", "aria-expanded": "false" }, icon("chart"));
  const share = button("Copy the link", () => copyLink(), { class: "round quiet", title: "Copy the link" }, icon("share"));
  const invite = button("Invite somebody", () => openInvite(room), { class: "round quiet", title: "Invite somebody" }, icon("plus"));
  const own = [
    button("How it goes", () => openAnalytics(room), { class: "round quiet", title: "How it goes" }, icon("trend")),
    button("Change the Space", () => openEdit(room), { class: "round quiet", title: "Change the Space" }, icon("edit")),
  ];
  details.title = "Delay and quality (D)";
  set(details, { "aria-controls": "quality" });
  const details_ = () => set(details, { "aria-expanded": String(quality.toggle()) });
  const view = h(
    "header",
    { class: "room-head" },
    h("div", { class: "row" }, button("Back to the list", () => go("/"), { class: "round quiet" }, icon("back")), live, h("span", { class: "grow" }), ...own, invite, details, share),
    title,
    host,
    kept,
    topics,
  );
  room.store.watch((state) => {
    const of = state.space ?? state.preview;
    for (const one of own) show(one, isLive(state) && of.creator_id === me());
    show(invite, isLive(state) && state.joined && Boolean(me()));
    share.classList.toggle("wide-only", !invite.hidden); // on a phone the link is where one invites
    show(details, isLive(state));
    show(title, Boolean(of) || state.stream === "refused");
    if (!of) write(title, "A Space");
    show(live, of?.state === "live" && state.stream !== "refused");
    if (!of) return;
    write(title, titleOf(of));
    const [first, ...others] = of.host_ids;
    const named = others.length ? ` with ${others.map(nameOf).join(" and ")}` : "";
    show(kept, of.state === "live" && Boolean(of.is_available_for_replay));
    write(host, `Hosted by ${nameOf(first)}${named}`);
    namesOf(of.topic_ids).then((names) => {
      keyed(topics, names, (name) => name, (name) => h("li", { text: name }));
      show(topics, names.length > 0);
    });
  });
  return view;
}

const copyLink = () => copy(location.origin + location.pathname, "The link is copied.");
