"""The tables of moderation.  Times in Unix seconds on the steady clock of the server."""

from typing import Any, Final

import sqlalchemy as sa

from media.moderation.report import TEXT_MAX
from media.server.tables import METADATA

_SERIAL: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIMED: Final = sa.text("timer_at IS NOT NULL")
_GATHERS: Final[dict[str, Any]] = {"sqlite_where": sa.text("gathers = 1"), "postgresql_where": sa.text("gathers")}
_UNFINISHED: Final[dict[str, Any]] = {
    "sqlite_where": sa.text("unfinished = 1"),
    "postgresql_where": sa.text("unfinished"),
}
"""As the dialects write a condition that is a column: so they find the index."""

CASES: Final = sa.Table(
    "cases",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("space_id", sa.String(16), nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),  # empty: the case is about the Space itself
    sa.Column("host_id", sa.String(64), nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),  # the severity, negative: the least comes first
    sa.Column("opened_at", sa.Float, nullable=False),
    sa.Column("due_at", sa.Float, nullable=False),
    sa.Column("reporters", sa.Integer, nullable=False),
    sa.Column("trusted", sa.Boolean, nullable=False),
    sa.Column("gathers", sa.Boolean, nullable=False),  # whether further reports on the matter are added to it
    sa.Column("escalated", sa.Boolean, nullable=False),
    sa.Column("clips", sa.JSON, nullable=False),
    sa.Column("reviewer", sa.String(64)),
    sa.Column("lease_until", sa.Float),
    sa.Column("timer_at", sa.Float),
    sa.Column("claimed_at", sa.Float),  # for the first time
    sa.Column("decided_at", sa.Float),
    sa.Column("violation", sa.Boolean),
    sa.Column("appeal", sa.JSON(none_as_null=True)),
    sa.Column("outcome", sa.String(16)),
    sa.Index("cases_waiting", "state", "due_at", "rank", "id"),
    sa.Index("cases_waiting_of_category", "state", "category", "due_at", "rank", "id"),
    sa.Index(
        "cases_matter",
        *("space_id", "user_id", "category"),
        unique=True,
        **_GATHERS,
    ),
    sa.Index("cases_timer_at", "timer_at", sqlite_where=_TIMED, postgresql_where=_TIMED),
    sa.Index("cases_of_user", "user_id", "id"),
    sa.Index("cases_of_reviewer", "reviewer"),
)

REPORTS: Final = sa.Table(
    "reports",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("case_id", sa.BigInteger),  # null: its reporter is muted
    sa.Column("reporter", sa.String(64), nullable=False),
    sa.Column("space_id", sa.String(16), nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("moment", sa.Float, nullable=False),
    sa.Column("text", sa.String(TEXT_MAX), nullable=False),
    sa.Column("trusted", sa.Boolean, nullable=False),
    sa.Column("credible", sa.Boolean, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Index("reports_of_case", "case_id", "reporter", unique=True),
    sa.Index("reports_of_reporter", "reporter", "id"),
)

REPORTERS: Final = sa.Table(
    "reporters",
    METADATA,
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("trusted", sa.Boolean, nullable=False),
    sa.Column("muted", sa.Boolean, nullable=False),
    sa.Column("outcomes", sa.JSON, nullable=False),  # [case, whether it was right], the oldest first
    sa.Column("made", sa.JSON, nullable=False),  # when, within the last hour
)

DECISIONS: Final = sa.Table(
    "case_decisions",
    METADATA,
    sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("reviewer", sa.String(64), nullable=False),
    sa.Column("actions", sa.JSON, nullable=False),
    sa.Column("note", sa.String(TEXT_MAX), nullable=False),
    sa.Column("effects", sa.JSON(none_as_null=True)),
    sa.Column("undone_at", sa.Float),
    sa.Column("restored", sa.JSON(none_as_null=True)),
    sa.Column("unfinished", sa.Boolean, nullable=False),  # it is to be carried out, or taken back
    sa.Index("case_decisions_of_case", "case_id", "id"),
    sa.Index("case_decisions_unfinished", "id", **_UNFINISHED),
)

TIMELINE: Final = sa.Table(
    "case_timeline",
    METADATA,
    sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
    sa.Column("case_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("actor", sa.String(64), nullable=False),
    sa.Column("what", sa.String(32), nullable=False),
    sa.Column("text", sa.String(TEXT_MAX), nullable=False),
    sa.Index("case_timeline_of_case", "case_id", "id"),
)

QUEUES: Final = sa.Table(
    "review_queues",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("search", sa.JSON, nullable=False),
    sa.Column("made_by", sa.String(64), nullable=False),
    sa.Column("made_at", sa.Float, nullable=False),
)
