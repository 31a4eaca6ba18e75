"""The recorder's process, as the server has it: started, asked, started again when it ends, ended."""

import asyncio
import contextlib
import itertools
import json
import logging
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

log = logging.getLogger(__name__)

MESSAGE_MAX: Final = 1 << 16
ANSWER: Final = 10.0
"""Seconds after which a recorder that does not answer is ended."""
BACKOFF: Final = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Seconds before it is started again, by how often it has ended in a row."""
STEADY: Final = 60.0
"""Seconds it must have lived for its next end to count as the first."""
GOODBYE: Final = 5.0
"""Seconds it has to write what is left."""


class RecorderLostError(RuntimeError):
    """The recorder ended before it had answered; it is being started again."""


class RecorderProcess:
    """Driven from one event loop, between :meth:`start` and :meth:`stop`."""

    def __init__(self, rings: Callable[[], Sequence[int]], captions: int | None = None) -> None:
        """Take what tells the descriptors of the relays' rings, and that of the ring of captions."""
        self._rings, self._captions = rings, captions
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[None]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.on_restarted: Callable[[], Awaitable[None]] | None = None
        """Awaited when another process has taken the place of one that ended: it knows of no Space."""
        self.faults: dict[str, str] = {}
        """Why something is not written, by Space."""
        self.restarts = 0

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the process unless it was started, and have it started again whenever it ends."""
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep(self._launch()))

    async def stop(self) -> None:
        """Have it write everything, and wait for its end."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._process is not None:
            self._hang_up()
            await asyncio.to_thread(_reap, self._process, GOODBYE)

    async def begin(self, space_id: str, folder: Path, key: bytes, origin_us: int) -> None:
        """Have a Space recorded that started at ``origin_us`` (microseconds, monotonic).

        :raises RecorderLostError: the process ended; :attr:`on_restarted` follows
        """
        await self._ask("begin", space_id, folder=str(folder), key=key.hex(), origin_us=origin_us)

    async def end(self, space_id: str) -> None:
        """Have the recording of a Space completed.

        :raises RecorderLostError: the process ended, and with it all recordings
        """
        await self._ask("end", space_id)

    async def caption(self, space_id: str, user_id: str, *, on: bool) -> None:
        """Have the speech of somebody put into the ring of captions, or no longer.

        :raises RecorderLostError: the process ended; :attr:`on_restarted` follows
        """
        await self._ask("caption", space_id, user=user_id, on=on)

    async def _ask(self, what: str, space_id: str, **more: Any) -> None:
        if self._socket is None:
            raise RecorderLostError("The recorder is being started again.")
        number = next(self._numbers)
        done = self._calls[number] = asyncio.get_running_loop().create_future()
        message = {"number": number, "do": what, "space": space_id, **more}
        try:
            async with asyncio.timeout(ANSWER):
                await asyncio.get_running_loop().sock_sendall(self._socket, json.dumps(message).encode())
                await done
        except (TimeoutError, OSError) as error:
            if self._process is not None:
                self._process.kill()
            raise RecorderLostError("The recorder did not answer and was ended.") from error
        finally:
            self._calls.pop(number, None)

    def _launch(self) -> asyncio.Event:
        """Start a process; the event is set when it has ended."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        rings = list(self._rings())
        captions = [] if self._captions is None else [self._captions]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 (our own)
                [
                    *(sys.executable, "-m", "media.recorder", "--control", str(theirs.fileno())),
                    *(word for ring in rings for word in ("--ring", str(ring))),
                    *(word for ring in captions for word in ("--captions", str(ring))),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *rings, *captions),
                process_group=0,  # the terminal's Ctrl-C reaches the parent alone, which ends us in order
            )
        self._socket = ours
        gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(ours, self._read, ours, gone)
        return gone

    def _read(self, ours: socket.socket, gone: asyncio.Event) -> None:
        try:
            data = ours.recv(MESSAGE_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            if self._socket is ours:
                self._hang_up()
            gone.set()
            return
        message = json.loads(data)
        if "faults" in message:
            for space in message["faults"].keys() - self.faults.keys():
                log.error("A Space is not recorded: %s", message["faults"][space])
            self.faults = message["faults"]
        elif (done := self._calls.get(message.get("done", 0))) and not done.done():
            done.set_result(None)

    def _hang_up(self) -> None:
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        for done in self._calls.values():
            if not done.done():
                done.set_exception(RecorderLostError("The recorder has ended; it is started again."))

    async def _keep(self, gone: asyncio.Event) -> None:
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            began = loop.time()
            await gone.wait()
            assert self._process is not None
            await asyncio.to_thread(_reap, self._process, 1.0)
            if loop.time() - began > STEADY:
                failures = 0
            log.error("The recorder has ended and is started again; up to a second of each Space is lost.")
            await asyncio.sleep(BACKOFF[min(failures, len(BACKOFF) - 1)])
            failures += 1
            gone = self._launch()
            self.restarts += 1
            if self.on_restarted is not None:
                await self.on_restarted()


def _reap(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
