// Server-Sent Events (HTML Living Standard §9.2) read by fetch, because EventSource cannot send a token.
// Goes on where it stopped by Last-Event-ID, and tries again by itself until the server says a final no.
import { call, Problem } from "./api.js";
import { delay, pause } from "./backoff.js";

const SILENCE = 40_000;
const FINAL = new Set([400, 401, 402, 403, 404, 405, 410]);

/** Take a stream of text apart: yields {event, data, id} for every event. */
export async function* parse(reader, heard = () => {}) {
  const decoder = new TextDecoder();
  let rest = "";
  let event = { event: "message", data: [], id: null };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data.length) yield { ...event, data: event.data.join("\n") };
        event = { event: "message", data: [], id: null };
      } else if (!line.startsWith(":")) {
        const [, name, text] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
        if (name === "data") event.data.push(text ?? "");
        else if (name === "event") event.event = text ?? "message";
        else if (name === "id") event.id = text ?? "";
      }
    }
  }
}

/**
 * Follow a stream until `signal` aborts or the server refuses for good.
 *
 * `onEvent(name, data, id)` for each; `onState("open" | "lost" | "refused", problem)` as the connection goes.
 * When `isOver()` is true, the end of the stream is what was expected, and nothing is tried again.
 */
export async function follow(path, { onEvent, onState, isOver = () => false, signal }) {
  let last = null;
  for (let tries = 0; !signal.aborted; tries++) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener("abort", stop, { once: true });
    let watchdog = setTimeout(stop, SILENCE);
    let wait = 0;
    try {
      const headers = { Accept: "text/event-stream", ...(last === null ? {} : { "Last-Event-ID": last }) };
      const response = await call("GET", path, { headers, signal: attempt.signal });
      onState("open");
      const heard = () => {
        tries = 0;
        clearTimeout(watchdog);
        watchdog = setTimeout(stop, SILENCE);
      };
      for await (const { event, data, id } of parse(response.body.getReader(), heard)) {
        if (id !== null) last = id;
        onEvent(event, JSON.parse(data));
      }
      if (isOver()) return;
      onState("lost", new Problem(0, "stream-ended", "The connection to the server ended."));
    } catch (error) {
      if (signal.aborted || isOver()) return;
      if (error instanceof Problem && FINAL.has(error.status)) {
        onState("refused", error);
        return;
      }
      if (error instanceof Problem && error.retryAt) wait = error.retryAt - Date.now();
      onState("lost", error instanceof Problem ? error : new Problem(0, "unreachable", "The server went away."));
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", stop);
      attempt.abort();
    }
    await pause(delay(tries, wait), signal).catch(() => {});
  }
}
