// What is said to those who do not see: politely, or at once; and small notes for everyone.
import { button, h, write } from "./dom.js";

const SHOWN = 6_000;
const MOST = 3;
const HELD = 1_000; // for which what is said stands, or what comes next would take its place unheard
const saying = { polite: [], assertive: [] };

/** Say something when there is a pause. */
export const say = (text) => speak("polite", text);

/** Say something at once: what concerns one's own microphone, or one's being here. */
export const sayNow = (text) => speak("assertive", text);

function speak(region, text) {
  const texts = saying[region];
  texts.push(text);
  if (texts.length === 1) sayFirst(region);
  else if (texts.length > MOST) texts.splice(1, 1);
}

function sayFirst(region) {
  const element = document.getElementById(region);
  const texts = saying[region];
  write(element, "");
  // Once more later: the same text twice in a row is said twice only if the region was empty in between.
  setTimeout(() => write(element, texts[0]), 60);
  setTimeout(() => {
    texts.shift();
    if (texts.length) sayFirst(region);
  }, HELD);
}

/** Show a note for some seconds, and say it; with `{label, act}` it has a button, and stays longer. */
export function toast(text, kind = "note", action = null) {
  const act = action && button(action.label, () => (note.remove(), action.act()));
  const note = h("div", { class: `toast ${kind}` }, h("p", { text }), act);
  const shown = document.getElementById("toasts");
  for (const other of [...shown.children].filter((one) => one.firstChild.textContent === text)) other.remove();
  if (shown.children.length >= MOST) shown.firstChild.remove();
  shown.append(note);
  if (kind === "bad") sayNow(text);
  else say(text);
  setTimeout(() => note.remove(), action ? 3 * SHOWN : SHOWN);
}

/** Put a text on the clipboard, or show it where the browser has none. */
export async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast(text);
  }
}

/** Do something that the server may refuse; a refusal is shown, and undefined returned. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message, "bad");
    if (!("slug" in error)) console.error(error);
    return undefined;
  }
}
