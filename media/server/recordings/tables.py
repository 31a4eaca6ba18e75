"""The tables of evidence: what there is of each Space, and who keeps it from being erased."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

RECORDINGS: Final = sa.Table(
    "recordings",
    METADATA,
    sa.Column("space_id", sa.String(16), primary_key=True),
    sa.Column("slot", sa.Integer, nullable=False),
    sa.Column("commitment", sa.String(64), nullable=False),  # SHA-256 of the slot's secret, hexadecimal
    sa.Column("began_at", sa.Float, nullable=False),
    sa.Column("ended_at", sa.Float),
    sa.Column("violation", sa.Boolean, nullable=False),
    sa.Column("erasing", sa.Boolean, nullable=False),
    sa.Column("erased_at", sa.Float),
    sa.Index("recordings_erased_at", "erased_at", "ended_at"),
)

RECORDING_HOLDS: Final = sa.Table(
    "recording_holds",
    METADATA,
    sa.Column("space_id", sa.String(16), primary_key=True),
    sa.Column("holder", sa.String(64), primary_key=True),
)
"""What must be decided before a recording is erased: cases and complaints by their ids."""
