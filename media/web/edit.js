// Change what a Space says of itself, or call it off: the host's, before it starts and while it is live.
import { patch, post, space } from "./api.js";
import { details, timeOfStart } from "./details.js";
import { h, set, write } from "./dom.js";
import { attempt, toast } from "./say.js";
import { confirm, sheet } from "./sheet.js";

/** Ask what is to be different, and change it; people are told by the Space's events. */
export function openEdit(room) {
  const { space: of } = room.store.state;
  const about = details(of);
  const start = of.state === "live" || of.is_ticketed ? null : timeOfStart(of);
  const problem = h("p", { class: "problem", role: "alert" });
  const send = h("button", { class: "primary", type: "submit" }, "Save");
  const fixed = of.state !== "live" && of.is_ticketed && h("p", { class: "dim", text: "Tickets are on sale, so the time stays." });
  const form = h(
    "form",
    { class: "stack", on: { submit: save } },
    ...about.elements,
    start?.element ?? fixed,
    problem,
    h("div", { class: "row end" }, send),
  );
  const dialog = sheet("Change the Space", form);

  async function save(event) {
    event.preventDefault();
    set(send, { disabled: true });
    write(problem, "");
    try {
      const time = start && moved(start.read(), of) ? { scheduled_start: start.read() } : {};
      await patch(space(room.id), { ...(await about.read()), ...time });
      dialog.close();
      toast("The Space is changed.");
    } catch (error) {
      write(problem, error.message);
      set(send, { disabled: false });
    }
  }
}

/** Whether a time is another minute than that of a Space. */
const moved = (time, of) => time.slice(0, 16) !== new Date(of.scheduled_start ?? 0).toISOString().slice(0, 16);

/** Call a Space off, after asking: nothing undoes it. */
export function askCancel(room) {
  const refund = room.store.state.space.is_ticketed ? ", and every ticket is refunded" : "";
  confirm("Call it off?", `Everyone who wanted to be reminded is told${refund}. It cannot be scheduled again.`, "Call it off", () =>
    attempt(() => post(space(room.id, "cancel"))),
  );
}
