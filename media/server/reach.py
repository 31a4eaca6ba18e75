"""Who finds a Space and what its host learns, put together for the app: services, and the routes to them."""

from typing import Final

from fastapi import APIRouter
from starlette.datastructures import State

from media.relay.plane import DataPlane
from media.server.accounts import Accounts
from media.server.analytics.analytics import Analytics
from media.server.analytics.routes import router as analytics
from media.server.clock import Clock
from media.server.database import Database
from media.server.discovery import routes as discovery
from media.server.discovery.circles import Circles
from media.server.discovery.discovery import Discovery
from media.server.discovery.stages import Stages
from media.server.finding.attendance import Attendance
from media.server.finding.campaigns import Campaigns
from media.server.finding.finding import Finding
from media.server.finding.guests import Guests
from media.server.finding.posts import Posts
from media.server.finding.routes import router as finding
from media.server.guard import Guard
from media.server.sessions import Sessions
from media.server.spaces import Spaces

ROUTERS: Final[tuple[APIRouter, ...]] = (discovery.router, discovery.public, analytics, finding)
"""To be known before the others, some of whose paths would take theirs: ``/spaces/{space_id}`` and the like."""


class Reach:
    """The services of discovery, finding and analytics; made after what they listen to."""

    def __init__(
        self,
        state: State,
        spaces: Spaces,
        sessions: Sessions,
        plane: DataPlane,
        accounts: Accounts,
        guard: Guard,
        engine: Database,
        clock: Clock,
    ) -> None:
        """Put the services into ``state``."""
        self._spaces = spaces
        circles, self._stages = Circles(engine), Stages()
        accounts.on_related = circles.changed
        spaces.watch(self._stages.watch)
        state.discovery = Discovery(spaces, accounts, circles, self._stages, clock)
        state.posts, state.guests = posts, guests = Posts(engine), Guests(engine)
        state.finding = found = Finding(posts, accounts, guard.reason, spaces.slices, clock)
        self._attendance = state.attendance = coming = Attendance(guests, spaces, plane, clock.steady)
        state.campaigns = Campaigns(
            guests, found, coming, spaces, sessions, accounts, circles, guard.reason, clock
        )
        self._analytics = state.analytics = Analytics(spaces, sessions, plane, engine, clock)

    async def open(self) -> None:
        """Take up the Spaces of before."""
        self._stages.open(self._spaces)
        await self._attendance.open()
        await self._analytics.open()

    async def close(self) -> None:
        """Write down what is still in memory; needs the Spaces as they were."""
        await self._attendance.close()
        await self._analytics.close()
