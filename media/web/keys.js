// Shortcuts: single letters, which do nothing while somebody writes, holds a modifier or has a dialog open.
import { h } from "./dom.js";
import { sheet } from "./sheet.js";

const shortcuts = new Map();

/** Have a key do something, until the function that is returned is called. */
export function shortcut(key, what, act) {
  shortcuts.set(key, { what, act });
  return () => shortcuts.delete(key);
}

function isWriting(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

export function listenForShortcuts() {
  shortcut("?", "Show these shortcuts", showShortcuts);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isWriting(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const found = shortcuts.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!found) return;
    event.preventDefault();
    found.act();
  });
}

export function showShortcuts() {
  const rows = [...shortcuts].map(([key, { what }]) =>
    h("div", {}, h("dt", {}, h("kbd", { text: key.toUpperCase() })), h("dd", { text: what })),
  );
  sheet("Shortcuts", h("dl", { class: "shortcuts" }, ...rows));
}
