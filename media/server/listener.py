"""The listening socket, and how many descriptors the process may have for what it accepts."""

import resource
import socket
from typing import Final

UNREAD_MS: Final = 30_000
"""Milliseconds after which the kernel closes a connection whose client takes nothing, or is not there any more."""
UNSENT: Final = 128 * 1024
"""Bytes that the kernel holds for a client beyond what is under way to it; by default it may be megabytes."""
UNREAD: Final = 32 * 1024
"""Bytes that the kernel holds of what a client has sent; it may double them."""
DESCRIPTORS: Final = 65_536
"""Connections, about, beyond which the memory of one process ends before they do."""
RESERVE: Final = 64
"""Descriptors for the database, relays and files."""


def bound(listener: socket.socket) -> None:
    """Bound what the kernel holds for connections of a listener, which inherit it.  Linux only, in parts."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD)
    for name, value in (("TCP_USER_TIMEOUT", UNREAD_MS), ("TCP_NOTSENT_LOWAT", UNSENT)):
        option = getattr(socket, name, None)
        if option is not None:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)


def allow_many() -> None:
    """Let this process have as many connections as the system lets it; shells begin with 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < DESCRIPTORS <= hard or soft < hard < DESCRIPTORS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, DESCRIPTORS), hard))


def backlog() -> int:
    """Return how many connections may wait to be accepted: all of them may be at once."""
    return min(2048, _descriptors() // 8)


def capacity() -> int:
    """Return how many connections there can be while there are descriptors for what else the process needs."""
    return _descriptors() - backlog() - min(RESERVE, _descriptors() // 4)


def _descriptors() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
