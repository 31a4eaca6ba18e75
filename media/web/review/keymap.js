// What every key does on the reviewer's page; `?` lists them.
import { shortcut } from "../keys.js";
import { choicesOf } from "./actions.js";

/** Bind the keys. `view` has what belongs to the case that is shown: its evidence, its policy, its note. */
export function bindKeys(desk, view) {
  const bind = (key, what, act) => shortcut(key, what, () => act());
  bind("n", "Decide and go on; with no case open, take the next", () => desk.submit());
  bind("Enter", "Take the case that is shown; when it is yours, decide and go on", () => enter(desk));
  bind("j", "Next case of the list", () => desk.step(1));
  bind("k", "Previous case of the list", () => desk.step(-1));
  bind("]", "Next queue", () => turn(desk, 1));
  bind("[", "Previous queue", () => turn(desk, -1));
  bind("1", "1 to 9: choose an action, or choose it no more", () => choose(desk, 0));
  for (let digit = 2; digit <= 9; digit++) bind(String(digit), null, () => choose(desk, digit - 1));
  bind(" ", "Look at the evidence; then play and pause", () => view.evidence()?.press());
  bind(",", "5 seconds back", () => view.evidence()?.jump(-1));
  bind(".", "5 seconds on", () => view.evidence()?.jump(1));
  bind("<", "Slower", () => view.evidence()?.turn(-1));
  bind(">", "Faster", () => view.evidence()?.turn(1));
  bind("-", "Quieter", () => view.evidence()?.raise(-1));
  bind("+", "Louder", () => view.evidence()?.raise(1));
  bind("b", "Show covered words", () => view.evidence()?.uncover());
  bind("z", "Take the last decision back, within 10 seconds", () => desk.undo());
  bind("h", "Hold the case, or go on with one that is held", () => desk.hold());
  bind("e", "Escalate: a senior reviewer decides", () => desk.escalate());
  bind("r", "Put the case back into its queue", () => desk.release());
  bind("m", "Write a note; Escape leaves it", () => view.writeNote());
  bind("v", "Show the statement that the person would get", () => view.preview());
  bind("p", "Show or hide the policy", () => view.togglePolicy());
}

function enter(desk) {
  const { shown } = desk.state;
  return shown && desk.take() === null ? desk.submit() : undefined;
}

function choose(desk, place) {
  const { shown } = desk.state;
  const found = shown && choicesOf(shown)[place];
  if (found) desk.toggle(found);
}

function turn(desk, by) {
  const names = desk.state.queues.map(({ name }) => name);
  const place = names.indexOf(desk.state.queue) + by;
  if (names[place]) desk.chooseQueue(names[place]);
}
