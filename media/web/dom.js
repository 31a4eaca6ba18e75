// Elements without a framework: made by h(), kept in step with data by keyed().
// Nothing here ever parses HTML, so no text of another person can become markup.

/** Make an element. Props: `class`, `on` (listeners), `css` (custom properties), `data`; others are attributes. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  set(element, props);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Set props of an element; `true` is an empty attribute, and `false`, `null` or `undefined` take one away. */
export function set(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "css") {
      for (const [key, number] of Object.entries(value)) element.style.setProperty(key, number);
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else if (name === "text") {
      write(element, value);
    } else if (name === "value") {
      element.value = value;
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value === false || value === null || value === undefined) {
      element.removeAttribute(name);
    } else if (element.getAttribute(name) !== String(value)) {
      element.setAttribute(name, value);
    }
  }
}

/** Set the text of an element, if it is another one: live regions speak of every change. */
export function write(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

/** Show or hide an element. */
export function show(element, visible) {
  element.hidden = !visible;
}

const KEYS = new WeakMap();

/**
 * Make the children of a parent those of some items, in their order. Elements stay who they are, so that focus and
 * transitions survive; `update` is called for every one.
 */
export function keyed(parent, items, keyOf, make, update = () => {}) {
  const present = new Map([...parent.children].map((child) => [KEYS.get(child), child]));
  const wanted = items.map((item) => {
    const key = keyOf(item);
    const element = present.get(key) ?? make(item);
    KEYS.set(element, key);
    present.delete(key);
    update(element, item);
    return element;
  });
  for (const gone of present.values()) gone.remove();
  wanted.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
}

/** A button. `type="button"` always: nothing here is sent as a form by accident. */
export function button(label, onClick, props = {}, ...children) {
  const element = h("button", { type: "button", ...props, on: { click: onClick } }, ...children);
  if (children.length && label) element.setAttribute("aria-label", label);
  else if (label) element.append(label);
  return element;
}
