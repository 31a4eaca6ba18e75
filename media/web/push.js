// Reminders that come when the page is closed: the browser subscribes, the server is told where.
import { get, post } from "./api.js";
import { at } from "./base.js";

const WORKER = at("/web/worker.js");

/** Whether this browser could. */
export const canPush = () => "serviceWorker" in navigator && "PushManager" in globalThis;

/** Start the worker; its address is the only script that this page ever names. */
export function register() {
  const policy = globalThis.trustedTypes?.createPolicy("worker", { createScriptURL: () => WORKER });
  return navigator.serviceWorker.register(policy?.createScriptURL(WORKER) ?? WORKER);
}

let registration = null;

/** Ask for permission, subscribe, and tell the server. Throws a sentence. */
export async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") {
    throw new Error("The browser was not allowed to show notifications; allow it beside the address.");
  }
  registration ??= register();
  const { public_key: applicationServerKey } = await get("/push/key");
  const worker = await registration;
  try {
    const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    await post("/users/me/push-subscriptions", subscription.toJSON());
  } catch (error) {
    if ("slug" in error) throw error;
    throw new Error(`This browser cannot get messages from its maker's push service (${error.message}).`);
  }
}
