// The evidence of a case: words and loudness first, the sound when it is asked for, each with the reviewer's reason.
import { call, get } from "../api.js";
import { button, h, show, write } from "../dom.js";
import { attempt } from "../say.js";
import { caseAt, isMine } from "./desk.js";
import { Player } from "./player.js";
import { reasonFor } from "./reason.js";
import { uncoverAll, wordsView } from "./words.js";
import { waveformView } from "./waveform.js";

const JUMP = 5_000;

/** The panel of a case: its element, and what keys do to it. */
export function evidenceView(desk, one) {
  const open = button("Look at the evidence", () => press(), { class: "plain" }, h("kbd", { text: "Space" }), "Look at the evidence");
  const hint = h("p", { class: "dim", text: "Words come first, then the sound, quietly. Every look is written down with its reason." });
  const told = h("p", { class: "problem", role: "alert" });
  const play = button("Play", () => press(), { class: "plain small" }, h("kbd", { text: "Space" }), h("span", { text: "Play" }));
  const state = h("small", { class: "player-state", role: "status" });
  const controls = h("div", { class: "row wrap", hidden: true }, play, state);
  const place = h("div", { class: "stack" });
  const element = h("section", { class: "card evidence", "aria-label": "Evidence" }, h("h2", { text: "Evidence" }), hint, open, told, place, controls);
  const player = new Player(loadClip, draw);
  controls.append(player.audio);
  let views = null;
  let start = one.clip.start_ms;
  let busy = false;

  const ask = async (part) => `${caseAt(one.id, part)}?${new URLSearchParams({ reason: await reasonFor(one) })}`;

  async function loadClip() {
    const response = await call("GET", await ask("clip"));
    return response.blob();
  }

  async function load() {
    if ((await reasonFor(one)) === null) return;
    const [words, wave] = await Promise.all([get(await ask("words")), get(await ask("waveform"))]);
    const moments = one.reports.map(({ moment_ms: moment }) => moment);
    const { range, step_ms: stepMs, levels } = wave.data;
    start = range.start_ms;
    const clip = { startMs: start, endMs: range.end_ms, stepMs, levels, spurts: words.data.spurts, moments };
    views = [wordsView(words.data.lines, go), waveformView(clip, go)];
    place.replaceChildren(views[1].element, views[0].element);
    show(open, false);
    show(hint, false);
    show(controls, true);
    draw();
  }

  /** Do one thing at a time; what the server refuses stands in the panel. */
  async function doing(act) {
    if (busy) return;
    busy = true;
    write(told, "");
    try {
      await act();
    } catch (error) {
      if (error.name === "AbortError") return;
      write(told, error.message);
      if (!("slug" in error)) await attempt(() => Promise.reject(error));
    } finally {
      busy = false;
    }
  }

  function press() {
    if (!isMine(desk.state.shown)) return write(told, "Take the case first: Enter.");
    return doing(() => (views === null ? load() : player.toggle()));
  }

  /** Go to a moment, in milliseconds since the Space started. */
  function go(ms) {
    return doing(() => player.seek(ms - start));
  }

  function draw() {
    const at = start + player.at;
    for (const view of views ?? []) view.draw(at);
    write(play.lastChild, player.playing ? "Pause" : "Play");
    write(state, `${player.decibels} dB · ${player.audio.playbackRate}×`);
  }

  return {
    element,
    press,
    jump: (by) => views !== null && player.loaded && go(start + player.at + by * JUMP),
    turn: (by) => views !== null && player.turn(by),
    raise: (by) => views !== null && player.raise(by),
    uncover: () => uncoverAll(element.parentElement),
    close: () => player.close(),
  };
}
