// What a reviewer has before them, and what they do with it: no element is made here.
import { ask, del, get, post, Problem } from "../api.js";
import { attempt, say, toast } from "../say.js";
import { createStore } from "../store.js";
import { me } from "../token.js";

const MOST = 50;
const NONE = "no violation";
const ROOT = "/2/moderation";

/** The address of a case, or of something in it. */
export const caseAt = (id, ...parts) => [ROOT, "cases", id, ...parts].join("/");

/** Whether somebody may decide a case now: it is theirs, under a lease. */
export const isMine = (one) => one !== null && one.reviewer === me() && one.state === "claimed";

const fresh = () => ({
  queue: "all",
  queues: [],
  cases: [],
  more: null,
  selected: null,
  shown: null,
  chosen: new Set(),
  undo: null,
  problem: null,
});

/** Queues, the cases of one of them, the case that is shown, and the decision that is being made. */
export class Desk {
  store = createStore(fresh());
  #drafts = new Map();
  #busy = false;

  get state() {
    return this.store.state;
  }

  /** What a reviewer writes about a case, until it is sent. */
  draft(id) {
    return this.#drafts.get(id) ?? "";
  }

  setDraft(id, text) {
    this.#drafts.set(id, text);
  }

  startAnew() {
    this.store.set(fresh());
    this.#drafts.clear();
    this.load();
  }

  /** Read how much there is to do, and the first cases of the queue. */
  async load() {
    if (!me()) return;
    try {
      const query = new URLSearchParams({ queue: this.state.queue, max_results: MOST });
      const [queues, list] = await Promise.all([get(`${ROOT}/queues`), get(`${ROOT}/cases?${query}`)]);
      this.store.set({ queues: queues.data, cases: list.data, more: list.meta.next_token, problem: null });
      await this.#checkLease(list.data);
    } catch (error) {
      this.store.set({ problem: error.message });
    }
  }

  /** Notice that the case went to somebody else, or that nobody was there until its lease ran out. */
  async #checkLease(cases) {
    const { shown } = this.state;
    if (!isMine(shown) || this.#busy) return;
    const seen = cases.find(({ id }) => id === shown.id);
    const doubt = seen ? !isMine(seen) : Date.now() > Date.parse(shown.lease_until);
    if (doubt && !(await this.#stillMine(shown.id))) this.lose(shown.id, `Case ${shown.id} is not yours any more.`, false);
  }

  chooseQueue(name) {
    this.store.set({ queue: name });
    return this.load();
  }

  /** Go to the next (1) or the previous (-1) case of the list, and look at it. */
  async step(by) {
    const { cases, selected, more } = this.state;
    const place = cases.findIndex(({ id }) => id === selected) + by;
    if (place >= cases.length && more) await this.#loadMore();
    const found = this.state.cases[place < 0 && selected === null ? 0 : place];
    if (found) await this.look(found.id);
  }

  async #loadMore() {
    const query = new URLSearchParams({ queue: this.state.queue, max_results: MOST, pagination_token: this.state.more });
    const list = await attempt(() => get(`${ROOT}/cases?${query}`));
    if (list) this.store.set({ cases: [...this.state.cases, ...list.data], more: list.meta.next_token });
  }

  /** Show a case, without taking it. */
  async look(id) {
    this.store.set({ selected: id });
    const found = await attempt(() => get(caseAt(id)));
    if (found && this.state.selected === id) this.#show(found.data);
  }

  #show(one) {
    const stays = this.state.shown?.id === one.id;
    this.store.set({ shown: one, selected: one.id, ...(stays ? {} : { chosen: new Set() }) });
  }

  /** Take the case that is shown; on with it, if it is held. */
  take() {
    const one = this.state.shown;
    if (one === null || isMine(one)) return null;
    if (one.reviewer === me() && one.state === "held") return this.#act(() => post(caseAt(one.id, "resume")), () => this.look(one.id));
    const { space_id, user_id } = one.subject;
    return this.#claim({ space_id, ...(user_id && { user_id }), categories: [one.category] });
  }

  /** Go on: with a case that is one's own already, else with the next of the queue. */
  async next() {
    const mine = this.state.cases.find((one) => isMine(one) && one.id !== this.state.shown?.id);
    if (mine) await this.look(mine.id);
    if (!mine || !isMine(this.state.shown)) await this.#claim({ queue: this.state.queue });
  }

  async #claim(search) {
    const found = await attempt(() => post(`${ROOT}/claims`, search));
    if (found === undefined) return;
    if (found === null) {
      this.store.set(isMine(this.state.shown) ? {} : { shown: null, selected: null });
      toast("No case waits for you in this queue.");
    } else {
      this.#show(found.data);
      say(`Case ${found.data.id}: ${found.data.category}, severity ${found.data.severity}.`);
    }
    await this.load();
  }

  /** Choose an action or choose it no more; "no violation" goes with no other, and an answer stands alone. */
  toggle(action) {
    if (!isMine(this.state.shown)) return;
    const alone = action === NONE || this.state.shown.is_appeal;
    const chosen = new Set(alone ? [] : this.state.chosen);
    if (this.state.chosen.has(action)) chosen.delete(action);
    else chosen.add(action);
    if (!alone) chosen.delete(NONE);
    this.store.set({ chosen });
    say(`${action}: ${chosen.has(action) ? "chosen" : "not chosen"}`);
  }

  /** Send what was chosen and go on; with nothing chosen, go on if nothing is open. */
  async submit() {
    const { shown, chosen } = this.state;
    if (!isMine(shown)) return this.next();
    if (chosen.size === 0) return toast("Choose what to do first: the keys 1 to 9.");
    const note = this.draft(shown.id);
    const send = shown.is_appeal
      ? () => post(caseAt(shown.id, "answer"), { outcome: [...chosen][0], reasons: note })
      : () => post(caseAt(shown.id, "decision"), { actions: [...chosen], note });
    return this.#act(send, async (answer) => {
      const { effects = [], undo_until: until } = answer.data;
      this.#tell(shown, effects);
      if (until) this.store.set({ undo: { id: shown.id, until: Date.parse(until), text: [...chosen].join(", ") } });
      this.#close();
      await this.load();
      await this.next();
    });
  }

  /** Take the last decision back, while that is possible; the case is one's own again. */
  undo() {
    const { undo } = this.state;
    if (undo === null) return toast("There is no decision that can be taken back.");
    return this.#act(() => del(caseAt(undo.id, "decision")), async (answer) => {
      this.store.set({ undo: null });
      this.#tell(undo, answer.data.effects, "Taken back");
      await this.look(undo.id);
      this.store.set({ chosen: new Set() });
    });
  }

  #tell({ id }, effects, what = "Decided") {
    const failed = effects.filter(({ done }) => !done);
    if (failed.length === 0) toast(`${what}: case ${id}.`);
    for (const { detail } of failed) toast(detail, "bad");
  }

  /** Keep the case without a lease; if it is held already, go on with it. */
  hold() {
    const { shown } = this.state;
    if (!isMine(shown)) return this.take();
    return this.#act(() => post(caseAt(shown.id, "hold")), () => this.look(shown.id));
  }

  escalate() {
    return this.#leave((id) => post(caseAt(id, "escalate"), { note: this.draft(id) }), "It is a senior reviewer's now.");
  }

  release() {
    return this.#leave((id) => del(caseAt(id, "lease")), "The case is in its queue again.");
  }

  #leave(send, text) {
    const { shown } = this.state;
    if (!isMine(shown)) return toast("Take the case first: Enter.");
    return this.#act(() => send(shown.id), async () => {
      toast(text);
      this.#close();
      await this.load();
    });
  }

  /** Write what is in the note into the timeline. */
  remark() {
    const { shown } = this.state;
    const text = this.draft(shown.id).trim();
    if (!text) return toast("Write something first.");
    return this.#act(() => post(caseAt(shown.id, "notes"), { text }), () => {
      this.setDraft(shown.id, "");
      return this.look(shown.id);
    });
  }

  /** Begin the lease anew. */
  async extend() {
    const { shown } = this.state;
    const found = await this.#guarded(() => ask("PUT", caseAt(shown.id, "lease")));
    if (found && this.state.shown?.id === shown.id) this.store.set({ shown: { ...this.state.shown, ...found.data } });
  }

  /** The case is not one's own any more: say so, and go on if somebody is there to. */
  lose(id, sentence, isThere = true) {
    if (this.state.shown?.id !== id) return null;
    toast(sentence, "bad");
    this.#close();
    return isThere ? this.next() : this.load();
  }

  #close() {
    const cases = this.state.cases.filter(({ id }) => id !== this.state.shown?.id); // until they are read again
    this.store.set({ shown: null, selected: null, chosen: new Set(), cases });
  }

  /** Do one thing at a time, so that a key pressed twice decides one case. */
  async #act(send, then) {
    if (this.#busy) return;
    this.#busy = true;
    let answer;
    try {
      answer = await this.#guarded(send);
    } finally {
      this.#busy = false;
    }
    if (answer !== undefined) await then(answer);
  }

  /** Returns undefined when the server refused, of which the reviewer is told. */
  async #guarded(send) {
    const { shown } = this.state;
    try {
      return await send();
    } catch (error) {
      const refused = error instanceof Problem && [404, 409].includes(error.status);
      if (refused && isMine(shown) && !(await this.#stillMine(shown.id))) this.lose(shown.id, error.message);
      else await attempt(() => Promise.reject(error));
      return undefined;
    }
  }

  async #stillMine(id) {
    const found = await get(caseAt(id)).catch(() => null);
    return found !== null && isMine(found.data);
  }
}
