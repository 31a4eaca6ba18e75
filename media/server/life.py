"""What the life of a Space brings with it, put together for the app: reminders, tickets, host tools, captions."""

from typing import Final

from fastapi import APIRouter
from starlette.datastructures import State

from media.server.accounts import Accounts
from media.server.captions import routes as caption_routes
from media.server.captions.engine import CaptionEngine
from media.server.captions.service import Captions
from media.server.captions.store import CaptionStore
from media.server.clock import Clock
from media.server.config import Config
from media.server.database import Database
from media.server.events.hub import Hub
from media.server.guard import Guard
from media.server.host_tools import routes as host_tool_routes
from media.server.host_tools.service import HostTools
from media.server.host_tools.store import HostToolsStore
from media.server.reminders import push_routes
from media.server.reminders import routes as reminder_routes
from media.server.reminders.ledger import Ledger
from media.server.reminders.outbox import Outbox
from media.server.reminders.postman import Postman
from media.server.reminders.pusher import Pusher
from media.server.reminders.service import Reminders
from media.server.reminders.vapid import Vapid, load_key
from media.server.spaces import Spaces
from media.server.tickets import routes as ticket_routes
from media.server.tickets.box_office import BoxOffice
from media.server.tickets.testing import TestPayments
from media.server.tickets.till import Till
from media.server.visibility import Visibility

ROUTERS: Final[tuple[APIRouter, ...]] = (
    *(reminder_routes.router, push_routes.router, ticket_routes.router, host_tool_routes.router),
    *(caption_routes.router, caption_routes.public),
)
"""Routes to be known before those of users, whose paths would take theirs."""


class Life:
    """The services of reminders, tickets, host tools and captions."""

    def __init__(
        self,
        state: State,
        config: Config,
        spaces: Spaces,
        accounts: Accounts,
        guard: Guard,
        visibility: Visibility,
        hub: Hub,
        engine: Database,
        clock: Clock,
        captioning: CaptionEngine | None,
    ) -> None:
        """Put the services into ``state``; without ``captioning`` there are no captions."""
        state.push_private = config.push_private
        state.vapid = Vapid(load_key(config.data), config.push_contact)
        state.ledger, state.outbox = Ledger(engine), Outbox(engine)
        pusher = Pusher(state.vapid, private=config.push_private)
        state.postman = self._postman = Postman(state.outbox, pusher, clock)
        state.reminders = self._reminders = Reminders(
            spaces, visibility, state.ledger, hub, clock, self._postman.wake
        )
        payments = TestPayments(engine, clock.steady) if config.payments == "test" else None
        state.box_office = self._office = BoxOffice(spaces, accounts, Till(engine), payments, hub, clock.steady)
        guard.on_door = self._office.check_entry
        state.host_tools = self._host_tools = HostTools(HostToolsStore(engine), spaces, guard)
        engine.on_recovered(self._host_tools.catch_up)
        state.captions = self._captions = Captions(captioning, CaptionStore(engine), spaces, hub, clock)
        engine.on_recovered(self._captions.write)

    async def open(self) -> None:
        """Take up what the last process left; the Spaces are there."""
        await self._reminders.open()
        self._postman.open()
        await self._office.open()
        await self._host_tools.open()
        self._captions.open()

    async def close(self) -> None:
        """End; what is not through is taken up by the next process."""
        await self._captions.close()
        await self._office.close()
        await self._reminders.close()
        await self._postman.close()
