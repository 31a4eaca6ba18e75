"""The final transcript of a Space that is over: its passages, recognised once more from the recording.

It improves what is there and is needed for nothing: without a recording, or if the process of captions ends
meanwhile, the live lines stay.
"""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from media.captions.lines import Line
from media.captions.messages import Again, Rewritten
from media.captions.passages import passages_of
from media.server.captions.engine import CaptionEngine
from media.server.captions.store import CaptionStore
from media.server.database_faults import StoreUnavailableError
from media.server.recordings.store import EvidenceGoneError

log = logging.getLogger(__name__)

SETTLE: Final = 5.0
"""Seconds after the end of a Space in which its recorder writes the last of it."""
PATIENCE: Final = 120.0
"""Seconds that a passage may wait: live captions of other Spaces come first."""

Packets = Callable[[str, str, int, int], Awaitable[Sequence[tuple[int, bytes]]]]
"""Reads the packets of a Space, a user and a span of milliseconds, each with its own."""


class FinalTranscripts:
    """One passage at a time, of one Space after the other."""

    def __init__(self, engine: CaptionEngine, store: CaptionStore, packets: Packets) -> None:
        self._engine = engine
        self._store = store
        self._packets = packets
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[Rewritten] | None = None

    async def rewrite(self, space_id: str) -> None:
        """Recognise what was captioned of a Space that has just ended once more."""
        await asyncio.sleep(SETTLE)
        async with self._turn:
            try:
                for passage in passages_of(await self._store.lines(space_id)):
                    span = (passage.start_ms, passage.end_ms)
                    packets = await self._packets(space_id, passage.user_id, *span)
                    sound = [(at, base64.b64encode(payload).decode()) for at, payload in packets]
                    found = await self._ask(Again(space_id, passage.line_ids[0], *span, sound))
                    if found.text:
                        line = Line(passage.line_ids[0], passage.user_id, *span, found.text, found.language)
                        await self._store.replace(space_id, passage.line_ids, line)
            except (EvidenceGoneError, StoreUnavailableError, TimeoutError) as error:
                log.warning("The transcript of Space %s stays as it was live: %s", space_id, error or "no answer")

    def take(self, answer: Rewritten) -> None:
        """Take what the process of captions made of a passage."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    async def _ask(self, message: Again) -> Rewritten:
        async with asyncio.timeout(PATIENCE):
            while True:
                self._answer = asyncio.get_running_loop().create_future()
                self._engine.say(message)
                answer = await self._answer
                if (answer.space_id, answer.line_id) == (message.space_id, message.line_id):
                    return answer
