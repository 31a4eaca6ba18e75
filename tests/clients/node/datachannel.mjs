// A WHIP and WHEP client on libdatachannel: it speaks the Opus packets it is given, or keeps those it hears.

import { readFileSync, writeFileSync } from "node:fs";

import { Audio, PeerConnection, Video } from "node-datachannel";

import { forTheTask, main, post, task, until } from "./whip.mjs";

const AUDIO = 111;
const VIDEO = 96;
const SSRC = 0x7eadbeef;
const direction = task.role === "speaks" ? "SendOnly" : "RecvOnly";

/** The packets of a file, in which each stands after its length in two bytes. */
function packets(file) {
  const found = [];
  for (let at = 0; at < file.length; at += 2 + file.readUInt16BE(at)) {
    found.push(file.subarray(at + 2, at + 2 + file.readUInt16BE(at)));
  }
  return found;
}

/** An RTP packet (RFC 3550, 5.1) without extensions. */
function rtp(number, payload) {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(AUDIO, 1);
  header.writeUInt16BE((65_500 + number) & 0xffff, 2);
  header.writeUInt32BE((4_294_900_000 + 960 * number) >>> 0, 4);
  header.writeUInt32BE(SSRC, 8);
  return Buffer.concat([header, payload]);
}

/** What an RTP packet carries, after its length; nothing of RTCP, which shares the track. */
function payload(packet) {
  if (packet[1] >= 192 && packet[1] <= 223) return Buffer.alloc(0);
  let start = 12 + 4 * (packet[0] & 15);
  if (packet[0] & 16) start += 4 + 4 * packet.readUInt16BE(start + 2);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(packet.length - start);
  return Buffer.concat([length, packet.subarray(start)]);
}

await main(async () => {
  const connection = new PeerConnection("client", { iceServers: [], disableAutoNegotiation: true });
  const heard = [];
  const tracks = {}; // kept, or they are collected, and their sections with them
  for (const [mid, section] of task.sections.entries()) {
    if (section === "data") {
      tracks.data = connection.createDataChannel("test");
    } else if (section === "video") {
      const video = new Video(String(mid), direction);
      video.addVP8Codec(VIDEO);
      tracks.video = connection.addTrack(video);
    } else {
      const audio = new Audio(String(mid), direction);
      audio.addOpusCodec(AUDIO);
      if (task.role === "speaks") audio.addSSRC(SSRC, "client");
      tracks.audio = connection.addTrack(audio);
      tracks.audio.onMessage((packet) => heard.push(payload(packet)));
    }
  }
  connection.setLocalDescription("offer");
  await until(() => connection.gatheringState() === "complete", "gathered");
  const { answer, end } = await post(connection.localDescription().sdp);
  connection.setRemoteDescription(answer, "answer");
  await until(() => connection.state() === "connected" && tracks.audio.isOpen(), "connected");
  const sound = task.role === "speaks" ? packets(readFileSync(task.sound)) : [];
  await forTheTask(20, (number) => {
    if (sound.length) tracks.audio.sendMessageBinary(rtp(number, sound[number % sound.length]));
  });
  if (task.role === "listens") writeFileSync(task.sound, Buffer.concat(heard));
  await end();
});
