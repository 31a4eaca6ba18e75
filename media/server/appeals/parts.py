"""Statements, complaints, readings and reports, put together for the app."""

from typing import Final

from fastapi import APIRouter
from starlette.datastructures import State

from media.moderation.retention import Evidence
from media.server.accounts import Accounts
from media.server.appeals import order_routes, report_routes, review_routes, routes
from media.server.appeals.orders import Orders
from media.server.appeals.readings import Readings
from media.server.appeals.reasons import Reasons
from media.server.appeals.records import RecordReader
from media.server.appeals.restoration import Restoration
from media.server.appeals.service import Appeals
from media.server.appeals.store import Statements
from media.server.database import Database
from media.server.guard import Guard
from media.server.moderation.effects import Effects
from media.server.moderation.service import Moderation
from media.server.spaces import Spaces

ROUTERS: Final[tuple[APIRouter, ...]] = (
    routes.router,
    review_routes.router,
    report_routes.router,
    order_routes.router,
)
"""Routes to be known before those of cases and users, whose paths would take theirs."""


def install(
    state: State,
    moderation: Moderation,
    effects: Effects,
    spaces: Spaces,
    accounts: Accounts,
    guard: Guard,
    database: Database,
    secret: bytes,
) -> Appeals:
    """Put the services into ``state``, and have every decision told with its reasons; to be opened after cases.

    :param secret: by which decisions are chosen to be read again
    """
    policy = moderation.policy

    async def kept(space_id: str, now: float) -> Evidence | None:
        return None if moderation.evidence is None else await moderation.evidence.clock(space_id, now)

    reasons = Reasons(database, spaces, accounts, policy, kept)
    state.readings = Readings(database, moderation.audit, secret)
    state.authority_orders = orders = Orders(database, moderation.audit)
    state.moderation_records = RecordReader(database, orders)
    restoration = Restoration(database, effects, guard, policy)
    state.appeals = appeals = Appeals(
        database, moderation, Statements(database), reasons, state.readings, restoration
    )
    moderation.teller = appeals
    database.on_recovered(appeals.open)
    return appeals
