// Being reminded of a Space that is scheduled: by the server, or by one's own calendar.
import { del, get, put, space } from "./api.js";
import { button, h, write } from "./dom.js";
import { download } from "./download.js";
import { icon } from "./icons.js";
import { canPush, subscribe } from "./push.js";
import { attempt, toast } from "./say.js";

const path = (id) => `/users/me/reminders/${encodeURIComponent(id)}`;

/** A switch: be reminded or not. */
export function reminder(id) {
  const words = h("span", { text: "Remind me" });
  const element = button("", toggle, { class: "plain remind", "aria-pressed": "false" }, icon("bell"), words);
  const isOn = () => element.getAttribute("aria-pressed") === "true";
  const set = (on) => {
    element.setAttribute("aria-pressed", String(on));
    write(words, on ? "You will be reminded" : "Remind me");
  };
  read();

  async function read() {
    const { data } = await get("/users/me/reminders?limit=100").catch(() => ({ data: [] }));
    set(data.some((one) => one.space.id === id));
  }
  async function toggle() {
    const on = !isOn();
    if (!(await attempt(() => (on ? put : del)(path(id)).then(() => true)))) return;
    set(on);
    if (on) tellWhen();
    else toast("You are not reminded.");
  }
  return element;
}

/** Say when one is reminded, and offer that it comes when the page is closed, too. */
function tellWhen() {
  const also = () => attempt(() => subscribe().then(() => toast("You are reminded here, open or closed.")));
  const action = canPush() ? { label: "Also when the page is closed", act: also } : null;
  toast("You are reminded half an hour before, and when it starts.", "note", action);
}

/** A button that gives the Space as a file to one's own calendar. */
export function toCalendar(id) {
  return button("", () => download(space(id, "calendar.ics"), `space-${id}.ics`), { class: "plain" }, icon("calendar"), "Add to calendar");
}
