"""Who finds a Space and what its host learns, put together for the app: services, and the routes to them."""

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.datastructures import State

from media.server.accounts import Accounts
from media.server.discovery import routes as discovery
from media.server.discovery.circles import Circles
from media.server.discovery.discovery import Discovery
from media.server.discovery.stages import Stages
from media.server.spaces import Spaces

EARLY: Final[tuple[APIRouter, ...]] = (discovery.router, discovery.public)
"""Routes to be known before those whose paths would take theirs: ``/spaces/{space_id}`` and the like."""


class Reach:
    """The services of discovery."""

    def __init__(
        self, state: State, spaces: Spaces, accounts: Accounts, engine: AsyncEngine, clock: Callable[[], float]
    ) -> None:
        """Put the services into ``state``; ``clock`` in Unix seconds."""
        self._spaces = spaces
        circles, self._stages = Circles(engine), Stages()
        accounts.on_related = circles.changed
        spaces.watch(self._stages.watch)
        state.discovery = Discovery(spaces, accounts, circles, self._stages, clock)

    def open(self) -> None:
        """Take up the Spaces of before."""
        self._stages.open(self._spaces)
