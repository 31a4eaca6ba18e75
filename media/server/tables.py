"""The tables as the queries name them; the migrations make them, and a test holds both to the same."""

from typing import Final

import sqlalchemy as sa

METADATA: Final = sa.MetaData()
_SERIAL: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")

SPACES: Final = sa.Table(
    "spaces",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("creator_id", sa.String(64), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Index("spaces_state_created_at", "state", "created_at"),
    sa.Index("spaces_creator_id", "creator_id"),
)

USERS: Final = sa.Table(
    "users",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("username", sa.String(64), nullable=False),
    sa.Column("handle", sa.String(64), nullable=False, unique=True),  # username in lower case: found in any
    sa.Column("name", sa.String(50), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("protected", sa.Boolean, nullable=False),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("followers_count", sa.Integer, nullable=False),
    sa.Column("following_count", sa.Integer, nullable=False),
    sa.Column("adult", sa.Boolean, nullable=False, server_default=sa.false()),
)

USER_WORDS: Final = sa.Table(
    "user_words",
    METADATA,
    # by code points, which are its order in SQLite anyway: a prefix is a range
    sa.Column("word", sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql"), primary_key=True),
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Index("user_words_user_id", "user_id"),
)
"""By what users are found: their handles, and the words of their names."""

RELATIONS: Final = sa.Table(
    "relations",
    METADATA,
    sa.Column(
        "number", _SERIAL, primary_key=True, autoincrement=True
    ),  # grows: the order, and the place in a list
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("target", sa.String(64), nullable=False),
    sa.UniqueConstraint("kind", "source", "target", name="relations_once"),
    sa.Index("relations_of_source", "kind", "source", "number"),
    sa.Index("relations_of_target", "kind", "target", "number"),
)

SUSPENSIONS: Final = sa.Table(
    "suspensions",
    METADATA,
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("reason", sa.String(280), nullable=False),
)

REFRESH_TOKENS: Final = sa.Table(
    "refresh_tokens",
    METADATA,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("family", sa.String(32), nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("admin", sa.Boolean, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("used", sa.Boolean, nullable=False),
    sa.Column("roles", sa.String(64), nullable=False, server_default=""),
    sa.Index("refresh_tokens_family", "family"),
    sa.Index("refresh_tokens_expires_at", "expires_at"),
)
