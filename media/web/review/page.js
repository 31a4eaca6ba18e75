// The reviewer's page: queues and cases at the left, one case at the right, and keys for all that is done.
import { at } from "../base.js";
import { button, h, show } from "../dom.js";
import { icon } from "../icons.js";
import { listenForShortcuts, showShortcuts } from "../keys.js";
import { settle } from "../offered.js";
import { account } from "../signin.js";
import { applyTheme, themeSwitch } from "../theme.js";
import { findToken, me, onIdentity } from "../token.js";
import { caseView } from "./caseview.js";
import { Desk } from "./desk.js";
import { bindKeys } from "./keymap.js";
import { keepLease } from "./lease.js";
import { queueView } from "./queue.js";
import { undoView } from "./undo.js";

const PERIOD = 10_000;
const TICK = 1_000;

const desk = new Desk();
const main = document.getElementById("main");

function top() {
  const home = h("a", { class: "brand", href: at("/") }, h("img", { src: at("/web/icon.svg"), alt: "", width: 28, height: 28 }), "Review");
  const keys = button("Keys", showShortcuts, { class: "round quiet wide-only", title: "Keys (?)" }, icon("keys"));
  document.getElementById("top").replaceChildren(home, h("span", { class: "grow" }), keys, themeSwitch(), account());
}

/** Show the desk; who is not signed in, or no reviewer, reads here what is missing. */
function deskPage() {
  const problem = h("p", { class: "notice stop", role: "alert" });
  const view = caseView(desk);
  main.replaceChildren(
    h("h1", { class: "unseen", text: "Review" }),
    problem,
    h("div", { class: "review-desk" }, queueView(desk), view.element),
    undoView(desk),
  );
  desk.store.watch((state) => {
    problem.textContent = me() ? (state.problem ?? "") : "Sign in with a reviewer's token to see cases.";
    show(problem, problem.textContent !== "");
  });
  return view;
}

applyTheme();
const offer = findToken();
listenForShortcuts();
top();
if (offer && me() === null) await settle(offer); // what is shown first is what somebody signed in sees
else settle(offer);
const view = deskPage();
bindKeys(desk, view);
keepLease(desk);
desk.load();
onIdentity(() => desk.startAnew());
setInterval(() => document.visibilityState === "visible" && desk.load(), PERIOD);
setInterval(() => desk.store.touch(), TICK);
addEventListener("hashchange", () => settle(findToken()));
