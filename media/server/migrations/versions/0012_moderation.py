"""Reports, cases, decisions and the audit log; and what the owners of refresh tokens may."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIMED = sa.text("timer_at IS NOT NULL")
_UNFINISHED: dict[str, Any] = {
    "sqlite_where": sa.text("unfinished = 1"),
    "postgresql_where": sa.text("unfinished"),
}
_GATHERS: dict[str, Any] = {"sqlite_where": sa.text("gathers = 1"), "postgresql_where": sa.text("gathers")}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audit_log",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("act", sa.String(64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("space_id", sa.String(16), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("host_id", sa.String(64), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("reporters", sa.Integer(), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("gathers", sa.Boolean(), nullable=False),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("clips", sa.JSON(), nullable=False),
        sa.Column("reviewer", sa.String(64)),
        sa.Column("lease_until", sa.Float()),
        sa.Column("timer_at", sa.Float()),
        sa.Column("claimed_at", sa.Float()),
        sa.Column("decided_at", sa.Float()),
        sa.Column("violation", sa.Boolean()),
        sa.Column("appeal", sa.JSON(none_as_null=True)),
        sa.Column("outcome", sa.String(16)),
    )
    op.create_index(
        "cases_waiting",
        "cases",
        ["state", "due_at", "rank", "id"],
    )
    op.create_index(
        "cases_waiting_of_category",
        "cases",
        ["state", "category", "due_at", "rank", "id"],
    )
    op.create_index(
        "cases_matter",
        "cases",
        ["space_id", "user_id", "category"],
        unique=True,
        **_GATHERS,
    )
    op.create_index("cases_timer_at", "cases", ["timer_at"], sqlite_where=_TIMED, postgresql_where=_TIMED)
    op.create_index("cases_of_user", "cases", ["user_id", "id"])
    op.create_index("cases_of_reviewer", "cases", ["reviewer"])
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("case_id", sa.BigInteger()),
        sa.Column("reporter", sa.String(64), nullable=False),
        sa.Column("space_id", sa.String(16), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("moment", sa.Float(), nullable=False),
        sa.Column("text", sa.String(2_000), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("credible", sa.Boolean(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
    )
    op.create_index("reports_of_case", "reports", ["case_id", "reporter"], unique=True)
    op.create_index("reports_of_reporter", "reports", ["reporter", "id"])
    op.create_table(
        "reporters",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.Column("made", sa.JSON(), nullable=False),
    )
    op.create_table(
        "case_decisions",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("reviewer", sa.String(64), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(2_000), nullable=False),
        sa.Column("effects", sa.JSON(none_as_null=True)),
        sa.Column("undone_at", sa.Float()),
        sa.Column("restored", sa.JSON(none_as_null=True)),
        sa.Column("unfinished", sa.Boolean(), nullable=False),
    )
    op.create_index("case_decisions_of_case", "case_decisions", ["case_id", "id"])
    op.create_index("case_decisions_unfinished", "case_decisions", ["id"], **_UNFINISHED)
    op.create_table(
        "case_timeline",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("text", sa.String(2_000), nullable=False),
    )
    op.create_index("case_timeline_of_case", "case_timeline", ["case_id", "id"])
    op.create_table(
        "review_queues",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("search", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
    )
    op.add_column("refresh_tokens", sa.Column("roles", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("refresh_tokens", "roles")
    op.drop_table("review_queues")
    op.drop_table("case_timeline")
    op.drop_table("case_decisions")
    op.drop_table("reporters")
    op.drop_table("reports")
    op.drop_table("cases")
    op.drop_table("audit_log")
