"""Invitations to many at once, in bounds: so many a time, so many a day, each person once to a Space.

Whoever has opted out, is suspended, has had enough invitations lately, or has a block between them and who
invites, is passed over; which of these it was is not told, since a block is nobody else's business.
"""

import asyncio
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.accounts import Accounts
from media.server.auth import is_name
from media.server.discovery.circles import Circles
from media.server.errors import Problem
from media.server.finding.attendance import Attendance
from media.server.finding.finding import Finding
from media.server.finding.guests import Campaign, Guest, Guests
from media.server.finding.terms import read_terms
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.space.errors import BadInputError, NoRightError, SpaceError
from media.space.events import Events
from media.space.space import Space
from media.space.states import Input, Standing, next_state

PEOPLE_MAX: Final = 500
"""People of one campaign."""
DAY: Final = 86_400.0
DAILY_MAX: Final = 1_000
"""Invitations that one person can send by campaigns in a day."""
WEEKLY_MAX: Final = 5
"""Invitations by campaigns that one person is sent in a week."""
_BASE62: Final = string.digits + string.ascii_letters

Role = Literal["listener", "speaker"]
Why = Literal["unreachable", "invited already", "not now"]


@dataclass(frozen=True, slots=True)
class Passed:
    """Somebody who was not invited."""

    user_id: str
    why: Why
    detail: str


class Campaigns:
    """Driven by the routes."""

    def __init__(
        self,
        guests: Guests,
        finding: Finding,
        attendance: Attendance,
        spaces: Spaces,
        sessions: Sessions,
        accounts: Accounts,
        circles: Circles,
        suspended: Callable[[str], str | None],
        clock: Callable[[], float],
    ) -> None:
        """Take who is suspended, and a clock in Unix seconds."""
        self._guests = guests
        self._finding = finding
        self._attendance = attendance
        self._spaces = spaces
        self._sessions = sessions
        self._accounts = accounts
        self._circles = circles
        self._suspended = suspended
        self._clock = clock
        self._sending = asyncio.Lock()

    async def send(
        self,
        space_id: str,
        by: str,
        *,
        terms: Sequence[str],
        people: Sequence[str],
        most: int,
        role: Role,
        message: str,
    ) -> tuple[Campaign, list[Guest], list[Passed]]:
        """Invite people: those named, or if nobody is, the best of those who mention the terms.

        :raises SpaceError: somebody who is neither host nor co-host, or a Space that is over, or no terms
        :raises Problem: 404 there is no such Space, 429 too many were invited in a day
        """
        space = await self._spaces.get(space_id)
        _check_sender(space, by)
        if not people and not terms:
            raise BadInputError("Name people, or terms by which to find them.")
        if terms:
            read_terms(terms)
        async with self._sending:
            now = self._clock()
            left, free_at = await self._left(by, now)
            known = self._attendance.invited(space_id)
            wanted: Mapping[str, float | None]
            if people:
                wanted = dict.fromkeys(people)
            else:
                found, _ = await self._finding.people(terms, by, most, without={*known, by})
                wanted = {match.user.id: match.ranked.score for match in found}
            if len(wanted) > left:
                wait = {"Retry-After": str(max(1, round(free_at - now)))}
                sentence = f"This would be {len(wanted)} invitations, but {left} are left of {DAILY_MAX} a day."
                raise Problem(429, "too-many-invitations", sentence, headers=wait)
            passed = await self._passed(list(wanted), by, known, now)
            campaign = Campaign(_new_id(), space_id, by, role, list(terms), message, now)
            invited: list[str] = []
            guests: list[Guest] = []

            def step(space: Space, at: float) -> Events:
                invited.clear()
                return self._invite(space, by, role, [p for p in wanted if p not in passed], at, invited, passed)

            async def beside(connection: AsyncConnection) -> None:
                guests[:] = [Guest(space_id, p, campaign.id, wanted[p], now) for p in invited]
                await self._guests.add(campaign, guests, connection)

            await self._spaces.act(space_id, step, beside)
            self._attendance.await_(guests)
        return campaign, guests, [passed[p] for p in wanted if p in passed]

    def _invite(
        self,
        space: Space,
        by: str,
        role: Role,
        people: Sequence[str],
        now: float,
        invited: list[str],
        passed: dict[str, Passed],
    ) -> Events:
        _check_sender(space, by)
        events: Events = []
        for person in people:
            present = self._sessions.present(space.id, person)
            try:
                events += space.invite(by, person, now, role=role, via="message", present=present)
            except SpaceError as refusal:
                passed[person] = Passed(person, "not now", str(refusal))
            else:
                invited.append(person)
        return events

    async def _left(self, by: str, now: float) -> tuple[int, float]:
        sent, first = await self._guests.sent(by, now - DAY)
        return max(0, DAILY_MAX - sent), (first or now) + DAY

    async def _passed(
        self, people: Sequence[str], by: str, known: Mapping[str, Guest], now: float
    ) -> dict[str, Passed]:
        blocks = (await self._circles.of(by)).blocks
        weary = await self._guests.weary(people, now - 7 * DAY, WEEKLY_MAX)
        there: set[str] = set()
        for start in range(0, len(people), 500):
            there.update(user.id for user in await self._accounts.some(people[start : start + 500]))
        passed: dict[str, Passed] = {}
        for person in people:
            if person == by:
                passed[person] = Passed(person, "not now", "Nobody can invite themselves.")
            elif person in known:
                passed[person] = Passed(person, "invited already", "A campaign has invited them to this Space.")
            elif (
                not is_name(person)
                or person not in there
                or person in blocks
                or person in weary
                or self._suspended(person) is not None
            ):
                passed[person] = Passed(person, "unreachable", "They cannot be invited by a campaign.")
        return passed


def _check_sender(space: Space, by: str) -> None:
    if space.people.standing(by) not in (Standing.HOST, Standing.COHOST):
        raise NoRightError("Only the host and co-hosts of a Space can invite many at once.")
    next_state(space.state, Input.INVITE)


def _new_id() -> str:
    return "".join(secrets.choice(_BASE62) for _ in range(12))
