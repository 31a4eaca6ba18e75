"""Tickets, what hosts have earned, the payments of the test provider, and whether a user is an adult."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("adult", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "ticket_offers",
        sa.Column("space_id", sa.String(16), primary_key=True),
        sa.Column("host_id", sa.String(64), nullable=False),
        sa.Column("price", sa.Integer, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
    )
    op.create_index("ticket_offers_host_id", "ticket_offers", ["host_id"])
    op.create_index("ticket_offers_state", "ticket_offers", ["state"])
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("space_id", sa.String(16), nullable=False),
        sa.Column("host_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(64)),
        sa.Column("price", sa.Integer, nullable=False),
        sa.Column("store_fee", sa.Integer, nullable=False),
        sa.Column("creator", sa.Integer, nullable=False),
        sa.Column("platform", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("next_at", sa.Float),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.UniqueConstraint("space_id", "holder", name="tickets_once"),
    )
    op.create_index("tickets_space_id", "tickets", ["space_id", "state"])
    op.create_index("tickets_user_id", "tickets", ["user_id", "created_at", "id"])
    op.create_index("tickets_host_id", "tickets", ["host_id"])
    op.create_index("tickets_next_at", "tickets", ["next_at"])
    op.create_table(
        "earnings",
        sa.Column("host_id", sa.String(64), primary_key=True),
        sa.Column("cents", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "test_payments",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.Column("card", sa.String(4), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("settles_at", sa.Float, nullable=False),
        sa.Column("refund_faults", sa.Integer, nullable=False),
        sa.Column("refunded", sa.Boolean, nullable=False),
    )
    op.create_index("test_payments_outcome", "test_payments", ["outcome"])


def downgrade() -> None:
    """Drop them."""
    for table in ("ticket_offers", "tickets", "earnings", "test_payments"):
        op.drop_table(table)
    with op.batch_alter_table("users") as users:
        users.drop_column("adult")
