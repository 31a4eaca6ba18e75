// The microphone: asked for when it is first needed, let go as soon as it is not. Muting is told to the server,
// and is done here as well: a muted track sends silence, whatever else goes wrong.

const KEY = "spaces.microphone";
const CHOSEN = "spaces.microphone.id";

const WHY = {
  NotAllowedError: "The browser was not allowed to use the microphone. Allow it beside the address, then try again.",
  NotFoundError: "There is no microphone. Plug one in, then try again.",
  NotReadableError: "Another program keeps the microphone to itself. Close it there, then try again.",
};

/** Whether the browser cleans up what the microphone hears (echo, noise, loudness); off for music. */
export const isCleaned = () => localStorage.getItem(KEY) !== "raw";

export function setCleaned(cleaned) {
  if (cleaned) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, "raw");
}

/** The microphone that was chosen: an id, which the browser may not know any more; undefined for its own choice. */
export const chosenMicrophone = () => localStorage.getItem(CHOSEN) ?? undefined;

export function chooseMicrophone(id) {
  if (id) localStorage.setItem(CHOSEN, id);
  else localStorage.removeItem(CHOSEN);
}

/** The microphones there are: {id, name}; browsers tell names once one of them has been allowed. */
export async function microphones() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const found = all.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId && deviceId !== "default");
  return found.map(({ deviceId: id, label }, index) => ({ id, name: label || `Microphone ${index + 1}` }));
}

/** Why a microphone could not be had, in one sentence. */
export function whyNot(error) {
  if (!navigator.mediaDevices) return "Microphones work on https and on localhost only; you can still listen.";
  return WHY[error.name] ?? `The microphone could not be opened (${error.message || error.name}).`;
}

export class Microphone {
  #stream = null;

  get track() {
    return this.#stream?.getAudioTracks()[0] ?? null;
  }

  get stream() {
    return this.#stream;
  }

  /** Open it, muted; `onEnd` is told when it is taken away, as when it is unplugged. Throws what the browser does. */
  async open(onEnd) {
    if (this.#stream) return this.track;
    const clean = isCleaned();
    const deviceId = chosenMicrophone();
    const audio = { deviceId, echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean, channelCount: 1 };
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
    this.track.enabled = false;
    this.track.addEventListener("ended", () => {
      this.close();
      onEnd();
    });
    return this.track;
  }

  /** Let sound through, or silence. */
  set live(on) {
    if (this.track) this.track.enabled = on;
  }

  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
  }
}
