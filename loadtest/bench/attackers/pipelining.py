"""Requests one after the other on a connection that reads no answer."""

import socket
from contextlib import suppress

from loadtest.bench.attackers.held import Held

REQUEST = b"GET /openapi.json HTTP/1.1\r\nHost: bench\r\n\r\n"
PATIENCE = 1.0
"""Seconds for which a connection takes nothing until no more is sent on it."""


def unread_answers(host: str, port: int, connections: int, octets: int) -> Held:
    """Send so many bytes of requests on each connection, as far as the server takes them; hold all open."""
    held = Held()
    for _ in range(connections):
        with suppress(OSError):
            connection = socket.create_connection((host, port), PATIENCE)
            held.take(connection)
            for _ in range(max(1, octets // len(REQUEST))):
                connection.sendall(REQUEST)
                held.sent(len(REQUEST))
            continue
        held.refused()
    return held
