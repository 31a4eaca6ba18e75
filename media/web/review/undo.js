// The last decision can be taken back for some seconds, of which this strip tells.
import { button, h, show, write } from "../dom.js";

/** The strip; it is there only as long as the decision can be taken back. */
export function undoView(desk) {
  const text = h("p", { class: "grow" });
  const back = button("Take back", () => desk.undo(), { class: "plain small" }, h("kbd", { text: "Z" }), "Take back");
  const strip = h("div", { class: "undo-strip", role: "status" }, text, back);
  desk.store.watch(({ undo }) => {
    const left = undo === null ? 0 : Math.ceil((undo.until - Date.now()) / 1000);
    show(strip, left > 0);
    if (undo === null) return;
    write(text, `Case ${undo.id}: ${undo.text}. ${left} s to take it back.`);
    if (left <= 0) desk.store.set({ undo: null });
  });
  return strip;
}
