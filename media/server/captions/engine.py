"""The process that makes captions: started, listened to, and started again when it ends, hangs or eats memory.

What it hears comes to it through memory that it shares with the recorder, so nothing here waits for it: while
there is no process, what is said is not captioned, and that is all.
"""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from media.captions.messages import LINE_MAX, Alive, Message, MessageError, Rewritten, line_of, message_of
from media.captions.shown import Caption, Paused
from media.recording.ring import PAGE, SIZE
from media.relay.liveness import LOOK, Liveness, state_of

log = logging.getLogger(__name__)

SILENCE: Final = 10.0
"""Seconds without a sign of life after which a process is ended; it gives one each second."""
STARTING: Final = 60.0
"""Seconds for one that loads its model."""
BACKOFF: Final = (0.0, 1.0, 5.0, 30.0)
"""Seconds before the next process, by how many have ended in a row; then always the last."""
STEADY: Final = 60.0
"""Seconds that one must have lived for its end to count as the first."""
UNSENT_MAX: Final = 1 << 20
"""Bytes that may wait for a process that does not read; what comes then is left out."""


class CaptionEngine:
    """At most one process at a time."""

    def __init__(self, model: str, cache: Path, memory_mib: int | None = None) -> None:
        """Take what :func:`media.captions.models.find_model` takes, or ``tones``."""
        self._command = [sys.executable, "-m", "media.captions", "--model", model, "--cache", str(cache)]
        if memory_mib is not None:
            self._command += ["--memory", str(memory_mib)]
        self.memory = os.memfd_create("captions")
        """Descriptor of the ring that the recorder writes sound into."""
        os.ftruncate(self.memory, PAGE + SIZE)
        self.on_message: Callable[[Caption | Paused | Rewritten], None] = lambda _: None
        self.on_begun: Callable[[], None] = lambda: None
        """Is called when a process is ready, which then knows nobody yet."""
        self.alive: Alive | None = None
        """What the process last said of itself; None while there is none that is ready."""
        self.process: asyncio.subprocess.Process | None = None
        self.ended = 0
        """Processes that have ended without being asked to."""
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._task = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        """End the process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        os.close(self.memory)

    def say(self, message: Message) -> None:
        """Tell the process something; it is lost while there is none that is ready."""
        if self.alive is None or self._writer is None or self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() < UNSENT_MAX:
            self._writer.write(line_of(message))

    async def _keep(self) -> None:
        failures = 0
        while True:
            begun = time.monotonic()
            try:
                await self._run()
            except OSError as error:
                log.error("The process of captions cannot be started: %s", error)
            failures = 1 if time.monotonic() - begun > STEADY else failures + 1
            self.ended += 1
            wait = BACKOFF[min(failures, len(BACKOFF)) - 1]
            log.error("The process of captions ended; there are none until the next one is ready.")
            await asyncio.sleep(wait)

    async def _run(self) -> None:
        """Have one process from its start to its end."""
        ours, theirs = socket.socketpair()
        with theirs:
            descriptors = (theirs.fileno(), self.memory)
            command = [*self._command, "--socket", str(descriptors[0]), "--ring", str(descriptors[1])]
            self.process = process = await asyncio.create_subprocess_exec(*command, pass_fds=descriptors)
        reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=LINE_MAX)
        watch = asyncio.create_task(self._watch(process))
        try:
            while line := await reader.readline():
                self._take(message_of(line))
        except (ConnectionError, MessageError, ValueError) as error:
            log.error("The process of captions is ended: %s", error)
        finally:
            watch.cancel()
            self.alive = None
            self._writer.close()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            self.process = None

    def _take(self, message: Message) -> None:
        match message:
            case Alive():
                is_new, self.alive = self.alive is None, message
                self._liveness.heard()
                if is_new:
                    self._liveness.limit = SILENCE
                    log.info("Captions are made by %s.", message.model)
                    self.on_begun()
            case Caption() | Paused() | Rewritten():
                self.on_message(message)
            case _:
                raise MessageError(f"A process of captions does not say {type(message).__name__}.")

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        self._liveness = Liveness(time.monotonic(), STARTING)
        while not self._liveness.look(time.monotonic(), state_of(process.pid)):
            await asyncio.sleep(LOOK)
        log.error("The process of captions says nothing any more, and is ended.")
        process.kill()
