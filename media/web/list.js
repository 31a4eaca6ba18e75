// The list: Spaces that are live, with those of people one follows first, and Spaces that are to come.
import { get } from "./api.js";
import { avatar, refreshAvatar } from "./avatar.js";
import { at } from "./base.js";
import { button, h, keyed, show, write } from "./dom.js";
import { icon } from "./icons.js";
import { followNews } from "./news.js";
import { nameOf, onNames } from "./people.js";
import { titleOf } from "./roomview.js";
import { openSignIn } from "./signin.js";
import { openStart } from "./start.js";
import { createStore } from "./store.js";
import { ticketWords } from "./tickets.js";
import { topicBar } from "./topicbar.js";
import { count, roughly, when } from "./time.js";
import { me } from "./token.js";
import { why } from "./why.js";

const PERIOD = 10_000;
const TYPING = 250;
const MOST = 60;
const FACES = 5;

/** Show the list in a place; returns what closes it. */
export function listPage(place, go) {
  document.title = "Spaces";
  const store = createStore({ found: [], query: "", topic: null, problem: null, loaded: false });
  const bubbles = h("ul", { class: "bubbles" });
  const bubblesPlace = h("section", { "aria-label": "People you follow, live now" }, bubbles);
  const live = h("ul", { class: "cards" });
  const scheduled = h("ul", { class: "cards later" });
  const nothing = h("p", { class: "empty" });
  const laterPlace = h("section", { "aria-labelledby": "later" }, h("h2", { id: "later", text: "Coming up" }), scheduled);
  const livePlace = h("section", { "aria-labelledby": "live" }, h("h2", { id: "live", text: "Live now" }), nothing, live);
  const notice = h("div", {});
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search Spaces", autocomplete: "off" });
  const searchPlace = h("search", {}, icon("search"), search);
  const bar = topicBar(() => load());
  const start = button("", () => openStart(go), { class: "primary big start" }, icon("plus"), "Start a Space");
  place.replaceChildren(
    h(
      "div",
      { class: "list" },
      h("header", { class: "list-head" }, h("div", {}, h("h1", { text: "Spaces" }), h("p", { class: "dim", text: "Live conversations. Listen in, or take the microphone." })), start),
      notice,
      searchPlace,
      bar.view,
      bubblesPlace,
      livePlace,
      laterPlace,
    ),
  );

  const ends = [store.watch(draw), onNames(() => store.touch()), followNews({ go, onChange: load })];
  let typing = 0;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(load, TYPING);
  });
  const timer = setInterval(load, PERIOD);
  const back = () => document.visibilityState === "visible" && load();
  document.addEventListener("visibilitychange", back);
  load();

  async function load() {
    if (document.visibilityState !== "visible") return;
    try {
      const query = search.value.trim();
      const topic = bar.chosen();
      const wanted = new URLSearchParams({ query, max_results: MOST, ...(topic && { topic: topic.id }) });
      const [{ data }] = await Promise.all([get(`/spaces/search?${wanted}`), bar.read()]);
      if (query !== search.value.trim() || topic?.id !== bar.chosen()?.id) return;
      store.set({ found: data, query, topic, problem: null, loaded: true });
    } catch (problem) {
      store.set({ problem });
    }
  }

  function draw(state) {
    const of = (wanted) => state.found.filter(({ space }) => space.state === wanted);
    const idOf = ({ space }) => space.id;
    const near = of("live").filter(({ people }) => people.length > 0);
    const later = of("scheduled").sort((a, b) => a.space.scheduled_start.localeCompare(b.space.scheduled_start));
    show(bubblesPlace, near.length > 0 && !state.query && !state.topic);
    keyed(bubbles, near, idOf, (one) => bubble(one.space, go), refreshBubble);
    show(livePlace, state.loaded);
    show(searchPlace, state.loaded);
    show(nothing, of("live").length === 0);
    write(nothing, nothingOf(state));
    show(laterPlace, later.length > 0);
    keyed(live, of("live"), idOf, (one) => liveCard(one.space, go, () => (store.state.query ? "search" : "direct")), refreshLive);
    keyed(scheduled, later, idOf, (one) => laterCard(one.space, go), refreshLater);
    show(start, Boolean(me()));
    drawProblem(state.problem);
  }

  function drawProblem(problem) {
    if (!problem) {
      notice.replaceChildren();
      return;
    }
    const { title, text, action } = why(problem);
    const known = notice.firstChild?.dataset.said;
    if (known === title + text) return;
    const act = action === "signin" ? button("Sign in", openSignIn, { class: "primary" }) : button("Try now", load, { class: "plain" });
    const hello = action === "signin" ? "Spaces are for people with a token of this server. Sign in to see who is live." : text;
    notice.replaceChildren(
      h(
        "section",
        { class: "notice stop", data: { said: title + text }, role: "alert" },
        h("div", { class: "words" }, h("h2", { text: title }), h("p", { text: hello })),
        h("div", { class: "row" }, act),
      ),
    );
  }

  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", back);
    ends.forEach((end) => end());
  };
}

function nothingOf({ query, topic }) {
  if (query) return `No live Space ${topic ? `about ${topic.name} ` : ""}has “${query}” in it.`;
  return topic ? `Nobody talks about ${topic.name} right now.` : NOBODY;
}

const NOBODY = "Nobody is live right now. Start a Space, and others will find it here.";
const speakersOf = (space) => [...new Set([...space.host_ids, ...space.speaker_ids])];

function link(space, go, source, props, ...children) {
  const open = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(`/s/${space.id}`, { joining: space.state === "live", source: source() });
  };
  return h("a", { href: at(`/s/${space.id}`), on: { click: open }, ...props }, ...children);
}

function bubble(space, go) {
  return h("li", {}, link(space, go, () => "bubble", { class: "bubble" }, h("span", { class: "halo" }), h("span", { class: "name" }), h("span", { class: "unseen" })));
}

function refreshBubble(element, { space, people }) {
  const [halo, name, words] = element.firstChild.children;
  const [{ user_id: id, role }] = people;
  if (halo.dataset.id !== id) {
    halo.dataset.id = id;
    halo.replaceChildren(avatar(id, "large"));
  }
  refreshAvatar(halo.firstChild, id);
  write(name, nameOf(id));
  write(words, `${role === "speaker" ? "is speaking in" : "is hosting"} ${titleOf(space)}`);
}

function liveCard(space, go, source) {
  return h(
    "li",
    {},
    link(
      space,
      go,
      source,
      { class: "card live" },
      h("span", { class: "badges" }, h("span", { class: "live-badge", text: "Live" }), ticketBadge()),
      h("h3", {}),
      h("span", { class: "faces" }),
      h("p", { class: "who" }),
      h("p", { class: "many" }, icon("people"), h("span", {})),
    ),
  );
}

const ticketBadge = () => h("span", { class: "ticket-badge" }, icon("ticket"), h("span", {}));

function refreshTicket(badge, tag, space) {
  const words = ticketWords(tag, space.creator_id === me());
  show(badge, words !== null);
  write(badge.lastChild, words ?? "");
}

function refreshLive(element, { space, reasons, tickets }) {
  const [badges, title, faces, who, many] = element.firstChild.children;
  refreshTicket(badges.lastChild, tickets, space);
  write(title, titleOf(space));
  const people = speakersOf(space);
  keyed(faces, people.slice(0, FACES), (id) => id, (id) => avatar(id, "medium"), refreshAvatar);
  const [host, ...others] = people.map(nameOf);
  write(who, others.length ? `${host} with ${others.slice(0, 2).join(", ")}${others.length > 2 ? ` and ${others.length - 2} more` : ""}` : host);
  write(many.lastChild, space.participant_count ? `${count(space.participant_count)} here` : "Just opened");
  element.firstChild.title = reasons.map(({ text }) => text).join(" ");
}

function laterCard(space, go) {
  const start = new Date(space.scheduled_start);
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric" }).format(start);
  const month = new Intl.DateTimeFormat("en-GB", { month: "short" }).format(start);
  return h(
    "li",
    {},
    link(
      space,
      go,
      () => "direct",
      { class: "card scheduled" },
      h("span", { class: "date", "aria-hidden": "true" }, h("b", { text: day }), month),
      h("div", {}, h("h3", {}), h("p", { class: "who" }), h("p", { class: "dim" }), ticketBadge()),
    ),
  );
}

function refreshLater(element, { space, tickets }) {
  const [title, who, time, ticket] = element.firstChild.lastChild.children;
  const start = new Date(space.scheduled_start);
  write(title, titleOf(space));
  write(who, nameOf(space.creator_id));
  write(time, start > new Date() ? `${when(start)}, ${roughly(start - Date.now())}` : "About to start");
  refreshTicket(ticket, tickets, space);
}
