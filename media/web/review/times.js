// Times of a case in words: how long until it is due, and how long it is one's own.
import { clock, roughly } from "../time.js";

const HOUR = 3_600_000;

/** "due in 12:05", "overdue by 2:10", and whether that is late. */
export function dueWords(due, now = Date.now()) {
  const left = Date.parse(due) - now;
  if (left < 0) return { text: `overdue by ${clock(-left)}`, late: true };
  return { text: left > 2 * HOUR ? `due ${roughly(left)}` : `due in ${clock(left)}`, late: false };
}

/** "yours for 9:48". */
export const leaseWords = (until, now = Date.now()) => `yours for ${clock(Date.parse(until) - now)}`;

/** A place in a recording: "0:41:12". */
export function placeWords(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [minutes, rest] = [Math.floor(seconds / 60) % 60, seconds % 60].map((n) => String(n).padStart(2, "0"));
  return `${Math.floor(seconds / 3600)}:${minutes}:${rest}`;
}
