"""The streams of one app, put together."""

from prometheus_client import CollectorRegistry

from media.relay.plane import DataPlane
from media.server.clock import Clock
from media.server.database import Database
from media.server.events.counters import Counters
from media.server.events.hub import Hub
from media.server.events.notices import Notices
from media.server.events.places import Places
from media.server.guard import Guard
from media.server.sessions import Sessions
from media.server.spaces import Spaces


class EventService:
    """What the routes of streams need; started and stopped by the app."""

    def __init__(
        self,
        spaces: Spaces,
        sessions: Sessions,
        guard: Guard,
        plane: DataPlane,
        engine: Database,
        registry: CollectorRegistry,
        clock: Clock,
    ) -> None:
        self.hub = Hub(spaces, sessions, plane, clock)
        self.notices = Notices(self.hub, spaces, engine)
        self.counters = Counters(registry, self.hub)
        self.places = Places()
        guard.on_out = self.hub.expel

    def open(self) -> None:
        """Know what there is, when all Spaces have been taken up again."""
        self.notices.open()

    def close(self) -> None:
        """End every stream."""
        self.hub.close()
