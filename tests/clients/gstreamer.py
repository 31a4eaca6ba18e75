"""GStreamer's webrtcbin as WHIP and WHEP client, run by Debian's Python: PyGObject is a package of Debian.

The argument is the task as JSON (see table.py). It speaks a tone, or keeps the samples it hears.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 (versions are chosen before)

PATIENCE = 10
"""Seconds until connected."""
AUDIO = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload=97"
VIDEO = "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96"
MICROPHONE = (
    "audiotestsrc is-live=true freq={hertz} volume=0.3 ! audio/x-raw,rate=48000,channels=1"
    f" ! opusenc ! rtpopuspay pt=97 ! {AUDIO} ! queue"
)
CAMERA = (
    "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=5/1"
    f" ! vp8enc deadline=1 ! rtpvp8pay pt=96 ! {VIDEO} ! queue"
)
RECORDER = (
    "rtpopusdepay ! opusdec ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=48000,channels=1"
    " ! filesink sync=false location={sound}"
)


class Client:
    """One webrtcbin, from its offer to the end of its task."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.task, self.fault, self.location = task, "", ""
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline()
        self.webrtc = Gst.ElementFactory.make("webrtcbin")
        if task["bundle"] == "max-bundle":
            self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.webrtc)
        self.webrtc.connect("pad-added", self._hear)
        self.webrtc.connect("notify::connection-state", self._connection_changed)
        self.webrtc.connect("notify::ice-gathering-state", self._gathering_changed)
        self._kept: list[Any] = []
        self._tracks = 0

    def run(self) -> str:
        """Returns what went wrong."""
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: self._end(str(message.parse_error())))
        self.pipeline.set_state(Gst.State.READY)
        for section in self.task["sections"]:
            self._add(section)
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add_seconds(PATIENCE, self._impatient)
        GLib.idle_add(self._offer)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        if self.location:
            self._request("DELETE", self.location, None)
        return self.fault

    def _add(self, section: str) -> None:
        if section == "data":
            self._kept.append(self.webrtc.emit("create-data-channel", "test", None))
        elif self.task["role"] == "speaks":
            source = (MICROPHONE if section == "audio" else CAMERA).format(**self.task)
            bin_ = Gst.parse_bin_from_description(source, True)
            self.pipeline.add(bin_)
            bin_.link(self.webrtc)
            transceiver = self.webrtc.emit("get-transceiver", self._tracks)
            self._tracks += 1
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        else:
            caps = Gst.Caps.from_string(AUDIO if section == "audio" else VIDEO)
            self.webrtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, caps)

    def _offer(self) -> bool:
        self.webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))
        return False

    def _offered(self, promise: Any, *_: Any) -> None:
        self._kept.append(promise.get_reply())
        offer = self._kept[-1].get_value("offer")
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())

    def _gathering_changed(self, webrtc: Any, _: Any) -> None:
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if webrtc.get_property("ice-gathering-state") == complete:
            GLib.idle_add(self._post)

    def _post(self) -> bool:
        offer = self.webrtc.get_property("local-description").sdp.as_text()
        answer = self._request("POST", self.task["endpoint"], offer.encode())
        if not answer:
            return False
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        done = Gst.Promise.new_with_change_func(self._answered)
        self.webrtc.emit("set-remote-description", description, done)
        return False

    def _answered(self, promise: Any, *_: Any) -> None:
        reply = promise.get_reply()
        if reply and reply.has_field("error"):
            self._end(f"set-remote-description: {reply.get_value('error')}")

    def _request(self, method: str, url: str, body: bytes | None) -> str:
        headers = {"Authorization": f"Bearer {self.task['token']}", "Content-Type": "application/sdp"}
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            with urllib.request.urlopen(request) as response:
                if location := response.headers["Location"]:
                    self.location = urllib.parse.urljoin(url, location)
                return response.read().decode()
        except urllib.error.HTTPError as error:
            self._end(f"{error.code}: {error.read().decode()}")
            return ""

    def _connection_changed(self, webrtc: Any, _: Any) -> None:
        state = webrtc.get_property("connection-state").value_nick
        if state == "connected":
            self.connected = True
            GLib.timeout_add(int(1000 * self.task["seconds"]), self._end)
        elif state == "failed":
            self._end("connection failed")

    connected = False

    def _impatient(self) -> bool:
        if not self.connected:
            self._end(f"not connected after {PATIENCE} s")
        return False

    def _hear(self, _: Any, pad: Any) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        recorder = Gst.parse_bin_from_description(RECORDER.format(**self.task), True)
        self.pipeline.add(recorder)
        recorder.sync_state_with_parent()
        pad.link(recorder.get_static_pad("sink"))

    def _end(self, fault: str = "") -> bool:
        self.fault = self.fault or fault
        self.loop.quit()
        return False


if __name__ == "__main__":
    Gst.init(None)
    sys.exit(Client(json.loads(sys.argv[1])).run() or 0)
