// Shortcuts: single keys, which do nothing while somebody writes, holds a modifier or has a dialog open.
import { h } from "./dom.js";
import { sheet } from "./sheet.js";

const shortcuts = new Map();
const NAMES = { " ": "Space" };

/** Have a key do something, until the function that is returned is called. */
export function shortcut(key, what, act) {
  shortcuts.set(key, { what, act });
  return () => shortcuts.delete(key);
}

function isWriting(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/** Whether a key is the focused element's own: Enter and Space press buttons and follow links. */
function isPressing(event) {
  return (event.key === "Enter" || event.key === " ") && event.target instanceof HTMLElement && event.target.matches("button, a, summary");
}

export function listenForShortcuts() {
  shortcut("?", "Show these shortcuts", showShortcuts);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isWriting(event.target)) return;
    if (isPressing(event)) return;
    if (document.querySelector("dialog[open]")) return;
    const found = shortcuts.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!found) return;
    event.preventDefault();
    found.act();
  });
}

export function showShortcuts() {
  const rows = [...shortcuts].filter(([, { what }]) => what).map(([key, { what }]) =>
    h("div", {}, h("dt", {}, h("kbd", { text: NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key) })), h("dd", { text: what })),
  );
  sheet("Shortcuts", h("dl", { class: "shortcuts" }, ...rows));
}
