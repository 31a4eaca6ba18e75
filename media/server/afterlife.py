"""What is left of a Space when it is over, put together for the app: replays."""

from typing import Final

from fastapi import APIRouter
from starlette.datastructures import State

from media.server.clock import Clock
from media.server.config import Config
from media.server.database import Database
from media.server.recordings.service import Recordings
from media.server.replays import routes as replay_routes
from media.server.replays.service import Replays
from media.server.replays.store import ReplayStore
from media.server.spaces import Spaces

ROUTERS: Final[tuple[APIRouter, ...]] = (replay_routes.public, replay_routes.router)


class Afterlife:
    """The services of replays."""

    def __init__(
        self,
        state: State,
        config: Config,
        spaces: Spaces,
        recordings: Recordings,
        engine: Database,
        clock: Clock,
    ) -> None:
        """Put the services into ``state``."""
        state.replays = self._replays = Replays(config.data, ReplayStore(engine), spaces, recordings, clock)

    async def open(self) -> None:
        """Take up what the last process left; the Spaces and their recordings are there."""
        await self._replays.open()

    async def close(self) -> None:
        """End; what is not through is taken up by the next process."""
        await self._replays.close()
