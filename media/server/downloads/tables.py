"""The table of downloads."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

DOWNLOADS: Final = sa.Table(
    "downloads",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("space_id", sa.String(16), nullable=False),  # empty: the person's own data
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("asked_at", sa.Float, nullable=False),
    sa.Column("ready_at", sa.Float),
    sa.Column("expires_at", sa.Float),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("fault", sa.String(200), nullable=False),
    sa.UniqueConstraint("user_id", "space_id", name="downloads_once"),
    sa.Index("downloads_state", "state", "asked_at"),
    sa.Index("downloads_expires_at", "expires_at"),
)
