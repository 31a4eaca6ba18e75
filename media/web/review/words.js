// What was said, line by line, with slurs covered until somebody presses them.
import { button, h, set } from "../dom.js";
import { nameOf } from "../people.js";
import { isSlur } from "./slurs.js";
import { placeWords } from "./times.js";

/** A text in which every slur is covered; it is shown when pressed. */
export function covered(text) {
  return text.split(/(\s+)/).map((word) => (isSlur(word) ? slur(word) : word));
}

function slur(word) {
  const one = button("", () => uncover(one), { class: "slur", "aria-label": "Covered word; press to show it" }, h("span", { "aria-hidden": "true" }, word));
  return one;
}

function uncover(one) {
  one.replaceWith(h("span", { class: "uncovered" }, one.textContent));
}

/** Show all covered words in a place. */
export function uncoverAll(place) {
  for (const one of place.querySelectorAll(".slur")) uncover(one);
}

/** The lines of a clip: `{ element, draw(ms) }`; pressed, a line plays from its beginning. */
export function wordsView(lines, go) {
  if (lines.length === 0) {
    return { element: h("p", { class: "dim", text: "There are no words: the speakers had no captions." }), draw: () => {} };
  }
  const rows = lines.map((line) =>
    h(
      "li",
      {},
      button(`Play from ${placeWords(line.start_ms)}`, () => go(line.start_ms), { class: "line-time" }, placeWords(line.start_ms)),
      h("p", {}, h("strong", { text: `${nameOf(line.user_id)}: ` }), ...covered(line.text), line.corrected && h("small", { class: "dim", text: " (corrected by the speaker)" })),
    ),
  );
  return {
    element: h("ol", { class: "words", "aria-label": "What was said" }, ...rows),
    draw(ms) {
      lines.forEach(({ start_ms: from, end_ms: to }, i) => set(rows[i], { "aria-current": ms >= from && ms < to ? "true" : null }));
    },
  };
}
