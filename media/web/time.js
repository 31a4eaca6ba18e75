// Times as people say them, and countdowns that draw themselves.
import { h, write } from "./dom.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "2:05", or "1:02:05". */
export function clock(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((n) => String(n).padStart(2, "0"));
  const hours = Math.floor(seconds / 3600);
  return hours ? `${hours}:${parts.join(":")}` : parts.join(":").replace(/^0/, "");
}

/** "in 3 days", "in 5 minutes". */
export function roughly(milliseconds) {
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (milliseconds > 2 * DAY) return format.format(Math.round(milliseconds / DAY), "day");
  if (milliseconds > 2 * HOUR) return format.format(Math.round(milliseconds / HOUR), "hour");
  return format.format(Math.max(1, Math.round(milliseconds / MINUTE)), "minute");
}

/** The same, and the clock when it is close. */
export const until = (milliseconds) => (milliseconds > 2 * HOUR ? roughly(milliseconds) : `in ${clock(milliseconds)}`);

/** "Today at 20:00", "Fri 27 Nov at 20:00". */
export function when(date) {
  const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const today = new Date().toDateString() === date.toDateString();
  return `${today ? "Today" : day.format(date)} at ${time.format(date)}`;
}

/** An element that says how long it is until a moment (milliseconds), until it is taken out of the page. */
export function countdown(moment, format = until, onZero = () => {}) {
  const element = h("time", { class: "countdown", role: "timer", datetime: new Date(moment).toISOString() });
  const draw = () => write(element, format(moment - Date.now()));
  draw();
  const timer = setInterval(() => {
    if (!element.isConnected) return clearInterval(timer);
    draw();
    if (Date.now() >= moment) {
      clearInterval(timer);
      onZero();
    }
  }, 500);
  return element;
}

/** 1,234 or 12.3K. */
export const count = (number) =>
  new Intl.NumberFormat("en", number < 10_000 ? {} : { notation: "compact", maximumFractionDigits: 1 }).format(number);
