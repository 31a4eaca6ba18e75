// Light or dark: as the system says, unless a person chose.
import { button, write } from "./dom.js";
import { icon, redraw } from "./icons.js";

const KEY = "spaces.theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const NAMES = { auto: "as the system", light: "light", dark: "dark" };

const chosen = () => localStorage.getItem(KEY) ?? "auto";

/** Use what was chosen. */
export function applyTheme() {
  const theme = chosen();
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** The switch: from system to light to dark. */
export function themeSwitch() {
  const element = button("Colours", turn, { class: "round quiet" }, icon(chosen()));
  function label() {
    element.setAttribute("aria-label", `Colours: ${NAMES[chosen()]}`);
    element.title = element.getAttribute("aria-label");
    redraw(element.firstChild, chosen());
  }
  function turn() {
    const theme = NEXT[chosen()];
    if (theme === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
    applyTheme();
    label();
    write(document.getElementById("polite"), element.getAttribute("aria-label"));
  }
  label();
  return element;
}
