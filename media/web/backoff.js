// When to try again: twice as late each time, and never all at the same moment.

const FIRST = 500;
const LONGEST = 15_000;

/**
 * Milliseconds until the next try, the first one being number 0: between half and all of a time that doubles.
 * Where the server asked for a time by Retry-After (`least`), it is that, and up to half as much again.
 */
export function delay(tries, least = 0, random = Math.random) {
  if (least > 0) return least * (1 + random() / 2);
  return Math.min(LONGEST, FIRST * 2 ** tries) * (0.5 + random() / 2);
}

/** Wait some milliseconds, or until the browser is online again, or until a signal aborts (then it throws). */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const stop = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      reject(signal.reason);
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
