// Asking to speak: a place in the queue, which moves up while one waits.
import { del, get, post, space } from "./api.js";
import { attempt, toast } from "./say.js";
import { me } from "./token.js";

const PERIOD = 5_000;

export class Queue {
  #timer = null;

  constructor(room) {
    this.room = room;
  }

  /** Ask to speak; the answer comes as an event. */
  async ask() {
    const { room } = this;
    const request = await attempt(() => post(space(room.id, "requests")));
    if (!request) return;
    room.store.set({ request });
    if (request.status !== "queued") return;
    room.store.state.you = { ...room.store.state.you, standing: "requested" };
    toast(`Your request is in the queue, at place ${request.position}${waitOf(request)}.`);
    this.#watch();
  }

  withdraw() {
    return attempt(() => del(space(this.room.id, "requests", "me")));
  }

  close() {
    clearInterval(this.#timer);
  }

  /** Keep the place up to date while one waits: those before one go, and nobody is told of it. */
  #watch() {
    const { store, id } = this.room;
    clearInterval(this.#timer);
    this.#timer = setInterval(async () => {
      if (store.state.you.standing !== "requested") return clearInterval(this.#timer);
      const { data } = await get(space(id, "requests")).catch(() => ({ data: [] }));
      const request = data.find((one) => one.user_id === me());
      if (request) store.set({ request });
    }, PERIOD);
  }
}

/** How long the queue may take, where the server knows. */
export function waitOf({ estimated_wait_seconds: seconds }) {
  if (!seconds) return "";
  return seconds < 90 ? ", about a minute" : `, about ${Math.round(seconds / 60)} minutes`;
}
