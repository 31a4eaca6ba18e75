// A room: its events, its sound and what one does in it, put together. Views draw what its store holds.
import { del, post, space } from "./api.js";
import * as ear from "./ear.js";
import { follow } from "./events.js";
import { chime, Meter } from "./level.js";
import { Line } from "./line.js";
import { Microphone, whyNot } from "./microphone.js";
import { onNames } from "./people.js";
import { Queue } from "./queue.js";
import { attempt, say, sayNow } from "./say.js";
import { blank, isLive, isOpen, onStage, reduce } from "./state.js";
import { createStore } from "./store.js";
import { tellOwn, tellStage } from "./tell.js";
import { me } from "./token.js";

const METERED = 120;
const OUT = new Set([402, 403, 404]); // who may not follow a Space may not be in it either
const JOINED = "spaces.joined";

/** The secret of the invitation link by which one came, or null. */
const invitation = () => new URLSearchParams(location.hash.slice(1)).get("invitation");

export class Room {
  store = createStore(blank());
  microphone = new Microphone();
  #abort = new AbortController();
  #meter = null;
  #timer = null;
  #opening = null;

  /** `source` is what brought the person: bubble, search, link, notification or direct. */
  constructor(id, source) {
    this.id = id;
    this.queue = new Queue(this);
    this.line = new Line(id, {
      source,
      onState: (line) => this.#hearOfLine(line),
      onSound: (stream) => this.#hear(stream),
    });
    this.endNames = onNames(() => this.store.touch());
  }

  /** Follow the Space, and come back into it if this tab was in it before. */
  open() {
    const wasIn = sessionStorage.getItem(JOINED) === this.id;
    const code = invitation();
    const query = code && me() ? `?${new URLSearchParams({ invitation: code })}` : "";
    follow(space(this.id, "events") + query, {
      signal: this.#abort.signal,
      isOver: () => ["ended", "canceled"].includes(this.store.state.space?.state),
      onState: (stream, problem = null) => this.#hearOfStream(stream, problem),
      onEvent: (name, data) => this.#take(name, data),
    });
    if (wasIn) this.join();
  }

  /** Take the seat that the link gives by which one came, once. */
  async #followLink() {
    const code = invitation();
    if (!code || !me()) return;
    history.replaceState(history.state, "", location.pathname);
    await attempt(() => post(space(this.id, "invitation-links", code, "accept")));
  }

  /** Come in and hear; to be called in a gesture, for browsers that ask for one. */
  join() {
    sessionStorage.setItem(JOINED, this.id);
    this.store.set({ joined: true });
    this.#followLink();
    this.#fit();
  }

  /** Go, and give up what one is here; a host only stops being connected. */
  async leave() {
    sessionStorage.removeItem(JOINED);
    const { you, joined } = this.store.state;
    this.store.set({ joined: false });
    this.#silence();
    if (me() && joined && !["host", "outside", "removed"].includes(you.standing)) {
      await del(space(this.id, "participants", "me")).catch(() => {});
    }
  }

  /** Put everything away; the person goes to another page. */
  close() {
    this.#abort.abort();
    this.endNames();
    this.queue.close();
    this.#silence();
  }

  /** Try everything again now. */
  retry() {
    if (this.store.state.stream === "refused") {
      this.store.set({ stream: "connecting", streamProblem: null });
      this.#abort.abort();
      this.#abort = new AbortController();
      this.open();
    } else if (this.store.state.joined) {
      this.line.retry();
    }
  }

  /** Mute oneself or not; silence is at once, sound when the server has agreed. */
  async toggleMute() {
    const { state } = this.store;
    if (!onStage(state)) return;
    if (state.you.muted_by_admin) {
      sayNow("An admin has muted you; only they can lift it.");
      return;
    }
    if (!this.microphone.track && !(await this.openMicrophone())) return;
    const open = isOpen(state);
    if (open) this.microphone.live = false;
    const you = await attempt(() => post(space(this.id, "participants", "me", open ? "mute" : "unmute")));
    if (you) this.learn(you);
    else this.microphone.live = isOpen(this.store.state);
  }

  /** Take from an answer where one stands, before the event says so too. */
  learn(you) {
    this.#take("you", you);
  }

  async answerInvitation(yes) {
    await attempt(() => post(space(this.id, "invitations", "me", yes ? "accept" : "decline")));
  }

  stepDown() {
    return attempt(() => post(space(this.id, "participants", "me", "step-down")));
  }

  /** Open the microphone, or say why not. */
  async openMicrophone() {
    this.#opening ??= this.microphone
      .open(() => this.#lostMicrophone())
      .then(() => {
        this.store.set({ microphone: null });
        this.#measure();
        return true;
      })
      .catch((error) => {
        this.store.set({ microphone: whyNot(error) });
        sayNow(whyNot(error));
        return false;
      })
      .finally(() => (this.#opening = null));
    const opened = await this.#opening;
    if (this.line.wanted === "whip") this.line.want("whip", this.microphone.track);
    this.microphone.live = isOpen(this.store.state) && onStage(this.store.state);
    return opened;
  }

  /** Open the microphone again, as after a setting of it was changed. */
  async reopenMicrophone() {
    if (!this.microphone.track) return;
    this.#closeMicrophone();
    await this.openMicrophone();
    this.#fit();
  }

  #hearOfStream(stream, streamProblem) {
    const { stream: before } = this.store.state;
    this.store.set({ stream, streamProblem });
    if (stream === "refused" && OUT.has(streamProblem.status)) {
      this.store.set({ joined: false });
      this.#silence();
    }
    if (stream === "open" && before === "lost") this.line.wake();
  }

  #take(name, data) {
    const { state } = this.store;
    const before = { you: state.you, stage: state.stage };
    this.store.set(reduce(state, name, data));
    if (name === "you") tellOwn(before.you, state.you);
    if (name === "stage") tellStage(before.stage, state.stage);
    if (["you", "space", "ended"].includes(name)) this.#fit();
    if (name === "ended") say("The Space has ended.");
  }

  /** Have the connection and the microphone that one's standing calls for. */
  async #fit() {
    const { state } = this.store;
    const here = state.joined && isLive(state) && state.you.standing !== "removed";
    if (here && me() && !state.known) return; // where one stands comes right after what the Space is
    this.microphone.live = isOpen(state) && onStage(state);
    if (!here) {
      if (state.joined && state.space && !isLive(state)) this.#silence();
      else if (state.you.standing === "removed") this.#silence();
      return;
    }
    if (!onStage(state)) {
      this.line.want("whep");
      this.#closeMicrophone();
      return;
    }
    if (!this.microphone.track) await this.openMicrophone();
    if (onStage(state) && state.joined) this.line.want("whip", this.microphone.track);
    this.microphone.live = isOpen(state) && onStage(state);
  }

  async #hear(stream) {
    const heard = await ear.play(stream);
    this.store.set({ heard });
  }

  /** Play what the browser would not play by itself; in a gesture. */
  async unblock() {
    this.store.set({ heard: await ear.resume() });
  }

  #hearOfLine(line) {
    const { phase: before } = this.store.state.line;
    this.store.set({ line });
    if (line.phase === "connected") {
      if (before === "connecting" && this.wasLost) chime(true);
      say(this.wasLost ? "The sound is back." : "You are connected.");
      this.wasLost = false;
    } else if (line.phase === "waiting" && !this.wasLost) {
      this.wasLost = true;
      chime(false);
      sayNow("The sound was lost. Connecting again.");
    } else if (line.phase === "refused") {
      sayNow(line.problem.message);
    }
  }

  #measure() {
    this.#meter?.close();
    clearInterval(this.#timer);
    this.#meter = new Meter(this.microphone.stream);
    this.#timer = setInterval(() => {
      const open = isOpen(this.store.state);
      const level = open ? this.#meter.read() : -127;
      if (level !== this.store.state.ownLevel) this.store.set({ ownLevel: level });
    }, METERED);
  }

  #closeMicrophone() {
    clearInterval(this.#timer);
    this.#meter?.close();
    this.#meter = null;
    this.microphone.close();
    this.store.set({ ownLevel: undefined, microphone: null });
  }

  #lostMicrophone() {
    this.#closeMicrophone();
    this.store.set({ microphone: "The microphone was taken away. Plug it in, then try again." });
    this.line.want("whip", null);
  }

  #silence() {
    this.line.want(null);
    ear.stop();
    this.#closeMicrophone();
  }
}
