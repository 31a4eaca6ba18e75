// Where this page lies: at the root of its host, or under the path by which a proxy shows it.

/** The path of the server, with a slash at its end: this module is at web/base.js below it. */
const BASE = new URL("..", import.meta.url).pathname;

/** What a path of the server is to this browser. */
export const at = (path) => BASE + path.slice(1);

/** What path of the server an address of this host is. */
export const under = ({ pathname }) => `/${pathname.slice(BASE.length)}`;

/** What path of the server the address bar shows. */
export const here = () => under(location);
