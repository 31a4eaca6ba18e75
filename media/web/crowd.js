// The crowd is a number, and drawn as one: dots that grow more as it does, never a list of names.
import { h, show, write } from "./dom.js";
import { count } from "./time.js";

const DOTS = 36;
const FEW = 6;

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
    // A dot for each of the first few, then three for each time that they are twice as many: 1,000 are 28.
    const shown = Math.round(listeners <= FEW ? listeners : Math.min(DOTS, FEW + 3 * Math.log2(listeners / FEW)));
    show(dots, shown > 0);
    [...dots.children].forEach((dot, index) => dot.classList.toggle("here", index < shown));
  });
  return view;
}
