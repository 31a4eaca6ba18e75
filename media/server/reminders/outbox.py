"""Messages that wait to be pushed, in the store: written with what causes them, deleted when they are through.

So a process that dies loses none; one that dies between a push and its deletion pushes it again, and the push
service and the browser replace a message by a later one of the same topic (RFC 8030, section 5.4).
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.database import Database
from media.server.reminders.tables import PUSH_QUEUE, PUSH_SUBSCRIPTIONS

DEVICES: Final = 10
"""Push subscriptions of one person; a further one takes the place of the oldest."""
_Q: Final = PUSH_QUEUE.c
_S: Final = PUSH_SUBSCRIPTIONS.c


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be pushed to people."""

    topic: str
    """A later message of the same topic takes the place of one that has not been delivered."""
    payload: str
    """JSON, below 2,048 characters."""
    expires_at: float
    """When it is worth nothing any more (Unix seconds)."""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser of a person gets its messages, and with which keys (RFC 8291)."""

    id: str
    user_id: str
    endpoint: str
    p256dh: str
    auth: str
    created_at: float

    def has_keys_of(self, other: "Subscription") -> bool:
        """Whether both were made by the same browser: its keys are known to it and to this server alone."""
        ours, theirs = (f"{each.p256dh} {each.auth}".encode() for each in (self, other))
        return hmac.compare_digest(ours, theirs)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message on its way to one browser."""

    id: int
    attempts: int
    message: Message
    subscription: Subscription


_SUBSCRIPTION: Final = tuple(_S[name] for name in Subscription.__dataclass_fields__)


async def enqueue(connection: AsyncConnection, people: Sequence[str], message: Message, now: float) -> None:
    """Queue a message for every browser of some people, as a part of a transaction."""
    values = {
        "topic": message.topic,
        "urgent": message.urgent,
        "payload": message.payload,
        "expires_at": message.expires_at,
        "attempts": 0,
        "next_at": now,
    }
    constants = [sa.literal(value, PUSH_QUEUE.c[name].type) for name, value in values.items()]
    browsers = sa.select(_S.id, *constants).where(_S.user_id.in_(people))
    await connection.execute(sa.insert(PUSH_QUEUE).from_select(["subscription_id", *values], browsers))


class Outbox:
    """Queries, each a transaction of its own."""

    def __init__(self, engine: Database) -> None:
        self._engine = engine

    async def subscribe(self, subscription: Subscription) -> bool:
        """Keep a subscription; of the same endpoint only the newest, of a person only so many.

        False, and nothing changes, if the endpoint is another person's and the keys are not its own. Whoever has
        the keys has the browser: the other person's messages that wait for it are dropped with the subscription.
        """
        mine = _S.id == subscription.id
        async with self._engine.begin() as connection:
            row = (await connection.execute(sa.select(*_SUBSCRIPTION).where(mine).with_for_update())).first()
            before = None if row is None else Subscription(*row)
            if before is not None and before.user_id != subscription.user_id:
                if not before.has_keys_of(subscription):
                    return False
                await _drop(connection, mine)
            await connection.execute(sa.delete(PUSH_SUBSCRIPTIONS).where(mine))
            values = {name: getattr(subscription, name) for name in Subscription.__dataclass_fields__}
            await connection.execute(sa.insert(PUSH_SUBSCRIPTIONS).values(values))
            theirs = (
                sa.select(_S.id).where(_S.user_id == subscription.user_id).order_by(_S.created_at.desc(), _S.id)
            )
            for extra in list((await connection.execute(theirs)).scalars())[DEVICES:]:
                await _drop(connection, _S.id == extra)
        return True

    async def unsubscribe(self, user_id: str, subscription_id: str | None = None) -> int:
        """Forget one of a person's subscriptions, or all; return how many."""
        which = [_S.user_id == user_id]
        if subscription_id is not None:
            which.append(_S.id == subscription_id)
        async with self._engine.begin() as connection:
            return await _drop(connection, *which)

    async def drop(self, subscription_id: str) -> None:
        """Forget a subscription that is dead, and what waits for it."""
        async with self._engine.begin() as connection:
            await _drop(connection, _S.id == subscription_id)

    async def of_user(self, user_id: str) -> list[Subscription]:
        """Read a person's subscriptions, newest first."""
        query = sa.select(*_SUBSCRIPTION).where(_S.user_id == user_id).order_by(_S.created_at.desc(), _S.id)
        async with self._engine.connect() as connection:
            return [Subscription(*row) for row in await connection.execute(query)]

    async def due(self, now: float, limit: int) -> list[Waiting]:
        """Read messages whose time has come, the oldest first."""
        query = (
            sa.select(_Q.id, _Q.attempts, _Q.topic, _Q.payload, _Q.expires_at, _Q.urgent, *_SUBSCRIPTION)
            .join_from(PUSH_QUEUE, PUSH_SUBSCRIPTIONS, _S.id == _Q.subscription_id)
            .where(_Q.next_at <= now)
            .order_by(_Q.next_at, _Q.id)
            .limit(limit)
        )
        async with self._engine.connect() as connection:
            rows = [tuple[Any, ...](row) for row in await connection.execute(query)]
        return [Waiting(row[0], row[1], Message(*row[2:6]), Subscription(*row[6:])) for row in rows]

    async def next_due(self) -> float | None:
        """When the next message is to be pushed (Unix seconds), or None."""
        async with self._engine.connect() as connection:
            return (await connection.execute(sa.select(sa.func.min(_Q.next_at)))).scalar()

    async def done(self, waiting_id: int) -> None:
        """Forget a message: it is through, or given up."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(PUSH_QUEUE).where(_Q.id == waiting_id))

    async def postpone(self, waiting_id: int, attempts: int, until: float) -> None:
        """Try a message again later."""
        change = sa.update(PUSH_QUEUE).where(_Q.id == waiting_id).values(attempts=attempts, next_at=until)
        async with self._engine.begin() as connection:
            await connection.execute(change)


async def _drop(connection: AsyncConnection, *which: sa.ColumnElement[bool]) -> int:
    ids = sa.select(_S.id).where(*which)
    await connection.execute(sa.delete(PUSH_QUEUE).where(_Q.subscription_id.in_(ids)))
    return (await connection.execute(sa.delete(PUSH_SUBSCRIPTIONS).where(*which))).rowcount
