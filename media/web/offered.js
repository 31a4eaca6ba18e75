// A token that came in the address: taken only when the server has taken it, and, from somebody who is signed in as
// another, only when they agree. Who makes a link decides for nobody as whom they act.
import { whoIs } from "./api.js";
import { button, h } from "./dom.js";
import { toast } from "./say.js";
import { sheet } from "./sheet.js";
import { endOf, endsAt, me, refreshToken, signIn, subjectOf } from "./token.js";

/** Do what is right about an offer of findToken: {token, refresh}, or null. */
export async function settle(offer) {
  if (!offer) return;
  const id = subjectOf(offer.token);
  let name;
  try {
    name = await whoIs(offer.token);
  } catch (problem) {
    if (problem.status !== 403) {
      toast(`The sign-in of this link was not used. ${problem.message}`, "bad", { label: "Try again", act: () => settle(offer) });
      return;
    }
    name = id; // the token is right, and its account suspended, of which the page tells
  }
  if (me() === null) signIn(offer.token, { refresh: offer.refresh, remember: false });
  else if (me() === id) renew(offer);
  else await ask(offer, name, id);
}

/** Of two tokens for the same user, keep the one that lasts longer. */
function renew({ token, refresh }) {
  if (endOf(token) > endsAt() && !(refreshToken() && !refresh)) signIn(token, { refresh: refresh ?? refreshToken() });
}

/** Ask somebody who is signed in whether to act as somebody else, with both names. */
async function ask({ token, refresh }, name, id) {
  const mine = await nameOfMe();
  const take = () => {
    dialog.close();
    signIn(token, { refresh, remember: false });
    toast(`In this tab you are ${name} now.`);
  };
  const dialog = sheet(
    "Another account?",
    h("p", {}, "You are signed in as ", h("strong", { text: labelOf(mine, me()) }), ". This link signs you in as ", h("strong", { text: labelOf(name, id) }), "."),
    h("p", { class: "dim", text: "What you do then, you do as that account. It is for this tab; who is remembered on this device stays so." }),
    h(
      "div",
      { class: "row end wrap" },
      button(`Stay ${mine}`, () => dialog.close(), { class: "primary", autofocus: true }),
      button(`Go on as ${name}`, take, { class: "plain" }),
    ),
  );
}

const nameOfMe = () => whoIs().catch(() => me());
const labelOf = (name, id) => (name === id ? name : `${name} (${id})`);
