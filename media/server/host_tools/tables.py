"""The tables of the host tools."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

HOST_SETTINGS: Final = sa.Table(
    "host_settings",
    METADATA,
    sa.Column("host_id", sa.String(64), primary_key=True),
    sa.Column("carry_removals", sa.Boolean, nullable=False),
    sa.Column("entry_policy", sa.String(16), nullable=False),
    sa.Column("entry_rate", sa.Integer, nullable=False),
    sa.Column("mute_on_entry", sa.Boolean, nullable=False),
)

CARRIED_REMOVALS: Final = sa.Table(
    "carried_removals",
    METADATA,
    sa.Column("host_id", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(64), primary_key=True),
    sa.Column("space_id", sa.String(16), nullable=False),
    sa.Column("removed_by", sa.String(64), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Index("carried_removals_at", "host_id", "at", "user_id"),
)
"""Why somebody is on the block list of a host: who removed them, from which Space."""
