"""Requests whose headers never end: so many bytes on a few connections, again wherever the server hangs up."""

import socket
import threading
import time
from contextlib import suppress

from loadtest.bench.attackers.held import Held

LINE = b"X-Stuffing: " + b"a" * 16_000 + b"\r\n"
HEAD = b"GET / HTTP/1.1\r\nHost: bench\r\n"
PATIENCE = 5.0
"""Seconds for which a connection takes nothing until it is given up, and held open."""


def endless_headers(host: str, port: int, octets: int, seconds: float, connections: int = 3) -> Held:
    """Send until all is sent or the time is over; what still stands is held open."""
    held = Held()
    deadline = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_send, args=(held, (host, port), octets // connections, deadline))
        for _ in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return held


def _send(held: Held, address: tuple[str, int], octets: int, deadline: float) -> None:
    sent = 0
    while sent < octets and time.monotonic() < deadline:
        with suppress(OSError):
            connection = socket.create_connection(address, PATIENCE)
            held.take(connection)
            connection.sendall(HEAD)
            while sent < octets and time.monotonic() < deadline:
                connection.sendall(LINE)
                sent += len(LINE)
                held.sent(len(LINE))
            return
        held.refused()
