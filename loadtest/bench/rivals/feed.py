"""A voice as plain RTP, for a server that takes its sound from an encoder on the same machine."""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from loadtest.voice import FRAME, TICK, clips
from media.rtc.client import PAYLOAD_TYPE
from media.rtc.rtp import RtpPacket, build_rtp

_SSRC = 0x5EED


@contextmanager
def feed(port: int) -> Generator[None]:
    """Send the first clip of the swarm's speech to a loopback port, 50 packets a second, over and over."""
    stop = threading.Event()
    thread = threading.Thread(target=_send, args=(port, stop), name="feed", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _send(port: int, stop: threading.Event) -> None:
    packets = clips()[0].packets
    number, due = 0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not stop.is_set():
            payload = packets[number % len(packets)]
            stamp = number * FRAME & 0xFFFF_FFFF
            packet = RtpPacket(PAYLOAD_TYPE, number & 0xFFFF, stamp, _SSRC, payload, number == 0, {})
            sender.sendto(build_rtp(packet), ("127.0.0.1", port))
            number += 1
            due += TICK
            time.sleep(max(0.0, due - time.monotonic()))
