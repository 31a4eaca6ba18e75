// News of one's own, while the list is open: who is live whom one follows, invitations, answers and reminders.
// In a room its own stream says all that matters, and a browser has only six connections to a server.
import { follow } from "./events.js";
import { nameOf } from "./people.js";
import { toast } from "./say.js";
import { when as whenOf } from "./time.js";
import { me } from "./token.js";

const NEWS = {
  invited: ({ by, title, role }) => `${nameOf(by)} invites you ${INTO[role] ?? "to speak"}: ${title || "a Space"}`,
  reminder: ({ title, when, scheduled_start: start }) => `${title || "A Space"} ${STARTS[when]?.(start) ?? "starts soon"}`,
  ticket: ({ title, state }) => TICKET[state] && `${TICKET[state]} ${title || "a Space"}`,
  canceled: ({ title }) => `${title || "A Space"} was canceled`,
  request: ({ title, status }) => `Your request in ${title || "a Space"} was ${status}`,
};
const STARTS = {
  soon: () => "starts in half an hour",
  start: () => "starts now",
  moved: (start) => `starts at another time: ${start ? whenOf(new Date(start)) : "not known yet"}`,
};
const TICKET = {
  paid: "You have a ticket to",
  declined: "Your payment was declined for",
  expired: "Your ticket was not paid in time:",
  refunded: "Your ticket was refunded:",
};
const INTO = { listener: "to listen", cohost: "to co-host" };

/** Follow one's news until the function that is returned is called; `onChange` when lists are to be read anew. */
export function followNews({ go, onChange }) {
  if (!me()) return () => {};
  const end = new AbortController();
  follow("/users/me/events", {
    signal: end.signal,
    onState: () => {},
    onEvent(name, data) {
      if (name === "bubble" || (name === "ready" && !data.resumed)) onChange();
      const text = NEWS[name]?.(data);
      if (!text) return;
      onChange();
      toast(text, "note", name === "canceled" ? null : { label: "Go there", act: () => go(`/s/${data.space_id}`, { source: "notification" }) });
    },
  });
  return () => end.abort();
}
