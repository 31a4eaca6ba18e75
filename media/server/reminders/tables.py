"""The tables of reminders and of Web Push."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

_SERIAL: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")

REMINDERS: Final = sa.Table(
    "reminders",
    METADATA,
    sa.Column("space_id", sa.String(16), primary_key=True),
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("start", sa.Float, nullable=False),
    sa.Column("soon_told", sa.Boolean, nullable=False),
    sa.Index("reminders_of_user", "user_id", "start", "space_id"),
)

PUSH_SUBSCRIPTIONS: Final = sa.Table(
    "push_subscriptions",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),  # of the endpoint: a browser subscribes once
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("endpoint", sa.String(1024), nullable=False),
    sa.Column("p256dh", sa.String(90), nullable=False),
    sa.Column("auth", sa.String(24), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Index("push_subscriptions_user_id", "user_id", "created_at"),
)

PUSH_QUEUE: Final = sa.Table(
    "push_queue",
    METADATA,
    sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
    sa.Column("subscription_id", sa.String(32), nullable=False),
    sa.Column("topic", sa.String(32), nullable=False),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("payload", sa.String(2048), nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", sa.Float, nullable=False),
    sa.Index("push_queue_next_at", "next_at"),
    sa.Index("push_queue_subscription_id", "subscription_id"),
)
