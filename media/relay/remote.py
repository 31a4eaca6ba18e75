"""A relay in another process, seen from the control plane: its interface over a socket, and its life.

The process is started with both sockets already open: the UDP port is bound here, so that it is known at once, a
taken one is refused before anything is started, and a relay that has died finds its port again.
"""

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from media.relay.asking import Asking
from media.relay.compile_progress import CompileProgress
from media.relay.hugepages import environment_with_huge_pages
from media.relay.liveness import COMPILING_SILENCE, LOOK, SILENCE, STARTING_SILENCE, Liveness, state_of
from media.relay.messages import Splitter, error_of, event_of, frame, stats_of
from media.relay.plane import RelayLostError
from media.relay.stats import RelayStats

logger = logging.getLogger(__name__)

MESSAGES = 32
"""Messages of a relay that are dealt with in one turn of the event loop: each takes about 30 µs, and the end of a
large Space brings thousands."""
STOP_TIMEOUT = 5.0
"""Seconds that a relay has for its goodbyes."""
_REAP_TIMEOUT = 1.0
"""Seconds from the end of its socket to the end of its process; it has nothing left to do in them."""


class _Wire(asyncio.Protocol):
    """Takes messages in their order, :data:`MESSAGES` a turn; ``gone`` is done when the other end is."""

    def __init__(self, take: Callable[..., None], heard: Callable[[], None]) -> None:
        self._take = take
        self._heard = heard
        self._splitter = Splitter()
        self._loop = asyncio.get_running_loop()
        self._scheduled = self._ended = False
        self.gone: asyncio.Future[None] = self._loop.create_future()

    def data_received(self, data: bytes) -> None:
        self._heard()
        self._splitter.feed(data)
        if not self._scheduled:
            self._turn()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        if not self._scheduled:
            self._turn()

    def _turn(self) -> None:
        self._scheduled = False
        try:
            for _ in range(MESSAGES):
                if (message := self._splitter.next()) is None:
                    break
                self._take(*message)
        finally:
            if self._splitter:
                self._scheduled = True
                self._loop.call_soon(self._turn)
            elif self._ended and not self.gone.done():
                self.gone.set_result(None)


class RemoteRelay(Asking):
    """Implements :class:`media.relay.plane.RelayPlane`, from ``start`` until the process has ended, once.

    ``on_lost`` is called when the process ends without having been asked to. One that answers no more is ended
    (:mod:`media.relay.liveness`), so that no command waits for longer.
    """

    def __init__(
        self,
        port: socket.socket,
        public_ips: Sequence[str] = (),
        name: str = "relay",
        on_lost: Callable[[], None] = lambda: None,
        ring: int | None = None,
    ) -> None:
        """``ring``: descriptor of the memory that the recorder reads, if there is one."""
        super().__init__()
        self._port, self._ring = port, ring
        self._public_ips, self._name = public_ips, name
        self._on_lost = on_lost
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._stopping = False
        self._progress = CompileProgress(name)
        self._hung = False

    @property
    def address(self) -> tuple[str, int]:
        """Where its UDP port is bound."""
        return self._port.getsockname()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    async def start(self) -> None:
        """Start the process and wait until it is ready, however long it compiles.

        :raises RelayLostError: it ended instead, or fell silent
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 (our own)
                [
                    *(sys.executable, "-m", "media.relay", "--name", self._name),
                    *("--control", str(theirs.fileno()), "--udp", str(self._port.fileno())),
                    *(f"--public-ip={ip}" for ip in self._public_ips),
                    *([] if self._ring is None else ["--ring", str(self._ring)]),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), self._port.fileno(), *([] if self._ring is None else [self._ring])),
                env=environment_with_huge_pages(dict(os.environ)),  # None: as it is
                process_group=0,  # the terminal's Ctrl-C reaches the parent alone, which ends us in order
            )
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()
        self._liveness = Liveness(time.monotonic(), STARTING_SILENCE)
        try:
            self._transport, wire = await loop.create_connection(
                lambda: _Wire(self._take, self._liveness.heard), sock=ours
            )
        except BaseException:  # nobody knows of the process yet, which has the UDP port
            self._process.kill()
            self._process.wait()
            ours.close()
            raise
        self._watching = asyncio.create_task(self._watch(wire.gone))
        self._looking = asyncio.create_task(self._look())
        try:
            await self._started
        except BaseException:
            self._stopping = True
            self._process.kill()
            await self._watching
            raise
        finally:
            self._progress.close()
        self._liveness.limit = SILENCE
        self.ready = True

    async def stop(self) -> None:
        """Have it end all sessions, with a goodbye to each, and wait for its end."""
        self.ready = False
        self._stopping = True
        self._transport.write(frame(0, "stop"))
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await asyncio.shield(self._watching)
        except TimeoutError:
            self._process.kill()
            await self._watching

    async def read_stats(self) -> RelayStats:
        """Fetch the counters."""
        return stats_of(await self._ask("read_stats"))

    async def _ask(self, command: str, *arguments: Any) -> Any:
        if not self.ready:
            raise RelayLostError(f"The {self._name} is not running.")
        self._number += 1
        future = self._calls[self._number] = asyncio.get_running_loop().create_future()
        self._transport.write(frame(self._number, command, *arguments))
        return await future

    def _take(self, kind: str, *rest: Any) -> None:
        """One message of the relay."""
        match kind:
            case "done":
                self._settle(rest[0], rest[1], None)
            case "failed":
                self._settle(rest[0], None, error_of(rest[1], rest[2]))
            case "event":
                self._deliver(event_of(rest[0], rest[1:]))
            case "compiling" if self.ready:
                self._liveness.limit = COMPILING_SILENCE
                return
            case "compiling":
                self._progress.show(*rest)
            case "ready" if not self._started.done():
                self._started.set_result(None)
            case _:
                pass  # "alive", which was heard
        if self.ready:
            self._liveness.limit = SILENCE

    async def _look(self) -> None:
        """Ask now and then whether the process is there, and end it if it does not answer."""
        while True:
            await asyncio.sleep(LOOK)
            if self._liveness.look(time.monotonic(), state_of(self.pid)):
                break
            if self.ready and self._liveness.silent:
                self._transport.write(frame(0, "ping"))
        self._hung = True
        seconds = self._liveness.limit
        logger.error("%s has not answered for %.1f s; its process is killed", self._name, seconds)
        self._process.kill()

    async def _watch(self, gone: asyncio.Future[None]) -> None:
        """Wait for its end, then see to it that nothing is left of it."""
        await gone
        self.ready = False
        self._looking.cancel()
        await asyncio.to_thread(self._reap)
        why = "did not answer any more and was ended" if self._hung else "has ended"
        lost = RelayLostError(f"The {self._name} {why}; join again.")
        for number in [*self._calls]:
            self._settle(number, None, lost)
        if not self._started.done():
            self._started.set_exception(lost)
        elif not self._stopping:
            self._stopping = True
            self._on_lost()

    def _settle(self, number: int, result: Any, error: Exception | None) -> None:
        future = self._calls.pop(number, None)
        if future is None or future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def _reap(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_TIMEOUT)
            return
        self._process.kill()
        self._process.wait()
