// Reactions: chosen from a small menu, and seen floating up, as many as there were since the last pulse.
import { post, space } from "./api.js";
import { button, h, show } from "./dom.js";
import { icon } from "./icons.js";
import { attempt } from "./say.js";

/** What there is, by the names of the server. */
export const KINDS = new Map([
  ["heart", ["❤️", "Heart"]],
  ["clap", ["👏", "Clap"]],
  ["laugh", ["😂", "Laugh"]],
  ["fire", ["🔥", "Fire"]],
  ["surprise", ["😲", "Surprise"]],
  ["sad", ["😢", "Sad"]],
  ["thumbs_up", ["👍", "Thumbs up"]],
  ["thumbs_down", ["👎", "Thumbs down"]],
  ["wave", ["👋", "Wave"]],
  ["fist", ["✊", "Fist"]],
  ["peace", ["✌️", "Peace"]],
  ["100", ["💯", "A hundred"]],
]);
const FLOATING = 14;
const STEP = 90;

export const emojiOf = (kind) => KINDS.get(kind)?.[0] ?? "·";

/** The button and its menu. */
export function reactionMenu(room) {
  const react = (kind) => attempt(() => post(space(room.id, "reactions"), { kind }));
  const choices = [...KINDS].map(([kind, [sign, name]]) =>
    button(name, () => react(kind), { class: "reaction", title: name }, h("span", { "aria-hidden": "true" }, sign)),
  );
  const menu = h("div", { popover: "auto", id: "reactions", class: "reactions", "aria-label": "Reactions" }, ...choices);
  const open = h(
    "button",
    { type: "button", class: "control react", popovertarget: "reactions", title: "React (E)" },
    icon("smile"),
    h("span", { text: "React" }),
  );
  return h("div", { class: "react-place" }, open, menu);
}

/** Where they float; a person who wants less motion sees the sums instead. */
export function floatingView(room) {
  const place = h("div", { class: "floating", "aria-hidden": "true" });
  const sums = h("p", { class: "sums", "aria-hidden": "true" });
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let last = null;
  let hide = 0;
  room.store.watch(({ reactions }) => {
    if (!reactions || reactions === last) return;
    last = reactions;
    if (Object.keys(reactions).length === 0) return;
    if (!still.matches) {
      rise(place, reactions);
      return;
    }
    sums.textContent = Object.entries(reactions)
      .map(([kind, number]) => `${emojiOf(kind)} ${number}`)
      .join("   ");
    show(sums, true);
    clearTimeout(hide);
    hide = setTimeout(() => show(sums, false), 3000);
  });
  return h("div", { class: "floating-place" }, place, sums);
}

function rise(place, reactions) {
  const all = Object.values(reactions).reduce((sum, number) => sum + number, 0);
  let index = 0;
  for (const [kind, number] of Object.entries(reactions)) {
    const signs = Math.max(1, Math.round((number / all) * Math.min(all, FLOATING)));
    for (let i = 0; i < signs; i++) {
      const sign = h("span", { text: emojiOf(kind), css: { "--x": Math.random().toFixed(2) } });
      sign.addEventListener("animationend", () => sign.remove());
      setTimeout(() => place.append(sign), STEP * index++);
    }
  }
}
