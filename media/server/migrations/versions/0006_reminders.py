"""Reminders, push subscriptions, and messages that wait to be pushed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reminders",
        sa.Column("space_id", sa.String(16), primary_key=True),
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("soon_told", sa.Boolean, nullable=False),
    )
    op.create_index("reminders_of_user", "reminders", ["user_id", "start", "space_id"])
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("endpoint", sa.String(1024), nullable=False),
        sa.Column("p256dh", sa.String(90), nullable=False),
        sa.Column("auth", sa.String(24), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("push_subscriptions_user_id", "push_subscriptions", ["user_id", "created_at"])
    op.create_table(
        "push_queue",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("subscription_id", sa.String(32), nullable=False),
        sa.Column("topic", sa.String(32), nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("payload", sa.String(2048), nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
    )
    op.create_index("push_queue_next_at", "push_queue", ["next_at"])
    op.create_index("push_queue_subscription_id", "push_queue", ["subscription_id"])


def downgrade() -> None:
    """Drop them."""
    for table in ("push_queue", "push_subscriptions", "reminders"):
        op.drop_table(table)
