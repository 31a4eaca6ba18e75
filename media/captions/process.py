"""Captions in a process of their own, at the end of a socket that its parent holds.

The event loop takes packets from a ring and writes lines; one thread recognises. The process is nicer than the
relays and the server, keeps to a bound of memory, and ends when the other end of its socket is gone. It says once
a second that it lives, unless its thread hangs: whoever started it then ends it and starts another.
"""

import asyncio
import base64
import contextlib
import logging
import os
import resource
import socket
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from media.captions.captioner import Captioner
from media.captions.gates import recognise_gated
from media.captions.listening import Listening
from media.captions.messages import (
    LINE_MAX,
    Again,
    Alive,
    Audiences,
    Began,
    Message,
    MessageError,
    Rewritten,
    Withdrawn,
    line_of,
    message_of,
)
from media.captions.passage_sound import sound_of
from media.captions.recogniser import FULL_WINDOW_S, Heard, Recogniser
from media.recording.ring import Ring

log = logging.getLogger(__name__)

NICE: Final = 10
"""Sound never waits for captions."""
LOOK: Final = 0.1
"""Seconds between two looks at the ring, at who is silent and at what waits."""
ALIVE: Final = 1.0
"""Seconds between two signs of life."""
HANGS: Final = 20.0
"""Seconds after which a phrase is taken to be recognised for ever; most take a fifth of one."""
_AGAIN_MAX: Final = 4
"""Passages that wait; whoever sends them has one under way."""
MEMORY_MIB: Final = 1024
"""Memory that the process may have; Whisper base takes 420 MiB."""


class MemoryExceededError(RuntimeError):
    """The process has more memory than it may."""


class CaptionProcess:
    """A captioner, its recogniser, and a socket."""

    def __init__(
        self, wire: socket.socket, ring: Ring, recogniser: Recogniser, partial_ms: int, memory_mib: int
    ) -> None:
        self._wire = wire
        self._listening = Listening(ring)
        self._recogniser = recogniser
        self._memory = memory_mib << 20
        self._captioner = Captioner(partial_ms)
        self._again: deque[Again] = deque(maxlen=_AGAIN_MAX)
        self._news = asyncio.Event()
        self._began: float | None = None
        """When the phrase that is being recognised was begun; None for none."""

    async def run(self) -> None:
        """Go on until the other end is gone.

        :raises MemoryExceededError: it takes more memory than it may
        :raises MessageError: a line is no message
        """
        reader, self._writer = await asyncio.open_unix_connection(sock=self._wire, limit=LINE_MAX)
        tasks = [asyncio.create_task(each) for each in (self._read(reader), self._recognise(), self._look())]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for task in done:
            with contextlib.suppress(ConnectionError):
                task.result()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await self._line(reader):
            self._take(message_of(line))

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readline()
        except ValueError:
            raise MessageError(f"A line has more than {LINE_MAX} bytes.") from None

    def _take(self, message: Message) -> None:
        match message:
            case Began(space_id, user_id, origin_us):
                self._listening.begin((space_id, user_id), origin_us)
                self._captioner.begin((space_id, user_id))
            case Withdrawn(space_id, user_id):
                self._listening.withdraw((space_id, user_id))
                self._captioner.withdraw((space_id, user_id))
            case Again():
                self._again.append(message)
                self._news.set()
            case Audiences(listeners):
                self._captioner.set_audiences(listeners)
            case _:
                raise MessageError(f"A server does not say {type(message).__name__}.")

    async def _recognise(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "recogniser") as thread:
            while True:
                task = self._captioner.next()
                if task is None and self._again:
                    await self._say(await self._rewrite(loop, thread, self._again.popleft()))
                    continue
                if task is None:
                    self._news.clear()
                    await self._news.wait()
                    continue
                self._began = time.monotonic()
                heard = await loop.run_in_executor(thread, task.perform, self._recogniser)
                self._began = None
                caption = self._captioner.heard(task, heard)
                if caption is not None:
                    await self._say(caption)

    async def _rewrite(
        self, loop: asyncio.AbstractEventLoop, thread: ThreadPoolExecutor, again: Again
    ) -> Rewritten:
        self._began = time.monotonic()
        heard = await loop.run_in_executor(thread, _hear_again, self._recogniser, again)
        self._began = None
        text, language = ("", "") if heard is None else (heard.text, heard.language)
        return Rewritten(again.space_id, again.line_id, text, language)

    async def _look(self) -> None:
        said = float("-inf")
        while True:
            now = time.monotonic()
            for sound in self._listening.read():
                self._captioner.packet(sound.track, sound.at_ms, sound.payload, now)
            for paused in self._captioner.review(now):
                await self._say(paused)
            if len(self._captioner):
                self._news.set()
            hangs = self._began is not None and now - self._began > HANGS
            if now - said >= ALIVE and not hangs:
                said = now
                await self._say(self._alive())
            await asyncio.sleep(LOOK)

    def _alive(self) -> Alive:
        rss = memory_of_self()
        if rss > self._memory:
            raise MemoryExceededError(
                f"captions take {rss >> 20} MiB of memory, and may take {self._memory >> 20} MiB"
            )
        return Alive(self._recogniser.name, len(self._captioner), rss, self._captioner.dropped_partials)

    async def _say(self, message: Message) -> None:
        self._writer.write(line_of(message))
        await self._writer.drain()


def _hear_again(recogniser: Recogniser, again: Again) -> Heard | None:
    packets = [(at_ms, base64.b64decode(payload)) for at_ms, payload in again.packets]
    sound = sound_of(packets, again.start_ms, again.end_ms)
    return recognise_gated(recogniser, sound, FULL_WINDOW_S, None)


def memory_of_self() -> int:
    """Return the resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def bound(memory_mib: int) -> None:
    """Be nice, and bound what can be allocated: twice what may be resident, since not all of it is touched."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (2 * memory_mib << 20, resource.RLIM_INFINITY))


def serve(wire: socket.socket, ring: Ring, recogniser: Recogniser, partial_ms: int, memory_mib: int) -> int:
    """Serve one socket until it is closed; return the status to exit with."""
    try:
        asyncio.run(CaptionProcess(wire, ring, recogniser, partial_ms, memory_mib).run())
    except (MemoryExceededError, MemoryError, MessageError) as error:
        log.error("%s; this process of captions ends", error or "there is no memory left")
        return 1
    return 0
