// What a host says of tickets, as fields of a form: price, number, and that they are of age where nobody has said so.
import { get, patch, post } from "./api.js";
import { h, set, show } from "./dom.js";
import { field } from "./sheet.js";
import { me } from "./token.js";

const PRICE_MOST = 999;

/** Whether this server takes payments. */
export const takesPayments = async () => (await get("/users/me/payouts").catch(() => null))?.payments ?? false;

/** Fields for tickets to be sold, or for those that are: {element, read}, which gives the body of a request. */
export function offerFields(offer = null) {
  const price = h("input", { type: "number", inputmode: "decimal", min: 1, max: PRICE_MOST, step: 0.01, required: true, value: offer ? offer.price_cents / 100 : 5 });
  const number = h("input", { type: "number", inputmode: "numeric", min: 1, step: 1, required: true, value: offer?.quantity ?? 100 });
  const adult = h("input", { type: "checkbox" });
  const age = h("label", { class: "check", hidden: true }, adult, " I am 18 or older");
  const pair = h("div", { class: "pair" }, field("Price in dollars", price, `1 to ${PRICE_MOST}; fixed once one is sold.`), field("How many", number));
  const element = h("fieldset", { class: "stack", "aria-label": "Tickets" }, pair, age);
  const profile = get(`/users/${encodeURIComponent(me())}`).catch(() => null);
  profile.then((user) => {
    show(age, !user?.adult);
    set(adult, { required: !user?.adult });
  });
  return {
    element,
    async read() {
      const user = await profile;
      if (adult.checked) await (user ? patch("/users/me", { adult: true }) : post("/users", { adult: true }));
      adult.checked = false; // said once
      set(adult, { required: false });
      return { price_cents: Math.round(100 * Number(price.value)), quantity: Number(number.value) };
    },
  };
}
