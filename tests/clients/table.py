"""Real WebRTC clients, what each is asked to do, and what it is told to do it."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tests.clients import tone
from tests.clients.build import NODE
from tests.requirements import PION, chromium, firefox

HERE = Path(__file__).parent
Role = Literal["speaks", "listens"]
ROLES: tuple[Role, ...] = ("speaks", "listens")


@dataclass(frozen=True)
class Offer:
    """Which sections a client offers, in their order."""

    sections: tuple[str, ...]
    bundle: str = "balanced"


OFFERS = {
    "audio": Offer(("audio",)),
    "audio+video": Offer(("audio", "video")),
    "video+audio+data": Offer(("video", "audio", "data"), "max-bundle"),
}
WITHOUT_DATA = ("audio", "audio+video")
"""Of libdatachannel, too: it is not connected before a data channel's SCTP is, which the relay does not speak."""


@dataclass(frozen=True)
class Task:
    """What one run of a client is to do; every client reads it as JSON."""

    role: Role
    endpoint: str
    """WHIP or WHEP."""
    token: str
    sections: tuple[str, ...]
    bundle: str
    """``balanced`` or ``max-bundle``."""
    hertz: float
    """Of the tone to speak."""
    seconds: float
    """From connected to the end."""
    sound: str
    """File to speak, where the client has no encoder; file to write what was heard to."""


@dataclass(frozen=True)
class Client:
    """A program that takes a :class:`Task`."""

    title: str
    command: Callable[[], list[str]]
    needs: tuple[str, ...] = ()
    """Names in ``tests.requirements``."""
    roles: tuple[Role, ...] = ROLES
    offers: tuple[str, ...] = tuple(OFFERS)
    carries: Literal["samples", "opus"] = "samples"
    """What it writes when it listens; one that carries Opus speaks the packets it is given."""

    def argv(self, task: Task) -> list[str]:
        """What to run."""
        return [*self.command(), json.dumps(asdict(task))]

    def read(self, recorded: bytes) -> tone.Pcm:
        """What it heard."""
        return tone.from_opus(recorded) if self.carries == "opus" else tone.from_samples(recorded)


def _node(program: str, *more: str) -> list[str]:
    return [str(NODE), str(HERE / "node" / program), *more]


def _python(module: str) -> list[str]:
    return [sys.executable, str(HERE / module)]


CLIENTS = {
    "aiortc": Client("aiortc", lambda: _python("aiortc_client.py")),
    "chromium": Client("Chromium", lambda: _node("browser.mjs", "chrome", str(chromium())), ("chromium", "npm")),
    "ffmpeg": Client("FFmpeg's WHIP muxer", lambda: _python("ffmpeg.py"), roles=("speaks",), offers=WITHOUT_DATA),
    "firefox": Client("Firefox", lambda: _node("browser.mjs", "firefox", str(firefox())), ("firefox", "npm")),
    "gstreamer": Client(
        "GStreamer webrtcbin", lambda: ["/usr/bin/python3", str(HERE / "gstreamer.py")], ("gstreamer",)
    ),
    "libdatachannel": Client(
        "libdatachannel", lambda: _node("datachannel.mjs"), ("npm",), offers=WITHOUT_DATA, carries="opus"
    ),
    "libwebrtc": Client("libwebrtc", lambda: _node("libwebrtc.mjs"), ("npm",)),
    "pion": Client("Pion", lambda: [str(PION.product)], ("pion",), carries="opus"),
}
