"""What was counted about each Space, one row each; the migrations make the table."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

ANALYTICS: Final = sa.Table(
    "analytics",
    METADATA,
    sa.Column("space_id", sa.String(16), primary_key=True),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Index("analytics_live", "live"),
)
