// The server's API: every call carries the token, and every refusal is a Problem that says why.
import { at } from "./base.js";
import { bearer, endsAt, refreshToken, signIn } from "./token.js";

const EARLY = 60;
const PATIENCE = 15_000;

/** A refusal (RFC 9457): `slug` is stable, `message` a sentence for people, `retryAt` milliseconds or null. */
export class Problem extends Error {
  constructor(status, slug, sentence, retryAfter = null) {
    super(sentence);
    this.status = status;
    this.slug = slug;
    this.retryAt = retryAfter === null ? null : Date.now() + retryAfter * 1000;
  }
}

/** Read what a response refuses. */
export async function problemOf(response) {
  const after = Number.parseFloat(response.headers.get("Retry-After") ?? "");
  let body = {};
  try {
    body = await response.json();
  } catch {
    // something between us and the server has answered
  }
  const slug = String(body.type ?? "").split(":").pop() || "http";
  const sentence = body.detail ?? `The server answered ${response.status}, and did not say why.`;
  return new Problem(response.status, slug, sentence, Number.isFinite(after) ? after : null);
}

/** The name of whom a token is for, as the server says, which so has taken it; throws if it has not. */
export async function whoIs(token = bearer()) {
  const headers = { Authorization: `Bearer ${token}` };
  const response = await fetch(at("/2/users/me"), { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) })
    .catch(() => {
      throw new Problem(0, "unreachable", "The server cannot be reached; it may be starting again.");
    });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()).data.name;
}

let renewing = null;

/** Get a new token by the refresh token, once for all who need it. */
function renew() {
  renewing ??= (async () => {
    const response = await fetch(at("/tokens/refresh"), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh_token: refreshToken() }),
    });
    if (!response.ok) throw await problemOf(response);
    const fresh = await response.json();
    signIn(fresh.token, { refresh: fresh.refresh_token });
  })().finally(() => (renewing = null));
  return renewing;
}

/** Fetch with the token of whoever is signed in; renews it when it is about to end. Returns a good response. */
export async function call(method, path, { headers = {}, body, signal, keepalive = false } = {}) {
  try {
    if (refreshToken() && endsAt() - Date.now() / 1000 < EARLY) await renew();
    const send = () => {
      const token = bearer();
      const all = token ? { ...headers, Authorization: `Bearer ${token}` } : headers;
      return fetch(at(path), { method, headers: all, body, signal, keepalive, cache: "no-store" });
    };
    let response = await send();
    if (response.status === 401 && refreshToken()) {
      await renew();
      response = await send();
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  } catch (error) {
    if (error instanceof Problem || error.name === "AbortError") throw error;
    if (error.name === "TimeoutError") {
      throw new Problem(0, "slow", "The server did not answer in time.");
    }
    throw navigator.onLine
      ? new Problem(0, "unreachable", "The server cannot be reached; it may be starting again.")
      : new Problem(0, "offline", "This device is offline.");
  }
}

/** Call with a JSON body, if there is one; returns what the answer holds, or null. */
export async function ask(method, path, body, { signal = AbortSignal.timeout(PATIENCE) } = {}) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const response = await call(method, path, { headers, body: body && JSON.stringify(body), signal });
  return response.status === 204 ? null : response.json();
}

export const get = (path, options) => ask("GET", path, undefined, options);
export const post = (path, body) => ask("POST", path, body);
export const put = (path, body) => ask("PUT", path, body);
export const patch = (path, body) => ask("PATCH", path, body);
export const del = (path) => ask("DELETE", path);

/** The address of a Space, or of something in it. */
export const space = (...parts) => `/spaces/${parts.map(encodeURIComponent).join("/")}`;

let paths = null;

/** Whether this server has a route, by its template in the OpenAPI document. */
export async function offers(method, template) {
  paths ??= fetch(at("/openapi.json")).then((response) => response.json()).then((document_) => document_.paths);
  try {
    return method.toLowerCase() in ((await paths)[template] ?? {});
  } catch {
    paths = null;
    return false;
  }
}
