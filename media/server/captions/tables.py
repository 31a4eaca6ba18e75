"""The table of captions."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

TEXT_MAX: Final = 2_000
"""Letters of a line: 30 s of fast speech have 600."""

CAPTION_LINES: Final = sa.Table(
    "caption_lines",
    METADATA,
    sa.Column("space_id", sa.String(16), primary_key=True),
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("start_ms", sa.Integer, nullable=False),
    sa.Column("end_ms", sa.Integer, nullable=False),
    sa.Column("text", sa.String(TEXT_MAX), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("corrected", sa.Boolean, nullable=False),
    sa.Index("caption_lines_start", "space_id", "start_ms", "id"),
)
"""Final lines; times are milliseconds since the Space started."""
