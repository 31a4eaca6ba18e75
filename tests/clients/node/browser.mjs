// A browser as WHIP and WHEP client: puppeteer drives it, and its own WebRTC and Web Audio do the rest.

import { writeFileSync } from "node:fs";

import puppeteer from "puppeteer-core";

import { main, task } from "./whip.mjs";

const [browser, executablePath] = process.argv.slice(2);

const CHROMIUM = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"],
  ...["--disable-component-update", "--autoplay-policy=no-user-gesture-required"],
];
const FIREFOX = {
  "media.autoplay.default": 0, // sound may start without a click
  "media.devices.insecure.enabled": true, // the page comes over HTTP
  "media.getusermedia.insecure.enabled": true,
  "media.navigator.audio.fake_frequency": task.hertz,
  "media.navigator.permission.disabled": true,
  "media.navigator.streams.fake": true,
  "media.peerconnection.ice.default_address_only": false, // there is no default route
};

/** Runs in the page: one session at the task's endpoint; a listener returns its samples in base64. */
async function session(task, browser) {
  const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const until = async (condition, what) => {
    for (let tries = 0; !condition(); tries++) {
      if (tries === 1000) throw new Error(`not ${what} after 10 s`);
      await sleep(10);
    }
  };
  const speaks = task.role === "speaks";
  const connection = new RTCPeerConnection({ bundlePolicy: task.bundle });
  let recorder;
  const parts = [];
  connection.ontrack = ({ track }) => {
    if (track.kind !== "audio") return;
    const stream = new MediaStream([track]);
    const player = new Audio(); // without one that plays, Chromium records nothing
    player.muted = true;
    player.srcObject = stream;
    player.play();
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = ({ data }) => parts.push(data);
  };
  const microphone = async () => {
    if (browser === "firefox") {
      // its Web Audio stands still on a machine without a sound card; its fake microphone hears the tone
      const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
      return (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks()[0];
    }
    const context = new AudioContext();
    const oscillator = new OscillatorNode(context, { frequency: task.hertz });
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    oscillator.connect(new GainNode(context, { gain: 0.3 })).connect(destination);
    oscillator.start();
    return destination.stream.getAudioTracks()[0];
  };
  const picture = () => {
    const canvas = document.createElement("canvas");
    canvas.getContext("2d").fillRect(0, 0, 10, 10);
    return canvas.captureStream(5).getVideoTracks()[0];
  };
  for (const section of task.sections) {
    if (section === "data") connection.createDataChannel("test");
    else if (!speaks) connection.addTransceiver(section, { direction: "recvonly" });
    else connection.addTransceiver(section === "audio" ? await microphone() : picture(), { direction: "sendonly" });
  }
  await connection.setLocalDescription();
  await until(() => connection.iceGatheringState === "complete", "gathered");
  const headers = { Authorization: `Bearer ${task.token}`, "Content-Type": "application/sdp" };
  const body = connection.localDescription.sdp;
  const response = await fetch(task.endpoint, { method: "POST", headers, body });
  const sdp = await response.text();
  if (response.status !== 201) throw new Error(`${response.status}: ${sdp}`);
  await connection.setRemoteDescription({ type: "answer", sdp });
  await until(() => connection.connectionState === "connected", "connected");
  recorder?.start();
  await sleep(task.seconds * 1000);
  if (recorder) {
    const stopped = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.stop();
    await stopped;
  }
  await fetch(new URL(response.headers.get("Location"), task.endpoint), { method: "DELETE", headers });
  connection.close();
  if (speaks) return "";
  const recorded = await new Blob(parts).arrayBuffer();
  const heard = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(recorded);
  const samples = Int16Array.from(heard.getChannelData(0), (sample) => 32_767 * sample);
  return btoa(Array.from(new Uint8Array(samples.buffer), (byte) => String.fromCharCode(byte)).join(""));
}

await main(async () => {
  const options = browser === "firefox" ? { extraPrefsFirefox: FIREFOX } : { args: CHROMIUM };
  const running = await puppeteer.launch({ browser, executablePath, headless: true, ...options });
  try {
    const page = await running.newPage();
    await page.goto(new URL("/healthz", task.endpoint).href); // a page of the server's own origin
    const heard = await page.evaluate(session, task, browser);
    if (task.role === "listens") writeFileSync(task.sound, Buffer.from(heard, "base64"));
  } finally {
    await running.close();
  }
});
