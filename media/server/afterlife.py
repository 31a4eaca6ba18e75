"""What is left of a Space when it is over, put together for the app: replays and downloads."""

from typing import Final

from fastapi import APIRouter
from starlette.datastructures import State

from media.server.clock import Clock
from media.server.config import Config
from media.server.database import Database
from media.server.downloads import routes as download_routes
from media.server.downloads.contents import Contents
from media.server.downloads.service import Downloads
from media.server.downloads.store import DownloadStore
from media.server.recordings.service import Recordings
from media.server.replays import routes as replay_routes
from media.server.replays.service import Replays
from media.server.replays.store import ReplayStore
from media.server.spaces import Spaces

ROUTERS: Final[tuple[APIRouter, ...]] = (
    *(replay_routes.public, replay_routes.router, download_routes.router, download_routes.own),
)


class Afterlife:
    """The services of replays and downloads; made after all that they read from."""

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
        contents = Contents(
            spaces, recordings, state.captions, state.accounts, state.analytics, state.cases, engine
        )
        state.downloads = self._downloads = Downloads(
            config.data, DownloadStore(engine), contents.steps, clock.steady
        )

    async def open(self) -> None:
        """Take up what the last process left; the Spaces and their recordings are there."""
        await self._replays.open()
        await self._downloads.open()

    async def close(self) -> None:
        """End; what is not through is taken up by the next process."""
        await self._downloads.close()
        await self._replays.close()
