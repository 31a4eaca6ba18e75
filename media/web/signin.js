// Signing in: a token is pasted, or came in the address. There are no passwords in a lab.
import { whoIs } from "./api.js";
import { avatar } from "./avatar.js";
import { button, h } from "./dom.js";
import { icon } from "./icons.js";
import { nameOf } from "./people.js";
import { toast } from "./say.js";
import { field, sheet } from "./sheet.js";
import { endsAt, me, onIdentity, signIn, signOut, subjectOf } from "./token.js";
import { when } from "./time.js";

/** The button at the top: who one is, or how to become somebody. */
export function account() {
  const place = h("div", { class: "account" });
  const draw = () => {
    const id = me();
    place.replaceChildren(
      id
        ? button(`Signed in as ${nameOf(id)}`, openAccount, { class: "round quiet" }, avatar(id, "small"))
        : button("Sign in", openSignIn, { class: "primary small" }),
    );
  };
  onIdentity(draw);
  draw();
  return place;
}

function openAccount() {
  const id = me();
  const dialog = sheet(
    nameOf(id),
    h("p", { class: "dim", text: `Signed in as ${id}, with a token of this server${until()}.` }),
    h("p", { class: "dim", text: "Sound that is on goes on when a token ends, and can be ended; for all else, sign in again." }),
    h(
      "div",
      { class: "row end" },
      button("Sign out", () => (dialog.close(), signOut(), toast("Signed out.")), { class: "plain" }),
    ),
  );
}

/** When the token ends, if it does. */
const until = () => (Number.isFinite(endsAt()) ? ` that ends: ${when(new Date(1000 * endsAt()))}` : "");

/** Ask for a token. */
export function openSignIn() {
  const input = h("textarea", { rows: 4, spellcheck: "false", autocomplete: "off", required: true, autofocus: true });
  const remember = h("input", { type: "checkbox", id: "remember" });
  const problem = h("p", { class: "problem", role: "alert" });
  const form = h(
    "form",
    { class: "stack", on: { submit: send } },
    field("Token", input, "From whoever runs this server: python -m media token --user NAME"),
    h("label", { class: "check" }, remember, " Remember me on this device"),
    problem,
    h("div", { class: "row end" }, h("button", { class: "primary", type: "submit" }, icon("check"), "Sign in")),
  );
  const dialog = sheet("Sign in", form);

  async function send(event) {
    event.preventDefault();
    const pasted = input.value.trim();
    const token = new URLSearchParams(pasted.split("#")[1] ?? "").get("token") ?? pasted;
    if (!subjectOf(token)) {
      problem.textContent = "This is no token: it should be three long words with dots between them.";
      return;
    }
    try {
      await whoIs(token);
      signIn(token, { remember: remember.checked });
      dialog.close();
      toast(`Welcome, ${nameOf(me())}.`);
    } catch (error) {
      problem.textContent = error.message;
    }
  }
}
