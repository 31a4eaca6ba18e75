"""Captions of this server's Spaces: who consents, what is shown, and which lines stay.

Nobody is captioned who has not consented in this Space, while on its stage, to this process: consents are kept in
memory alone, so one that could not be taken back does not exist. Lines are shown first and written as soon as
the store takes them.
"""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Final

from media.captions.lines import Line
from media.captions.messages import Audiences, Began, Rewritten, Withdrawn
from media.captions.shown import Caption, Paused
from media.server.captions.engine import CaptionEngine
from media.server.captions.final import FinalTranscripts, Packets
from media.server.captions.schema import CaptionData, CaptionStateData
from media.server.captions.store import CaptionStore
from media.server.captions.tables import TEXT_MAX
from media.server.clock import Clock
from media.server.database_faults import StoreUnavailableError
from media.server.errors import Problem
from media.server.events.hub import Hub
from media.server.spaces import Spaces
from media.space.errors import NoRightError, WrongStateError
from media.space.events import Events, SpaceEnded
from media.space.permissions import Action, check, role_of
from media.space.space import Space
from media.space.states import ON_STAGE, State

AUDIENCE: Final = 1.0
"""Seconds between two looks at how many listen."""
UNWRITTEN_MAX: Final = 10_000
"""Lines that wait for the store at most; the oldest are lost then."""


class Captions:
    """Driven by the routes, by what happens in Spaces, and by the process of captions."""

    def __init__(
        self, engine: CaptionEngine | None, store: CaptionStore, spaces: Spaces, hub: Hub, clock: Clock
    ) -> None:
        """Without an engine nobody can consent, and what was captioned before is there all the same."""
        self.engine = engine
        self.store = store
        self.on_consent: Callable[[str, str, bool], None] = lambda space_id, user_id, on: None
        """Is told whose sound is to go into the engine's ring, and whose not any more: Space, user, whether."""
        self.on_line: list[Callable[[str, Line], None]] = []
        """Are told each final line, with the id of its Space."""
        self.final: FinalTranscripts | None = None
        """Makes transcripts better where there is a recording."""
        self._spaces = spaces
        self._hub = hub
        self._clock = clock
        self._consents: dict[str, set[str]] = {}
        """Users by Space."""
        self._paused: set[str] = set()
        self._passing: set[tuple[str, str]] = set()
        """Whose line is shown and still changes."""
        self._unwritten: deque[tuple[str, Line]] = deque(maxlen=UNWRITTEN_MAX)
        self._writing = asyncio.Lock()
        self._audiences: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        spaces.watch(self._watch)
        if engine is not None:
            engine.on_message, engine.on_begun = self._take, self._begun

    def open(self) -> None:
        """Start the engine."""
        if self.engine is not None:
            self.engine.start()
            self._run(self._follow_audiences())

    async def close(self) -> None:
        """End the engine, and write what waits."""
        for task in self._tasks:
            task.cancel()
        if self.engine is not None:
            await self.engine.stop()
        await self.write()

    def transcribe_from(self, packets: Packets) -> None:
        """Make transcripts of Spaces that are over anew, from what was recorded."""
        if self.engine is not None:
            self.final = FinalTranscripts(self.engine, self.store, packets)

    def consents(self, space_id: str) -> set[str]:
        """Return who consents in a Space."""
        return set(self._consents.get(space_id, ()))

    def is_paused(self, space_id: str) -> bool:
        """Whether captions of a Space wait until there is less to recognise."""
        return space_id in self._paused

    def consent(self, space: Space, user_id: str) -> None:
        """Caption what somebody on a live Space's stage says from now on.

        :raises Problem: 409, this server makes no captions
        :raises NoRightError: they are not on the stage
        :raises WrongStateError: the Space is not live
        """
        if self.engine is None:
            raise Problem(409, "no-captions", "This server makes no captions; it would with --captions.")
        if space.state is not State.LIVE:
            raise WrongStateError("Captions are for a Space that is live.")
        check(role_of(space.people.standing(user_id)), Action.BE_CAPTIONED)
        users = self._consents.setdefault(space.id, set())
        if user_id not in users:
            users.add(user_id)
            self._follow(space, user_id)
            self._tell(space.id)

    def withdraw(self, space_id: str, user_id: str) -> None:
        """Caption somebody no more; what they said and is not shown yet is forgotten."""
        users = self._consents.get(space_id, set())
        if user_id not in users:
            return
        users.discard(user_id)
        if not users:
            self._consents.pop(space_id, None)
            self._paused.discard(space_id)
        self.on_consent(space_id, user_id, False)
        if self.engine is not None:
            self.engine.say(Withdrawn(space_id, user_id))
        if (space_id, user_id) in self._passing:
            self._show(Caption(space_id, user_id, 0, 0, "", "", final=True))
        self._tell(space_id)

    async def lines(
        self,
        space_id: str,
        start_ms: int = 0,
        end_ms: int | None = None,
        user_id: str | None = None,
        newest: int | None = None,
    ) -> list[Line]:
        """Read final lines, as :meth:`CaptionStore.lines`; those that wait to be written are written first."""
        await self.write()
        return await self.store.lines(space_id, start_ms, end_ms, user_id, newest)

    async def correct(self, space: Space, line_id: str, user_id: str, text: str) -> Line:
        """Let a speaker say what a line of theirs really was.

        :raises Problem: 404, there is no such line
        :raises NoRightError: it is somebody else's
        """
        await self.write()
        line = await self.store.get(space.id, line_id)
        if line is None:
            raise Problem(404, "unknown-line", "There is no line of this id in the transcript of this Space.")
        if line.user_id != user_id:
            raise NoRightError("Only whoever said a line can correct it.")
        text = " ".join(text.split())
        await self.store.correct(space.id, line_id, text)
        line = Line(
            line.id, user_id, line.start_ms, line.end_ms, text, line.language, automatic=False, corrected=True
        )
        self._hub.publish_to_space(space.id, "caption", CaptionData.of(line))
        return line

    async def write(self) -> None:
        """Write the lines that wait; also when the store is back.

        :raises StoreUnavailableError: it is away, and they wait on
        """
        async with self._writing:
            while self._unwritten:
                some = list(self._unwritten)
                await self.store.add(some)
                for _ in some:
                    self._unwritten.popleft()

    def _take(self, message: Caption | Paused | Rewritten) -> None:
        """Take what the engine says; of those who have withdrawn since, nothing."""
        if isinstance(message, Rewritten):
            if self.final is not None:
                self.final.take(message)
        elif isinstance(message, Paused):
            if message.space_id in self._consents and message.paused != self.is_paused(message.space_id):
                (self._paused.add if message.paused else self._paused.discard)(message.space_id)
                self._tell(message.space_id)
        elif message.user_id in self._consents.get(message.space_id, ()):
            self._show(message)

    def _show(self, caption: Caption) -> None:
        key = (caption.space_id, caption.user_id)
        (self._passing.discard if caption.final else self._passing.add)(key)
        if not caption.final or not caption.text:
            self._hub.publish_to_space(caption.space_id, "caption", CaptionData.passing(caption), remember=False)
            return
        line = Line(
            f"{caption.start_ms:09d}{secrets.token_hex(3)}",
            caption.user_id,
            caption.start_ms,
            caption.end_ms,
            caption.text[:TEXT_MAX],
            caption.language,
        )
        self._hub.publish_to_space(caption.space_id, "caption", CaptionData.of(line))
        self._unwritten.append((caption.space_id, line))
        self._run(self._write_soon())
        for told in self.on_line:
            told(caption.space_id, line)

    async def _write_soon(self) -> None:
        with contextlib.suppress(StoreUnavailableError):  # written when it is back
            await self.write()

    def _follow(self, space: Space, user_id: str) -> None:
        """Have somebody's sound sent to the engine, and used."""
        assert self.engine is not None
        self._say_audiences()
        since_start = self._clock() - (space.started_at or self._clock())
        self.engine.say(Began(space.id, user_id, time.monotonic_ns() // 1000 - round(1e6 * since_start)))
        self.on_consent(space.id, user_id, True)

    def _begun(self) -> None:
        """Tell a new process whom it may listen to; their sound gets new numbers in the ring, which it reads."""
        self._audiences = {}
        self._paused.clear()
        for space_id, users in list(self._consents.items()):
            space = self._spaces.held(space_id)
            for user_id in list(users):
                self.on_consent(space_id, user_id, False)
                if space is not None:
                    self._follow(space, user_id)
            self._tell(space_id)

    def _watch(self, space: Space, events: Events) -> None:
        """Who leaves the stage, or whose Space is over, consents no more; its transcript is made anew."""
        if self.final is not None and any(isinstance(event, SpaceEnded) for event in events):
            self._run(self.final.rewrite(space.id))
        for user_id in list(self._consents.get(space.id, ())):
            if space.state is not State.LIVE or space.people.standing(user_id) not in ON_STAGE:
                self.withdraw(space.id, user_id)

    def _tell(self, space_id: str) -> None:
        data = CaptionStateData(user_ids=sorted(self.consents(space_id)), paused=self.is_paused(space_id))
        self._hub.publish_to_space(space_id, "captions", data)

    def _say_audiences(self) -> None:
        held = {space_id: self._spaces.held(space_id) for space_id in self._consents}
        audiences = {key: space.participant_count for key, space in held.items() if space is not None}
        if self.engine is not None and audiences != self._audiences:
            self._audiences = audiences
            self.engine.say(Audiences(audiences))

    async def _follow_audiences(self) -> None:
        while True:
            self._say_audiences()
            await asyncio.sleep(AUDIENCE)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
