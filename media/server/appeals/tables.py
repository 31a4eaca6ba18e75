"""The tables of statements of reasons, complaints and second readings.  Times in Unix seconds, as of cases."""

from typing import Final

import sqlalchemy as sa

from media.moderation.case import APPEAL_TEXT_MAX
from media.server.tables import METADATA

REASONS_MAX: Final = 5_000
"""Characters of the answer to a complaint."""
_UNSETTLED: Final = sa.text("settled_at IS NULL")
_UNREAD: Final = sa.text("read_at IS NULL")

STATEMENTS: Final = sa.Table(
    "statements",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("case_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),  # whom the decision affects
    sa.Column("space_id", sa.String(16), nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
    sa.Column("actions", sa.JSON, nullable=False),
    sa.Column("told", sa.JSON, nullable=False),  # for the user: names may be in it
    sa.Column("filed", sa.JSON(none_as_null=True)),  # for the database; null: the decision restricts nothing
    sa.Column("complain_until", sa.Float, nullable=False),
    sa.Column("evidence_until", sa.Float),  # null: nothing was recorded
    sa.Column("repeated", sa.Boolean, nullable=False),  # whether there was one before, which stood
    sa.Column("stands_at", sa.Float, nullable=False),  # from when on it cannot be taken back
    sa.Column("withdrawn_at", sa.Float),
    sa.Index("statements_of_user", "user_id", "at", "id"),
    sa.Index("statements_of_case", "case_id"),
    sa.Index("statements_at", "at", "id"),
)

APPEALS: Final = sa.Table(
    "appeals",
    METADATA,
    sa.Column("case_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("statement_id", sa.String(32), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("text", sa.String(APPEAL_TEXT_MAX), nullable=False),
    sa.Column("evidence", sa.Boolean, nullable=False),  # whether it was still there, and is held
    sa.Column("answered_at", sa.Float),
    sa.Column("outcome", sa.String(16)),
    sa.Column("reviewer", sa.String(64)),
    sa.Column("reasons", sa.String(REASONS_MAX), nullable=False),
    sa.Column("settled_at", sa.Float),  # when all was done that follows from the answer
    sa.Index("appeals_at", "at"),
    sa.Index("appeals_unsettled", "answered_at", sqlite_where=_UNSETTLED, postgresql_where=_UNSETTLED),
    sa.Index("appeals_statement", "statement_id"),
)

READINGS: Final = sa.Table(
    "readings",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("case_id", sa.BigInteger, nullable=False),
    sa.Column("golden", sa.Boolean, nullable=False),
    sa.Column("compared", sa.JSON, nullable=False),  # actions of the decision, or of the answer
    sa.Column("decided_by", sa.String(64), nullable=False),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("reader", sa.String(64)),
    sa.Column("until", sa.Float),  # until when it is the reader's
    sa.Column("said", sa.JSON(none_as_null=True)),
    sa.Column("read_at", sa.Float),
    sa.Index("readings_unread", "made_at", "id", sqlite_where=_UNREAD, postgresql_where=_UNREAD),
    sa.Index("readings_of_reader", "reader", "read_at"),
    sa.Index("readings_of_case", "case_id"),
)

ORDERS: Final = sa.Table(
    "authority_orders",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("received_at", sa.Float, nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("legal_ground", sa.String(500), nullable=False),
    sa.Column("category", sa.String(100), nullable=False),
    sa.Column("keyword", sa.String(100), nullable=False),
    sa.Column("informs", sa.Boolean, nullable=False),  # it asks for information, and not to act
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("acknowledged_at", sa.Float),
    sa.Column("effected_at", sa.Float),
    sa.Column("noted_by", sa.String(64), nullable=False),
    sa.Index("authority_orders_received_at", "received_at", "id"),
)

GOLDEN_CASES: Final = sa.Table(
    "golden_cases",
    METADATA,
    sa.Column("case_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("actions", sa.JSON, nullable=False),
    sa.Column("reason", sa.String(REASONS_MAX), nullable=False),
    sa.Column("set_by", sa.String(64), nullable=False),
    sa.Column("set_at", sa.Float, nullable=False),
)
