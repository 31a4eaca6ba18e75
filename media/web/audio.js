// One WebRTC connection: WHEP (draft-ietf-wish-whep) to listen, WHIP (RFC 9725) to speak. A speaker's is sendrecv,
// and hears the others on it. One POST of an offer makes it, DELETE ends it, PATCH restarts its ICE.
import { call, Problem } from "./api.js";
import { under } from "./base.js";

const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";
const CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";
const CONNECT_LIMIT = 10_000;

export class Connection {
  #pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  #location = null;
  #tag = "*";
  #answer = "";
  #lost = Promise.withResolvers();

  /** `kind` is "whip" or "whep"; `track` is the microphone, for whip. `onTrack` gets the sound of the Space. */
  constructor(address, kind, track, onTrack) {
    this.address = address;
    this.kind = kind;
    const direction = kind === "whip" ? "sendrecv" : "recvonly";
    this.transceiver = this.#pc.addTransceiver(track ?? "audio", { direction });
    askForCaptureTime(this.transceiver);
    this.#pc.addEventListener("track", (event) => onTrack(new MediaStream([event.track])));
  }

  /** Resolves with why, when the connection is gone for good. */
  get lost() {
    return this.#lost.promise;
  }

  get state() {
    return this.#pc.connectionState;
  }

  /**
   * Offer, take the answer, and wait until sound can flow. Throws a Problem.
   * No candidates are waited for: the relay is ICE-lite, and learns where we are from our checks.
   */
  async open(signal) {
    await this.#pc.setLocalDescription();
    const options = { headers: { "Content-Type": SDP, Accept: `${SDP}, application/problem+json` }, signal };
    const response = await call("POST", this.address, { ...options, body: this.#pc.localDescription.sdp });
    this.#location = under(new URL(response.headers.get("Location"), response.url));
    this.#tag = response.headers.get("ETag") ?? "*";
    this.#answer = await response.text();
    await this.#pc.setRemoteDescription({ type: "answer", sdp: this.#answer });
    await this.#connected(signal);
    this.#pc.addEventListener("connectionstatechange", () => this.#watch());
  }

  /** Have another microphone, or none. */
  async replace(track) {
    await this.transceiver.sender.replaceTrack(track);
  }

  stats() {
    return this.#pc.getStats();
  }

  /** Ask whether the server still knows this session, as after it was away; if not, it is lost. */
  async check() {
    const headers = { "Content-Type": FRAGMENT, "If-Match": "*" };
    try {
      await call("PATCH", this.#location, { headers, body: fragmentOf(this.#pc.localDescription.sdp) });
    } catch (error) {
      if (error.status === 404 || error.status === 410) this.#lost.resolve(error);
    }
  }

  /** End it, and tell the server. */
  async close() {
    this.#lost.resolve(null);
    this.#pc.close();
    if (this.#location) await call("DELETE", this.#location, { keepalive: true }).catch(() => {});
  }

  #connected(signal) {
    const pc = this.#pc;
    return new Promise((resolve, reject) => {
      const settle = (finish, value) => {
        clearTimeout(timer);
        pc.removeEventListener("connectionstatechange", look);
        finish(value);
      };
      const fail = () => settle(reject, new Problem(0, "no-media", "Sound cannot reach you: UDP to the relay fails."));
      const look = () => {
        if (pc.connectionState === "connected") settle(resolve);
        else if (["failed", "closed"].includes(pc.connectionState)) fail();
      };
      const timer = setTimeout(fail, CONNECT_LIMIT);
      signal?.addEventListener("abort", () => settle(reject, signal.reason), { once: true });
      pc.addEventListener("connectionstatechange", look);
      look();
    });
  }

  async #watch() {
    const state = this.#pc.connectionState;
    if (state === "failed" || state === "closed") {
      this.#lost.resolve(new Problem(0, "media-lost", "The connection to the relay was lost."));
    } else if (state === "disconnected") {
      try {
        await this.restart();
      } catch (error) {
        if (error instanceof Problem && error.status >= 400) this.#lost.resolve(error);
      }
    }
  }

  /** Restart ICE (RFC 9725 §4.3.3), as after a change of network; throws a Problem, 410 when the relay is lost. */
  async restart() {
    const pc = this.#pc;
    pc.restartIce();
    await pc.setLocalDescription();
    const offer = pc.localDescription.sdp;
    const headers = { "Content-Type": FRAGMENT, "If-Match": this.#tag };
    const response = await call("PATCH", this.#location, { headers, body: fragmentOf(offer) });
    this.#tag = response.headers.get("ETag") ?? this.#tag;
    this.#answer = withCredentials(this.#answer, await response.text());
    await pc.setRemoteDescription({ type: "answer", sdp: this.#answer });
  }
}

/** Have abs-capture-time negotiated where the browser lets us: it tells how old the sound is. */
function askForCaptureTime(transceiver) {
  const extensions = transceiver.getHeaderExtensionsToNegotiate?.();
  if (!extensions) return;
  for (const extension of extensions) {
    if (extension.uri === CAPTURE_TIME) extension.direction = "sendrecv";
  }
  transceiver.setHeaderExtensionsToNegotiate(extensions);
}

/** The part of an offer that an ICE restart sends (RFC 8840). */
export function fragmentOf(sdp) {
  const wanted = /^(a=ice-ufrag|a=ice-pwd|a=ice-options|a=group|m=|a=mid)/;
  return `${sdp.split("\r\n").filter((line) => wanted.test(line)).join("\r\n")}\r\n`;
}

/** An answer with the ICE credentials of a fragment instead of its own. */
export function withCredentials(answer, fragment) {
  for (const name of ["ice-ufrag", "ice-pwd"]) {
    const line = new RegExp(`^a=${name}:.*$`, "m").exec(fragment)?.[0].trim();
    if (line) answer = answer.replace(new RegExp(`^a=${name}:.*?(?=\\r?$)`, "gm"), line);
  }
  return answer;
}
