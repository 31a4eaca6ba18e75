// Tickets: what one costs, buying it, and what is told before and after; for the host what is sold, and earned.
import { del, get, post, put, space } from "./api.js";
import { button, h, keyed, set, write } from "./dom.js";
import { icon } from "./icons.js";
import { attempt, toast } from "./say.js";
import { offerFields } from "./offer.js";
import { field, sheet } from "./sheet.js";
import { count, when } from "./time.js";

const PERIOD = 700;
const PATIENCE = 30_000;

/** 5 or 7.50 dollars, of a number of cents. */
export const dollars = (cents) => `$${(cents / 100).toFixed(cents % 100 ? 2 : 0)}`;

/** What the card of a Space says of tickets, or null; `tag` is what the list knows of them, `mine` whether one hosts it. */
export function ticketWords(tag, mine) {
  if (!tag) return null;
  const price = `Ticket ${dollars(tag.price_cents)}`;
  if (mine) return tag.available ? price : `${price}, sold out`;
  if (!tag.needed) return "You need no ticket";
  if (tag.yours) return HAVE[tag.yours].slice(0, -1);
  return tag.available ? price : "Sold out";
}

const offerOf = (id) => get(space(id, "tickets")).catch(() => null);

/** The ticket of one's own to a Space: paid, or being paid for; null if there is none. */
async function ownTicket(id) {
  const { data } = await get("/users/me/tickets?limit=100").catch(() => ({ data: [] }));
  return data.find((one) => one.space_id === id && ["paid", "pending"].includes(one.state)) ?? null;
}

/** What stands where a Space asks for a ticket: its title and time, the price, and a button that buys one. */
export function ticketView(room, { compact = false } = {}) {
  const about = h("p", { class: "dim" });
  const buy = button("", () => openPurchase(room, bought), { class: "primary", hidden: true }, icon("ticket"), h("span", {}));
  const view = h("div", { class: `buying row wrap ${compact ? "compact" : ""}` }, buy, about);
  const bought = () => (compact ? read() : room.retry());
  read();

  async function read() {
    const [of, offer, own] = await Promise.all([get(space(room.id)).catch(() => null), offerOf(room.id), ownTicket(room.id)]);
    if (!compact) room.store.set({ preview: of });
    const open = Boolean(offer?.on_sale) && !own;
    set(buy, { hidden: !open });
    if (offer) write(buy.lastChild, `Buy a ticket for ${dollars(offer.price_cents)}`);
    const words = [compact ? null : timeOf(of), own ? HAVE[own.state] : leftOf(offer)].filter(Boolean).join(" · ");
    write(about, words.charAt(0).toUpperCase() + words.slice(1));
  }
  return view;
}

const HAVE = { paid: "You have a ticket.", pending: "Your ticket is being paid for." };

function timeOf(of) {
  if (of?.state === "live") return "live now";
  return of?.scheduled_start ? when(new Date(of.scheduled_start)) : null;
}

function leftOf(offer) {
  if (!offer) return null;
  if (!offer.available) return "sold out";
  return offer.on_sale ? `${count(offer.available)} left` : "not on sale";
}

/** Ask how to pay, and pay; `done` is called when one has a ticket. */
async function openPurchase(room, done) {
  const offer = await attempt(() => get(space(room.id, "tickets")));
  if (!offer) return;
  const card = h("input", { required: true, autocomplete: "off", inputmode: "numeric", minlength: 4, maxlength: 64, autofocus: true });
  const problem = h("p", { class: "problem", role: "alert" });
  const pay = h("button", { class: "primary", type: "submit" }, `Pay ${dollars(offer.price_cents)}`);
  const form = h(
    "form",
    { class: "stack", on: { submit } },
    h("p", { text: "If the Space is called off you get everything back. A Space that took place is not refunded." }),
    field("Card", card, "No real money moves here: 4242424242424242 pays, 4000000000000002 is declined."),
    problem,
    h("div", { class: "row end" }, pay),
  );
  const dialog = sheet("Buy a ticket", form);

  async function submit(event) {
    event.preventDefault();
    set(pay, { disabled: true });
    write(problem, "");
    try {
      const method = card.value.replaceAll(" ", "");
      const ticket = await settled(await post(space(room.id, "tickets", "purchases"), { payment_method: method }));
      if (ticket.state !== "paid") throw new Error(WHY[ticket.state]?.(ticket) ?? "The payment did not come through.");
      dialog.close();
      toast("You have a ticket. It is yours on every device you sign in on.");
      done();
    } catch (error) {
      write(problem, error.message);
      set(pay, { disabled: false });
    }
  }
}

const WHY = {
  declined: ({ reason }) => `The card was declined${reason ? `: ${reason}` : ""}. Nothing was paid; try another one.`,
  expired: () => "The payment took too long, and the ticket is free again. Nothing was paid.",
  pending: () => "The payment is still under way; your ticket is kept, and you are told when it is yours.",
};

/** Wait until the provider has answered, for half a minute. */
async function settled(ticket) {
  const until = Date.now() + PATIENCE;
  while (ticket.state === "pending" && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, PERIOD));
    ticket = await get(`/users/me/tickets/${encodeURIComponent(ticket.id)}`);
  }
  return ticket;
}

/** The host's side: price and number, how many are sold, and what that earns. */
export async function openOffer(room) {
  const [offer, earned] = await Promise.all([offerOf(room.id), get("/users/me/payouts?limit=100").catch(() => null)]);
  if (!offer && earned?.payments === false) {
    sheet("Tickets", h("p", { text: "This server takes no payments, so no tickets can be sold." }));
    return;
  }
  const fields = offerFields(offer);
  const problem = h("p", { class: "problem", role: "alert" });
  const account = earned?.data.find((one) => one.space_id === room.id);
  const none = offer && !account?.sold ? button("Sell none", withdraw, { class: "plain" }) : null;
  const form = h(
    "form",
    { class: "stack", on: { submit } },
    account?.sold ? sales(account, earned) : h("p", { class: "dim", text: "Who has no ticket does not get in. A Space with tickets keeps its time." }),
    fields.element,
    problem,
    h("div", { class: "row end" }, none, h("button", { class: "primary", type: "submit" }, offer ? "Change" : "Sell tickets")),
  );
  const dialog = sheet("Tickets", form);

  const attemptHere = async (act) => {
    write(problem, "");
    try {
      const done = await act();
      dialog.close();
      toast(done);
    } catch (error) {
      write(problem, error.message);
    }
  };
  function submit(event) {
    event.preventDefault();
    attemptHere(async () => {
      const { price_cents: price } = await put(space(room.id, "tickets"), await fields.read());
      return `Tickets are on sale for ${dollars(price)}.`;
    });
  }
  function withdraw() {
    attemptHere(() => del(space(room.id, "tickets")).then(() => "The Space takes no tickets."));
  }
}

function sales(account, earned) {
  const list = h("dl", { class: "figures" });
  const rows = [
    ["Sold", count(account.sold)],
    ["Paid by people", dollars(account.gross_cents)],
    ["The store's fee", dollars(account.store_fee_cents)],
    ["You earn", dollars(account.creator_cents)],
    ["Your share of the next ticket", `${earned.share_percent} %`],
  ];
  keyed(list, rows, ([name]) => name, ([name, text]) => h("div", {}, h("dt", { text: name }), h("dd", { text })));
  return list;
}
