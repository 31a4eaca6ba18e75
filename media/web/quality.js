// Delay and quality of one's own connection, measured in this browser and shown on request.
import { button, h, keyed, show, write } from "./dom.js";
import { setVolume, volume } from "./ear.js";
import { icon } from "./icons.js";
import { chosenMicrophone, chooseMicrophone, isCleaned, microphones, setCleaned } from "./microphone.js";
import { field } from "./sheet.js";

const PERIOD = 1000;
const KEPT = 5000;
const NTP_TO_UNIX = 2_208_988_800_000;

/** The panel; it measures only while it is open. */
export function qualityView(room) {
  const table = h("dl", { class: "figures" });
  const choice = choosing(room);
  const view = h(
    "section",
    { class: "card quality", id: "quality", "aria-labelledby": "quality-title" },
    h("header", { class: "row" }, h("h2", { id: "quality-title", text: "Delay and quality" }), closer()),
    table,
    loudnessOf(),
    choice.element,
    cleaning(room),
  );
  let timer = 0;
  show(view, false);

  function closer() {
    return button("Close", () => toggle(), { class: "round quiet" }, icon("cross"));
  }
  async function draw() {
    const figures = await measure(room);
    keyed(table, figures, ([name]) => name, ([name]) => h("div", {}, h("dt", { text: name }), h("dd", {})), (row, [, text]) =>
      write(row.lastChild, text),
    );
  }
  function toggle() {
    show(view, view.hidden);
    clearInterval(timer);
    if (!view.hidden) {
      draw();
      choice.read();
      timer = setInterval(() => (view.isConnected ? draw() : clearInterval(timer)), PERIOD);
    }
    return !view.hidden;
  }
  return { view, toggle };
}

function loudnessOf() {
  const input = h("input", { type: "range", min: 0, max: 1, step: 0.05, value: volume(), id: "volume" });
  input.addEventListener("input", () => setVolume(Number(input.value)));
  return h("div", { class: "field inline" }, h("label", { for: "volume" }, "Volume"), input);
}

function cleaning(room) {
  const box = h("input", { type: "checkbox", checked: isCleaned() });
  box.addEventListener("change", async () => {
    setCleaned(box.checked);
    await room.reopenMicrophone();
  });
  return h("label", { class: "check" }, box, " Clean up my microphone (off for music)");
}

/** Which microphone; {element, read}. */
function choosing(room) {
  const select = h("select", {});
  select.addEventListener("change", async () => {
    chooseMicrophone(select.value);
    await room.reopenMicrophone();
  });
  async function read() {
    const found = [{ id: "", name: "The browser’s choice" }, ...(await microphones())];
    select.replaceChildren(...found.map(({ id, name }) => h("option", { value: id, text: name })));
    select.value = found.some(({ id }) => id === chosenMicrophone()) ? chosenMicrophone() : "";
  }
  return { element: field("Microphone", select), read };
}

let before = null;
let delay = null;

/** What can be said now: pairs of a name and a figure. */
export async function measure(room) {
  const { connection } = room.line;
  if (!connection) return [["Connection", PHASES[room.store.state.line.phase] ?? "none"]];
  const stats = [...(await connection.stats()).values()];
  const pair = stats.find((s) => s.type === "candidate-pair" && s.nominated) ?? {};
  const inbound = stats.find((s) => s.type === "inbound-rtp");
  const outbound = stats.find((s) => s.type === "outbound-rtp");
  const codec = stats.find((s) => s.id === inbound?.codecId);
  const figures = [["Connection", `${connection.kind === "whip" ? "speaking and listening" : "listening"}, ${connection.state}`]];
  figures.push(["Round trip", milliseconds(pair.currentRoundTripTime * 1000)]);
  if (inbound) {
    const last = before?.inbound.ssrc === inbound.ssrc ? before : null;
    figures.push(["Jitter", milliseconds(inbound.jitter * 1000)]);
    figures.push(["Lost packets", lossOf(inbound, last?.inbound)]);
    figures.push(["Jitter buffer", bufferOf(inbound, last?.inbound)]);
    figures.push(["Mouth to ear", milliseconds(mouthToEar(connection))]);
    figures.push(["Codec", codec ? codecOf(codec) : "–"]);
    figures.push(["Received", rate(inbound, last?.inbound, "bytesReceived")]);
    if (outbound) figures.push(["Sent", rate(outbound, last?.outbound, "bytesSent")]);
  }
  before = inbound ? { inbound, outbound } : null;
  return figures;
}

const PHASES = { idle: "not connected", connecting: "connecting", waiting: "lost, trying again", refused: "refused" };
const milliseconds = (value) => (Number.isFinite(value) ? `${Math.round(value)} ms` : "–");
const codecOf = (codec) => `${codec.mimeType.replace("audio/", "")}, ${codec.clockRate / 1000} kHz`;

function lossOf(now, last) {
  const lost = now.packetsLost - (last?.packetsLost ?? 0);
  const got = now.packetsReceived - (last?.packetsReceived ?? 0);
  return got + lost > 0 ? `${((100 * Math.max(0, lost)) / (got + lost)).toFixed(1)} %` : "–";
}

function bufferOf(now, last) {
  const emitted = now.jitterBufferEmittedCount - (last?.jitterBufferEmittedCount ?? 0);
  return milliseconds((1000 * (now.jitterBufferDelay - (last?.jitterBufferDelay ?? 0))) / emitted);
}

function rate(now, last, name) {
  if (!last || now.timestamp <= last.timestamp) return "–";
  return `${((8 * (now[name] - last[name])) / (now.timestamp - last.timestamp)).toFixed(0)} kbit/s`;
}

/**
 * Milliseconds from a speaker's microphone to this loudspeaker's queue, by abs-capture-time, which counts from 1900 on
 * the speaker's clock: as right as the two clocks agree. NaN where the browser or the sound does not tell.
 */
export function mouthToEar(connection) {
  const [source] = connection.transceiver.receiver.getSynchronizationSources?.() ?? [];
  if (source?.captureTimestamp) {
    delay = { connection, at: Date.now(), is: source.timestamp - (source.captureTimestamp - NTP_TO_UNIX) };
  }
  // Not every frame carries it, and none does while nobody speaks.
  return delay?.connection === connection && Date.now() - delay.at < KEPT ? delay.is : NaN;
}
