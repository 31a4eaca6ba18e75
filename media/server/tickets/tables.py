"""The tables of tickets; all amounts in whole cents."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

TICKET_OFFERS: Final = sa.Table(
    "ticket_offers",
    METADATA,
    sa.Column("space_id", sa.String(16), primary_key=True),
    sa.Column("host_id", sa.String(64), nullable=False),
    sa.Column("price", sa.Integer, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("taken", sa.Integer, nullable=False),  # reserved and sold
    sa.Column("state", sa.String(16), nullable=False),
    sa.Index("ticket_offers_host_id", "host_id"),
    sa.Index("ticket_offers_state", "state"),
)

TICKETS: Final = sa.Table(
    "tickets",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("space_id", sa.String(16), nullable=False),
    sa.Column("host_id", sa.String(64), nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("holder", sa.String(64)),  # the user while the ticket is theirs: one for each person and Space
    sa.Column("price", sa.Integer, nullable=False),
    sa.Column("store_fee", sa.Integer, nullable=False),
    sa.Column("creator", sa.Integer, nullable=False),
    sa.Column("platform", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("next_at", sa.Float),  # when a payment is given up, or a refund is tried (again)
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.UniqueConstraint("space_id", "holder", name="tickets_once"),
    sa.Index("tickets_space_id", "space_id", "state"),
    sa.Index("tickets_user_id", "user_id", "created_at", "id"),
    sa.Index("tickets_host_id", "host_id"),
    sa.Index("tickets_next_at", "next_at"),
)

EARNINGS: Final = sa.Table(
    "earnings",
    METADATA,
    sa.Column("host_id", sa.String(64), primary_key=True),
    sa.Column("cents", sa.BigInteger, nullable=False),
)

TEST_PAYMENTS: Final = sa.Table(
    "test_payments",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("amount", sa.Integer, nullable=False),
    sa.Column("card", sa.String(4), nullable=False),  # its last four digits
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),  # what a payment under way will come to
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("settles_at", sa.Float, nullable=False),
    sa.Column("refund_faults", sa.Integer, nullable=False),  # how often a refund is still to fail
    sa.Column("refunded", sa.Boolean, nullable=False),
    sa.Index("test_payments_outcome", "outcome"),
)
