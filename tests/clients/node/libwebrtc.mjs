// A WHIP and WHEP client on libwebrtc: it speaks a tone, or keeps the samples it hears.

import { writeFileSync } from "node:fs";

import wrtc from "@roamhq/wrtc";

import { forTheTask, main, post, task, until } from "./whip.mjs";

const RATE = 48_000;
const STEP = RATE / 100; // libwebrtc takes and gives 10 ms at a time
const { RTCAudioSink, RTCAudioSource, RTCVideoSource } = wrtc.nonstandard;

/** The n-th 10 ms of the task's tone. */
function tone(number) {
  const turn = (2 * Math.PI * task.hertz) / RATE;
  return Int16Array.from({ length: STEP }, (_, at) => 10_000 * Math.sin(turn * (number * STEP + at)));
}

/** One channel at RATE of what a sink was given, whose rate changes with what is sent. */
function mono({ samples, numberOfFrames, channelCount }) {
  const at = (number) => channelCount * Math.floor((number * numberOfFrames) / STEP);
  return Buffer.from(Int16Array.from({ length: STEP }, (_, number) => samples[at(number)]).buffer);
}

await main(async () => {
  const connection = new wrtc.RTCPeerConnection({ bundlePolicy: task.bundle });
  const speaks = task.role === "speaks";
  const microphone = new RTCAudioSource();
  const heard = [];
  connection.ontrack = ({ track }) => {
    if (track.kind === "audio") new RTCAudioSink(track).ondata = (data) => heard.push(mono(data));
  };
  for (const section of task.sections) {
    const track = section === "audio" ? microphone.createTrack() : new RTCVideoSource().createTrack();
    if (section === "data") connection.createDataChannel("test");
    else connection.addTransceiver(speaks ? track : section, { direction: speaks ? "sendonly" : "recvonly" });
  }
  await connection.setLocalDescription(await connection.createOffer());
  await until(() => connection.iceGatheringState === "complete", "gathered");
  const { answer, end } = await post(connection.localDescription.sdp);
  await connection.setRemoteDescription({ type: "answer", sdp: answer });
  await until(() => connection.connectionState === "connected", "connected");
  const form = { sampleRate: RATE, bitsPerSample: 16, channelCount: 1, numberOfFrames: STEP };
  await forTheTask(10, (number) => {
    if (speaks) microphone.onData({ samples: tone(number), ...form });
  });
  if (!speaks) writeFileSync(task.sound, Buffer.concat(heard));
  await end();
});
