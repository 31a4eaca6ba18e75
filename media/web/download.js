// Files that need one's token: fetched by the page, and given to the browser to keep.
import { call } from "./api.js";
import { h } from "./dom.js";
import { attempt } from "./say.js";

const KEPT = 10_000;

/** What an address of the API holds, as an address of this page; let go with URL.revokeObjectURL. */
export async function objectOf(path) {
  return URL.createObjectURL(await (await call("GET", path)).blob());
}

/** Save what an address of the API holds under a name; a refusal is shown. */
export async function download(path, name) {
  const address = await attempt(() => objectOf(path));
  if (!address) return;
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT);
}
