// What is heard: one audio element that plays the Space. Browsers play only after a gesture of the person, so
// whoever refuses is asked for one.

const KEY = "spaces.volume";
const element = () => document.getElementById("ear");

/** Take the volume that was chosen before. */
export function restoreVolume() {
  const kept = Number.parseFloat(localStorage.getItem(KEY) ?? "1");
  element().volume = kept >= 0 && kept <= 1 ? kept : 1;
}

/** Play a stream; resolves to whether it is heard, false if the browser wants a gesture first. */
export async function play(stream) {
  const ear = element();
  if (ear.srcObject !== stream) ear.srcObject = stream;
  try {
    await ear.play();
    return true;
  } catch (error) {
    return error.name === "AbortError";
  }
}

/** Play what was refused, in a gesture. */
export const resume = () => play(element().srcObject);

export function stop() {
  const ear = element();
  ear.pause();
  ear.srcObject = null;
}

/** How loud, from 0 to 1. */
export const volume = () => element().volume;

export function setVolume(level) {
  element().volume = level;
  localStorage.setItem(KEY, String(level));
}
