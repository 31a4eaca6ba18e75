// A field that names a person: who is meant is looked up while one types (the combobox pattern of the ARIA guide).
import { get } from "./api.js";
import { avatar } from "./avatar.js";
import { h, set, show, write } from "./dom.js";
import { learn } from "./people.js";
import { field } from "./sheet.js";

const TYPING = 180;
const MOST = 8;
const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

let number = 0;

/** {element, input, read}: `read` gives the id of who is meant, and throws what to do if nobody is. */
export function personField(label) {
  const id = `people-${++number}`;
  const list = h("ul", { id, class: "options", role: "listbox", "aria-label": "People", hidden: true });
  const told = h("small", { class: "told", role: "status" });
  const input = h("input", {
    required: true,
    maxlength: 100,
    autofocus: true,
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": id,
    on: { input: typed, keydown: pressed, blur: close },
  });
  const element = field(label, input);
  element.classList.add("pick");
  element.append(list, told);
  let found = [];
  let about = ""; // the text that `found` is about
  let chosen = null;
  let active = -1;
  let timer = 0;
  let asked = null;

  const text = () => input.value.trim().replace(/^@/, "");

  function typed() {
    chosen = null;
    clearTimeout(timer);
    timer = setTimeout(() => look().then(open, () => write(told, "")), TYPING);
  }

  /** Find who may be meant by the text that stands there now. */
  async function look() {
    clearTimeout(timer);
    const wanted = text();
    asked?.abort();
    if (wanted === about) return;
    asked = new AbortController();
    const { signal } = asked;
    const { data } = wanted ? await get(`/users/search?${new URLSearchParams({ query: wanted, max_results: MOST })}`, { signal }) : { data: [] };
    if (signal.aborted) return;
    found = data;
    found.forEach(learn);
    about = wanted;
    active = -1;
    list.replaceChildren(...found.map(option));
  }

  function option(user, index) {
    const names = h("span", { class: "names" }, h("b", { text: user.name }), h("span", { class: "dim", text: `@${user.username}` }));
    const take = (event) => event.preventDefault(); // the focus stays where one types
    return h("li", { id: `${id}-${index}`, role: "option", "aria-selected": "false", on: { pointerdown: take, click: () => choose(index) } }, avatar(user.id, "small"), names);
  }

  function open() {
    if (document.activeElement !== input || chosen) return;
    show(list, found.length > 0);
    set(input, { "aria-expanded": String(found.length > 0) });
    const many = found.length === 1 ? "One person found." : `${found.length} people found.`;
    write(told, !about ? "" : found.length ? many : "Nobody is found by that name.");
    told.classList.toggle("unseen", found.length > 0);
    point(-1);
  }

  function close() {
    clearTimeout(timer);
    show(list, false);
    set(input, { "aria-expanded": "false", "aria-activedescendant": null });
  }

  function point(index) {
    active = index;
    [...list.children].forEach((item, at) => set(item, { "aria-selected": String(at === active) }));
    list.children[active]?.scrollIntoView({ block: "nearest" });
    set(input, { "aria-activedescendant": list.children[active]?.id ?? null });
  }

  function choose(index) {
    chosen = found[index];
    input.value = `@${chosen.username}`;
    write(told, `${chosen.name} is chosen.`);
    told.classList.remove("unseen");
    close();
  }

  function pressed(event) {
    const { key } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step && list.hidden) {
      chosen = null;
      look().then(() => (open(), found.length && point(step > 0 ? 0 : found.length - 1)), () => {});
    } else if (step) {
      const places = found.length + 1; // beside the people, the text itself
      point(((active + 1 + step + places) % places) - 1);
    } else if (key === "Enter" && active >= 0 && !list.hidden) {
      choose(active);
    } else if (key === "Escape" && !list.hidden) {
      close();
    } else {
      return;
    }
    event.preventDefault();
  }

  async function read() {
    if (chosen) return chosen.id;
    await look();
    const wanted = text().toLowerCase();
    const same = found.filter((user) => user.username.toLowerCase() === wanted);
    const called = same.length ? same : found.filter((user) => user.name.toLowerCase() === wanted);
    if (called.length === 1) return called[0].id;
    if (found.length) {
      input.focus();
      open();
      throw new Error(found.length === 1 ? `Is ${found[0].name} meant? Choose them from the list.` : "Several people may be meant. Choose one from the list.");
    }
    if (ID.test(text())) return text(); // somebody without a profile, who has an id and no name
    throw new Error("Nobody is found by that name. Try their handle.");
  }

  return { element, input, read };
}
