// The line to a Space: keeps one connection of the wanted kind, and makes another when it is lost.
// A role waits on the server for half a minute, so whoever is back in time is what they were.
import { Problem, space } from "./api.js";
import { Connection } from "./audio.js";
import { delay, pause } from "./backoff.js";

/** Refusals after which trying again by itself would change nothing. */
const FINAL = new Set(["removed", "blocked", "suspended", "no-token", "bad-token", "wrong-state", "not-live"]);
const ALSO_FINAL = new Set(["unknown-space", "not-eligible", "no-entry", "no-ticket", "bad-offer", "not-found"]);

export class Line {
  #spaceId;
  #wanted = null;
  #track = null;
  #connection = null;
  #running = null;
  #abort = new AbortController();
  #changed = Promise.withResolvers();

  /** `onState({phase, problem, retryAt})` with phase idle, connecting, connected, waiting or refused; `onSound(stream)`. */
  constructor(spaceId, { onState, onSound, source }) {
    this.source = source;
    this.#spaceId = spaceId;
    this.onState = onState;
    this.onSound = onSound;
  }

  get connection() {
    return this.#connection;
  }

  get wanted() {
    return this.#wanted;
  }

  /** Want a kind of connection: "whep", "whip" (with a microphone's track, or null), or null for none. */
  want(kind, track = null) {
    if (kind === this.#wanted && track === this.#track) return;
    if (kind === "whip" && this.#wanted === "whip" && this.#connection) {
      this.#track = track;
      this.#connection.replace(track);
      return;
    }
    this.#wanted = kind;
    this.#track = track;
    this.#again();
  }

  /** The server is back: see whether the connection outlived it, or try again at once. */
  wake() {
    if (this.#connection) this.#connection.check();
    else if (this.#wanted) this.#again();
  }

  /** Try again now, whatever was said before. */
  retry() {
    this.#again();
  }

  #again() {
    this.#abort.abort(new DOMException("changed", "AbortError"));
    this.#abort = new AbortController();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    this.#running = Promise.resolve(this.#running).then(() => this.#run(this.#abort.signal));
  }

  async #run(signal) {
    for (let tries = 0; !signal.aborted; tries++) {
      const before = this.#connection;
      if (!this.#wanted) {
        this.#connection = null;
        before?.close();
        this.onState({ phase: "idle" });
        return;
      }
      this.onState({ phase: "connecting", again: tries > 0 });
      const address = `${space(this.#spaceId, this.#wanted)}?source=${this.source}`;
      const next = new Connection(address, this.#wanted, this.#track, (stream) => (next.stream = stream));
      let problem;
      try {
        await next.open(signal);
        this.#connection = next;
        this.onSound(next.stream);
        before?.close();
        this.onState({ phase: "connected" });
        tries = 0;
        problem = await Promise.race([next.lost, this.#changed.promise]);
        if (signal.aborted) return;
        this.#connection = null;
        next.close();
      } catch (error) {
        next.close();
        if (signal.aborted) return;
        problem = error;
      }
      if (!(problem instanceof Problem)) {
        console.error(problem);
        problem = new Problem(0, "no-media", "This browser could not make the connection.");
      }
      if (FINAL.has(problem.slug) || ALSO_FINAL.has(problem.slug) || problem.slug === "no-right") {
        this.onState({ phase: "refused", problem });
        return;
      }
      const wait = delay(tries, problem.retryAt ? problem.retryAt - Date.now() : 0);
      this.onState({ phase: "waiting", problem, retryAt: Date.now() + wait });
      await pause(wait, signal).catch(() => {});
    }
  }
}
