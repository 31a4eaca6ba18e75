"""The recorder's process: it reads the rings twenty times a second, and one socket on which the server asks.

It ends when the server has: everything that the relays wrote until then is written first.
"""

import argparse
import json
import logging
import os
import select
import signal
import socket
import time
from mmap import mmap
from typing import Any, Final

from media.recorder.recorder import Recorder
from media.recording.ring import Ring

INTERVAL: Final = 0.05
"""Seconds between two looks at the rings."""
NICE: Final = 5
"""Sound comes first: what waits here waits in a ring."""
MESSAGE_MAX: Final = 1 << 16
_REPORT: Final = 1.0
"""Seconds between two messages about what cannot be written."""

logger = logging.getLogger(__name__)


def main() -> None:
    """Record until the server is gone."""
    parser = argparse.ArgumentParser(prog="python -m media.recorder", description="Started by python -m media.")
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket of messages")
    parser.add_argument("--ring", type=int, action="append", default=[], help="descriptor of a relay's memory")
    parser.add_argument("--captions", type=int, help="descriptor of the memory that captions are made from")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the parent, which then ends us
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # so is this: it closes the socket when all has been said
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s recorder: %(message)s")
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    captions = None if options.captions is None else _ring(options.captions)
    recorder = Recorder([_ring(descriptor) for descriptor in options.ring], captions)
    with socket.socket(fileno=options.control) as control:
        _run(recorder, control)


def _ring(descriptor: int) -> Ring:
    return Ring(memoryview(mmap(descriptor, 0)))


def _run(recorder: Recorder, control: socket.socket) -> None:
    told: dict[str, str] = {}
    tell_at = 0.0
    _say(control, {"ready": True})
    try:
        while True:
            readable, _, _ = select.select([control], [], [], INTERVAL)
            if readable:
                data = control.recv(MESSAGE_MAX)
                if not data:
                    break
                _say(control, recorder.obey(json.loads(data)))
            recorder.read()
            now = time.monotonic()
            recorder.handle_timer(int(now * 1e6))
            if now >= tell_at and recorder.faults != told:
                told, tell_at = dict(recorder.faults), now + _REPORT
                _say(control, {"faults": told})
    except ConnectionError:
        pass
    finally:
        recorder.end()


def _say(control: socket.socket, message: dict[str, Any]) -> None:
    control.sendall(json.dumps(message).encode())
