"""A live Space, a report, a reviewer who decides and a user who is told: what tests of statements begin with."""

from typing import Any

import httpx
import sqlalchemy as sa

from media.moderation.categories import DAY, Category
from media.moderation.decision import Action
from media.server.appeals.schemas import StatementForm
from media.server.auth import Caller, Role
from media.server.moderation.search import Search
from media.server.recordings.store import Recording
from media.server.recordings.tables import RECORDING_HOLDS
from tests.media.server.service import Service

SETTLED = 11.0
"""Seconds after which nobody can take a decision back."""
REA = Caller("rea", roles=frozenset({Role.REVIEWER}))
ROB = Caller("rob", roles=frozenset({Role.REVIEWER}))
SENIOR = Caller("sue", roles=frozenset({Role.SENIOR}))


class Court:
    """What tests do with a service, beside its HTTP."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.moderation = service.app.state.moderation
        self.recordings = service.app.state.recordings.store
        self.path = ""

    @property
    def space_id(self) -> str:
        return self.path.rpartition("/")[2]

    async def room(self, *speakers: str) -> str:
        """Make a live Space of ana in which these speak; return its path."""
        self.path = await self.service.live(title="Ana and Ben on Friday", speak_policy="everyone", lang="en")
        for name in speakers:
            await self.service.ok(name, "POST", f"{self.path}/requests")
            await self.service.connect(name, self.path, "whip")
        return self.path

    async def report(
        self, about: str | None = "ben", by: str = "eve", category: Category = Category.HATE, text: str = ""
    ) -> int:
        """Report somebody; return the number of the case."""
        filing = await self.moderation.report(Caller(by), self.space_id, about, category, text)
        assert filing.case is not None
        return int(filing.case.id)

    async def claim(self, who: Caller = REA, **search: Any) -> int | None:
        """Have a reviewer claim the next case; return its number."""
        row = await self.moderation.claim(who, Search(**search))
        return None if row is None else int(row.id)

    async def decide(
        self, number: int, *actions: Action, who: Caller = REA, form: StatementForm | None = None
    ) -> None:
        """Claim the case and decide it."""
        assert await self.claim(who) == number
        await self.moderation.decide(number, who, set(actions), "", form)

    async def decided(self, *actions: Action, **more: Any) -> str:
        """Have ben reported and decided about, for good; return the id of his statement."""
        number = await self.report()
        await self.decide(number, *actions, **more)
        await self.later(SETTLED)
        return (await self.statements("ben"))[0]["id"]

    async def statements(self, name: str) -> list[dict[str, Any]]:
        return (await self.service.ok(name, "GET", "/2/users/me/statements"))["data"]

    async def complain(self, name: str, statement: str, text: str = "It was a quotation.") -> httpx.Response:
        return await self.service.call(
            name, "POST", f"/2/users/me/statements/{statement}/appeal", json={"text": text}
        )

    async def recorded(self) -> None:
        """Have a recording of the Space, as far as the store knows."""
        now = self.moderation.now
        await self.recordings.add(Recording(self.space_id, 0, "0" * 64, now, None, False, False, None))

    async def erase(self) -> None:
        """Have its recording erased, as retention does it."""
        assert await self.recordings.begin_erasure([self.space_id]) == {self.space_id}
        async with self.recordings.database.begin() as connection:
            await self.recordings.note_erased(connection, [self.space_id], self.moderation.now)

    async def holders(self) -> set[str]:
        """Return the cases that keep the recording."""
        async with self.recordings.database.connect() as connection:
            return set((await connection.execute(sa.select(RECORDING_HOLDS.c.holder))).scalars())

    async def later(self, seconds: float) -> None:
        """Let time pass."""
        self.service.clock.ahead += seconds
        await self.moderation.sweep()

    async def as_reviewer(self, who: Caller, method: str, path: str, **more: Any) -> httpx.Response:
        token = self.service.token(who.name, roles=who.roles)
        headers = {"Authorization": f"Bearer {token}"}
        return await self.service.http.request(method, f"/2/moderation{path}", headers=headers, **more)


HALF_A_YEAR = 183 * DAY
