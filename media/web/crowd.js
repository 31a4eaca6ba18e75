// The crowd is a number, and drawn as one: dots that grow more as it does, never a list of names.
import { h, write } from "./dom.js";
import { count } from "./time.js";

const DOTS = 36;

/** How many listen. */
export function crowdView(room) {
  const number = h("strong", {});
  const words = h("span", {});
  const dots = h("span", { class: "dots", "aria-hidden": "true" });
  for (let i = 0; i < DOTS; i++) dots.append(h("i", { css: { "--n": i } }));
  const view = h("section", { class: "crowd", "aria-label": "Listeners" }, dots, h("p", {}, number, " ", words));
  room.store.watch(({ listeners }) => {
    write(number, count(listeners));
    write(words, listeners === 1 ? "listener" : "listeners");
    // A dot for each of the first few, then one for each third more: 10 people are 7 dots, 10,000 are 32.
    const shown = Math.min(DOTS, Math.round(3.5 * Math.log(1 + listeners) / Math.log(3) - (listeners ? 0.5 : 0)));
    [...dots.children].forEach((dot, index) => dot.classList.toggle("here", index < shown));
  });
  return view;
}
