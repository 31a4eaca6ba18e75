// The lease of a case is begun anew by whatever key its reviewer presses, and asked for once in twenty seconds.
import { isMine } from "./desk.js";

const PAUSE = 20_000;

/** Watch the keys, also those in fields. */
export function keepLease(desk) {
  let asked = { id: null, at: 0 };
  addEventListener(
    "keydown",
    () => {
      const { shown } = desk.state;
      if (!isMine(shown) || (asked.id === shown.id && Date.now() - asked.at < PAUSE)) return;
      asked = { id: shown.id, at: Date.now() };
      desk.extend();
    },
    { capture: true },
  );
}
