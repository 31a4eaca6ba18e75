"""Connections that an attacker keeps open, and what went through them."""

import socket
import threading


class Held:
    """Shared by the threads of one attack."""

    def __init__(self) -> None:
        self.octets = self.refusals = 0
        """Bytes sent; connections on which the server hung up."""
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []

    def take(self, connection: socket.socket) -> None:
        """Keep it open."""
        with self._lock:
            self._connections.append(connection)

    def sent(self, octets: int) -> None:
        """Count bytes."""
        with self._lock:
            self.octets += octets

    def refused(self) -> None:
        """Count a connection that the server has closed."""
        with self._lock:
            self.refusals += 1

    def close(self) -> None:
        """Let all go."""
        for each in self._connections:
            each.close()
