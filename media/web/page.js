// The page: two places, the list at / and a room at /s/{id}, and what is around them.
import { at, here } from "./base.js";
import { h, button } from "./dom.js";
import { settle } from "./offered.js";
import { restoreVolume } from "./ear.js";
import { icon } from "./icons.js";
import { listenForShortcuts, showShortcuts } from "./keys.js";
import { listPage } from "./list.js";
import { roomPage } from "./roomview.js";
import { account } from "./signin.js";
import { applyTheme, themeSwitch } from "./theme.js";
import { findToken, me, onIdentity } from "./token.js";

const main = document.getElementById("main");
let close = () => {};

/** Go to another place of the page. */
function go(path, how = {}) {
  history.pushState(null, "", at(path));
  show(how);
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function show(how = {}) {
  close();
  const room = /^\/s\/([^/]+)\/?$/.exec(here());
  close = room ? roomPage(main, decodeURIComponent(room[1]), go, how) : listPage(main, go);
}

function top() {
  const home = h("a", { class: "brand", href: at("/"), on: { click: goHome } }, h("img", { src: at("/web/icon.svg"), alt: "", width: 28, height: 28 }), "Spaces");
  const keys = button("Shortcuts", showShortcuts, { class: "round quiet wide-only", title: "Shortcuts (?)" }, icon("keys"));
  document.getElementById("top").replaceChildren(home, h("span", { class: "grow" }), keys, themeSwitch(), account());
}

function goHome(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go("/");
}

applyTheme();
restoreVolume();
const offer = findToken();
listenForShortcuts();
top();
if (offer && me() === null) await settle(offer); // what is shown first is what somebody signed in sees
else settle(offer);
show();
onIdentity(() => show());
addEventListener("popstate", () => show());
addEventListener("hashchange", () => settle(findToken()));
