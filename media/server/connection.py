"""A TCP connection of the server: an answer that never ends must be able to end a client that does not read.

An ASGI app can say only that it has no more to send, and what it has sent before waits for the client for ever.
Our server therefore offers an extension in the scope, ``spaces.abort``: a function that closes the connection and
throws away what it still holds.
"""

import resource
import socket
from collections.abc import MutableMapping
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ABORT: Final = "spaces.abort"
UNREAD_MS: Final = 30_000
"""Milliseconds after which the kernel closes a connection whose client takes nothing, or is not there any more."""
DESCRIPTORS: Final = 65_536
"""Connections, about, beyond which the memory of one process ends before they do."""
UNSENT: Final = 128 * 1024
"""Bytes that the kernel holds for a client beyond what is under way to it; by default it may be megabytes."""


class Connection(HttpToolsProtocol):
    """Uvicorn's HTTP/1.1 with that extension."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        scope = cast(MutableMapping[str, Any], self.scope)
        scope["extensions"] = {ABORT: self.transport.abort}


def allow_many() -> None:
    """Let this process have as many connections as the system lets it; shells begin with 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < DESCRIPTORS <= hard or soft < hard < DESCRIPTORS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, DESCRIPTORS), hard))


def bound(listener: socket.socket) -> None:
    """Bound what connections of a listener hold for clients that do not read; they inherit it.  Linux only."""
    for name, value in (("TCP_USER_TIMEOUT", UNREAD_MS), ("TCP_NOTSENT_LOWAT", UNSENT)):
        option = getattr(socket, name, None)
        if option is not None:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
