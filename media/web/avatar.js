// A face for everyone: initials on a colour that is theirs everywhere, made of their id alone.
import { h, set, write } from "./dom.js";
import { person } from "./people.js";

/** A hue in degrees that stays with an id (FNV-1a). */
export function hueOf(id) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % 360;
}

/** One or two letters of a name. */
export function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0] ?? "?"];
  return letters.map((word) => [...word][0].toUpperCase()).join("");
}

/** Make an avatar; `size` is small, medium or large. */
export function avatar(id, size = "medium") {
  const element = h("span", { class: `avatar ${size}`, "aria-hidden": "true" }, h("span", { class: "initials" }));
  refreshAvatar(element, id);
  return element;
}

/** Show a person in an avatar, whose name may have come only now. */
export function refreshAvatar(element, id) {
  set(element, { css: { "--hue": hueOf(id) } });
  write(element.firstChild, initials(person(id).name));
}
