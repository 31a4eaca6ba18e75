"""What stands in archives: of a Space what its host may know, and of a person what is their own.

Of reports a host is told what was decided, and nothing of who reported, in which words, or of what is not decided
yet: who reports must have nothing to fear from a host.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from pydantic_core import to_json

from media.captions.formats import as_json, srt, vtt
from media.captions.lines import Line
from media.moderation.states import CaseState
from media.server.accounts import Accounts, Relation
from media.server.analytics.analytics import Analytics
from media.server.analytics.schema import Report
from media.server.captions.service import Captions
from media.server.database import Database
from media.server.downloads.archive import Step
from media.server.downloads.store import Download
from media.server.moderation.reading import Reading
from media.server.moderation.shapes import ReportOut
from media.server.moderation.tables import CASES
from media.server.profiles import UserOut
from media.server.recordings.service import Recordings
from media.server.recordings.store import EvidenceGoneError, gone
from media.server.schemas import PersonOut, SpaceOut
from media.server.spaces import Spaces
from media.server.tables import SPACES
from media.space.space import Space
from media.space.states import State

PAGE: Final = 500
"""Rows that are read at a time."""


class Contents:
    """Asks the services; nothing here changes anything."""

    def __init__(
        self,
        spaces: Spaces,
        recordings: Recordings,
        captions: Captions,
        accounts: Accounts,
        analytics: Analytics,
        reading: Reading,
        database: Database,
    ) -> None:
        self._spaces, self._recordings, self._captions = spaces, recordings, captions
        self._accounts, self._analytics, self._reading = accounts, analytics, reading
        self._database = database

    async def steps(self, download: Download) -> Sequence[Step]:
        """Return the files of an archive."""
        if download.space_id:
            return self._of_space(await self._spaces.get(download.space_id))
        return await self._of_person(download.user_id)

    def _of_space(self, space: Space) -> list[Step]:
        lines = partial(self._captions.lines, space.id)
        return [
            Step("space.json", _ready(SpaceOut.of(space))),
            Step("participants.json", _ready([PersonOut.of(each) for each in space.people.named.values()])),
            Step("messages.json", _ready([_timed(each) for each in space.notes.messages])),
            Step("shared-posts.json", _ready([_timed(each) for each in (*space.notes.pins, *space.notes.shared)])),
            Step("events.json", lambda: self._events(space)),
            Step("analytics.json", lambda: self._report(space)),
            Step("reports.json", lambda: self._decided(space)),
            *self._transcript("", lines, space),
            Step("audio/mix.ogg", lambda: self._sound(space, None)),
            Step("audio/own-track.ogg", lambda: self._sound(space, space.host)),
        ]

    async def _of_person(self, user_id: str) -> list[Step]:
        spaces = [space async for space in self._took_part(user_id)]
        steps = [
            Step("profile.json", lambda: self._profile(user_id)),
            Step("follows.json", lambda: self._follows(user_id)),
            Step("reports.json", lambda: self._own_reports(user_id)),
            Step("spaces.json", _ready([_part_of(space, user_id) for space in spaces])),
        ]
        for space in spaces:
            if space.state is State.ENDED and user_id in space.spoke:
                folder = f"spaces/{space.id}/"
                steps += self._transcript(folder, partial(self._captions.lines, space.id, user_id=user_id), space)
                steps.append(Step(f"{folder}own-track.ogg", partial(self._sound, space, user_id)))
        return steps

    def _transcript(self, folder: str, lines: Callable[[], Awaitable[list[Line]]], space: Space) -> list[Step]:
        async def made(write: Callable[[Sequence[Line], Callable[[str], str]], str]) -> bytes:
            said = await lines()
            names = await self._names({line.user_id for line in said})
            return write(said, lambda user_id: names.get(user_id, user_id)).encode()

        about = {"space_id": space.id, "title": space.title}
        return [
            Step(f"{folder}transcript.vtt", lambda: made(vtt)),
            Step(f"{folder}transcript.srt", lambda: made(srt)),
            Step(f"{folder}transcript.json", lambda: made(lambda said, name_of: as_json(said, name_of, about))),
        ]

    async def _sound(self, space: Space, user_id: str | None) -> bytes:
        for track in await self._recordings.tracks(space.id):
            if track.user_id == user_id:
                return await self._recordings.audio(space.id, user_id, 0, track.end_ms)
        raise EvidenceGoneError("Nothing was heard of this track.")

    async def _events(self, space: Space) -> bytes:
        return to_json(await self._recordings.events(space.id), indent=1)

    async def _report(self, space: Space) -> bytes:
        ledger = await self._analytics.of(space.id)
        if ledger is None:
            raise gone()
        return to_json(Report.of(space, ledger), indent=1)

    async def _decided(self, space: Space) -> bytes:
        c = CASES.c
        over = c.state.in_([CaseState.CLOSED.value, CaseState.FINAL.value])
        query = sa.select(c.user_id, c.category, c.decided_at, c.violation, c.outcome).where(
            c.space_id == space.id, over
        )
        async with self._database.connect() as connection:
            rows = [
                {
                    "about": row.user_id or "the Space",
                    "category": row.category,
                    "decided_at": None if row.decided_at is None else _time(row.decided_at),
                    "violation": row.violation,
                    "after_appeal": row.outcome,
                }
                for row in await connection.execute(query.order_by(c.id))
            ]
        return to_json(rows, indent=1)

    async def _profile(self, user_id: str) -> bytes:
        user = await self._accounts.get(user_id)
        profile = (
            {"id": user_id} if user is None else UserOut.of(user).model_dump(mode="json") | {"adult": user.adult}
        )
        return to_json(profile, indent=1)

    async def _follows(self, user_id: str) -> bytes:
        wanted = {
            "following": (Relation.FOLLOW, self._accounts.targets),
            "followers": (Relation.FOLLOW, self._accounts.sources),
            "blocking": (Relation.BLOCK, self._accounts.targets),
        }
        found: dict[str, list[str]] = {}
        for name, (kind, read) in wanted.items():
            found[name], before = [], None
            while page := await read(kind, user_id, before, PAGE):
                found[name] += [user.id for _, user in page]
                before = page[-1][0]
        return to_json(found, indent=1)

    async def _own_reports(self, user_id: str) -> bytes:
        made: list[dict[str, Any]] = []
        before = None
        while rows := await self._reading.reports_of(user_id, PAGE, before):
            for row in rows:
                shown = ReportOut.of(row, row.state, row.violation).model_dump(mode="json")
                made.append(shown | {"text": row.text})
            before = rows[-1].id
        return to_json(made, indent=1)

    async def _took_part(self, user_id: str) -> AsyncIterator[Space]:
        """Yield the Spaces that somebody made or spoke in, the oldest first."""
        c = SPACES.c
        named = sa.cast(c.record, sa.Text).contains(to_json(user_id).decode(), autoescape=True)
        query = sa.select(c.id).where(sa.or_(c.creator_id == user_id, named)).order_by(c.created_at, c.id)
        async with self._database.connect() as connection:
            found = list((await connection.execute(query)).scalars())
        for space_id in found:
            space = await self._spaces.get(space_id)
            if space.host == user_id or user_id in space.spoke:
                yield space

    async def _names(self, user_ids: Collection[str]) -> dict[str, str]:
        return {user.id: user.name for user in await self._accounts.some(user_ids)}


def _ready(content: object) -> Callable[[], Awaitable[bytes]]:
    async def made() -> bytes:
        return to_json(content, indent=1)

    return made


def _timed(note: Any) -> dict[str, Any]:
    """Show a message or a post that was shown, with the time as the API writes it."""
    return {name: getattr(note, name) for name in note.__dataclass_fields__} | {"at": _time(note.at)}


def _part_of(space: Space, user_id: str) -> dict[str, Any]:
    return {
        "id": space.id,
        "title": space.title,
        "state": space.state.value,
        "host": space.host == user_id,
        "spoke": user_id in space.spoke,
        "created_at": _time(space.created_at),
        "started_at": None if space.started_at is None else _time(space.started_at),
        "ended_at": None if space.ended_at is None else _time(space.ended_at),
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
