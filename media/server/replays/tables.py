"""The table of replays."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

REPLAYS: Final = sa.Table(
    "replays",
    METADATA,
    sa.Column("space_id", sa.String(16), primary_key=True),
    sa.Column("host_id", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("published_at", sa.Float),
    sa.Column("changed_at", sa.Float),
    sa.Column("whole_ms", sa.Integer, nullable=False),
    sa.Column("start_ms", sa.Integer, nullable=False),
    sa.Column("end_ms", sa.Integer, nullable=False),
    sa.Column("file", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("levels", sa.LargeBinary, nullable=False),  # -dBov, one for each 100 ms
    sa.Column("turns", sa.JSON, nullable=False),  # [user, from, to] in ms, by when they began
    sa.Index("replays_of_host", "host_id", "state", "published_at"),
    sa.Index("replays_state", "state"),
)
