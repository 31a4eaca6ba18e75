"""Statements of reasons, complaints and second readings."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
_UNSETTLED = sa.text("settled_at IS NULL")
_UNREAD = sa.text("read_at IS NULL")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "statements",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("space_id", sa.String(16), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("filed", sa.JSON(none_as_null=True)),
        sa.Column("complain_until", sa.Float(), nullable=False),
        sa.Column("evidence_until", sa.Float()),
        sa.Column("repeated", sa.Boolean(), nullable=False),
        sa.Column("stands_at", sa.Float(), nullable=False),
        sa.Column("withdrawn_at", sa.Float()),
    )
    op.create_index("statements_of_user", "statements", ["user_id", "at", "id"])
    op.create_index("statements_of_case", "statements", ["case_id"])
    op.create_index("statements_at", "statements", ["at", "id"])
    op.create_table(
        "appeals",
        sa.Column("case_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("statement_id", sa.String(32), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("text", sa.String(5_000), nullable=False),
        sa.Column("evidence", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.Float()),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reviewer", sa.String(64)),
        sa.Column("reasons", sa.String(5_000), nullable=False),
        sa.Column("settled_at", sa.Float()),
    )
    op.create_index(
        "appeals_unsettled",
        "appeals",
        ["answered_at"],
        sqlite_where=_UNSETTLED,
        postgresql_where=_UNSETTLED,
    )
    op.create_index("appeals_at", "appeals", ["at"])
    op.create_index("appeals_statement", "appeals", ["statement_id"])
    op.create_table(
        "readings",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("golden", sa.Boolean(), nullable=False),
        sa.Column("compared", sa.JSON(), nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("reader", sa.String(64)),
        sa.Column("until", sa.Float()),
        sa.Column("said", sa.JSON(none_as_null=True)),
        sa.Column("read_at", sa.Float()),
    )
    op.create_index(
        "readings_unread", "readings", ["made_at", "id"], sqlite_where=_UNREAD, postgresql_where=_UNREAD
    )
    op.create_index("readings_of_reader", "readings", ["reader", "read_at"])
    op.create_index("readings_of_case", "readings", ["case_id"])
    op.create_table(
        "authority_orders",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("legal_ground", sa.String(500), nullable=False),
        sa.Column("category", sa.String(100), nullable=False),
        sa.Column("keyword", sa.String(100), nullable=False),
        sa.Column("informs", sa.Boolean(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", sa.Float()),
        sa.Column("effected_at", sa.Float()),
        sa.Column("noted_by", sa.String(64), nullable=False),
    )
    op.create_index("authority_orders_received_at", "authority_orders", ["received_at", "id"])
    op.create_table(
        "golden_cases",
        sa.Column("case_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(5_000), nullable=False),
        sa.Column("set_by", sa.String(64), nullable=False),
        sa.Column("set_at", sa.Float(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("golden_cases", "authority_orders", "readings", "appeals", "statements"):
        op.drop_table(table)
