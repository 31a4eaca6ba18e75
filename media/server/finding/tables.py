"""Posts and their words, campaigns and their guests, and who wants none; the migrations make the tables."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

_SERIAL: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")

POSTS: Final = sa.Table(
    "posts",
    METADATA,
    sa.Column("number", _SERIAL, primary_key=True, autoincrement=True),  # grows: the order in which they came
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("author_id", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("lang", sa.String(35), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Index("posts_author_id", "author_id", "number"),
)

POST_WORDS: Final = sa.Table(
    "post_words",
    METADATA,
    sa.Column("word", sa.String(66), primary_key=True),  # folded; with its sign, too, where it has one
    sa.Column("post", _SERIAL, primary_key=True),
)
"""What a term is looked up by: SQLite and PostgreSQL have no full-text search that finds the same."""

CAMPAIGNS: Final = sa.Table(
    "campaigns",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("space_id", sa.String(16), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("terms", sa.JSON, nullable=False),
    sa.Column("message", sa.String(280), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Index("campaigns_space_id", "space_id", "created_at"),
    sa.Index("campaigns_by", "by", "created_at"),
)

GUESTS: Final = sa.Table(
    "guests",
    METADATA,
    sa.Column("space_id", sa.String(16), primary_key=True),
    sa.Column("user_id", sa.String(64), primary_key=True),  # invited to a Space once, by whichever campaign
    sa.Column("campaign_id", sa.String(16), nullable=False),
    sa.Column("score", sa.Float),
    sa.Column("invited_at", sa.Float, nullable=False),
    sa.Column("opened_at", sa.Float),
    sa.Column("joined_at", sa.Float),
    sa.Column("spoke_at", sa.Float),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Index("guests_campaign_id", "campaign_id"),
    sa.Index("guests_user_id", "user_id", "invited_at"),
)

OPT_OUTS: Final = sa.Table(
    "campaign_opt_outs",
    METADATA,
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)
