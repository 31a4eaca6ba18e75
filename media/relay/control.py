"""The relay's end of the control socket: commands in, answers and events out, on the media thread.

No second thread takes part: handing a command to another one and its answer back would wake each of them for every
join, and have both fight for the interpreter. Nothing here waits for the control plane: what it does not read yet
is kept.
"""

import logging
import resource
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from media.relay.commands import Commands
from media.relay.messages import Splitter, event_frame, frame, link_of
from media.relay.plane import PlaneEvent
from media.relay.stats import RelayStats

logger = logging.getLogger(__name__)

_CHUNK = 1 << 16
_LINKS = ("feed", "follow", "cut")


class Control:
    """Implements :class:`media.relay.loop.Desk` on one end of a socket pair."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._splitter = Splitter()
        self._unsent = bytearray()
        self.ended = False
        """The relay is to end: it was told to, or nobody is at the other end."""

    @property
    def unsent(self) -> bool:
        """Something is there to be sent, perhaps once the control plane reads."""
        return bool(self._unsent)

    def fileno(self) -> int:
        """The socket's."""
        return self._socket.fileno()

    def obey(self, commands: Commands) -> None:
        """Say that commands are taken from now on, and whom they are for."""
        self._commands = commands
        self._unsent += frame("ready")
        self.flush()

    def say(self, *message: Any) -> None:
        """Send a message now, while no command is taken yet; without the other end, :attr:`ended` is true."""
        self._unsent += frame(*message)
        self.flush()

    def tell(self, event: PlaneEvent) -> None:
        """Put an event behind what is to be sent."""
        self._unsent += event_frame(event)

    def serve(self) -> bool:
        """Run one command, if one is there; its answer is to be sent."""
        if not self._splitter:
            self._read()
        message = self._splitter.next()
        if message is not None:
            number, command, *arguments = message
            if command == "stop":
                self.ended = True
            elif command == "ping":
                self._unsent += frame("alive")
            else:
                self._unsent += self._answer(number, command, arguments)
        return bool(self._splitter)

    def flush(self) -> None:
        """Send what there is room for."""
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            pass
        except ConnectionError:
            self._unsent.clear()
            self.ended = True

    def close(self, timeout: float) -> None:
        """Send what is unsent, for so many seconds, and close."""
        self._socket.settimeout(timeout)
        with suppress(OSError):
            self._socket.sendall(self._unsent)
        self._socket.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        self.ended = self.ended or not data
        self._splitter.feed(data)

    def _answer(self, number: int, command: str, arguments: list[Any]) -> bytes:
        try:
            if command in _LINKS:
                arguments = [link_of(arguments[0])]
            result = self._commands.run(command, *arguments)
            if isinstance(result, RelayStats):
                _add_process(result)
            return frame("done", number, result)
        except Exception as error:
            if type(error) is RuntimeError or not isinstance(error, ValueError | RuntimeError):
                logger.exception("command %s failed", command)
            return frame("failed", number, type(error).__name__, str(error))


def _add_process(stats: RelayStats) -> None:
    stats.process_cpu_seconds = time.process_time()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    stats.resident_bytes = pages * resource.getpagesize()
