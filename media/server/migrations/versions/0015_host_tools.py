"""What hosts set for all of their Spaces."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "host_settings",
        sa.Column("host_id", sa.String(64), primary_key=True),
        sa.Column("carry_removals", sa.Boolean, nullable=False),
        sa.Column("entry_policy", sa.String(16), nullable=False),
        sa.Column("entry_rate", sa.Integer, nullable=False),
        sa.Column("mute_on_entry", sa.Boolean, nullable=False),
    )
    op.create_table(
        "carried_removals",
        sa.Column("host_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("space_id", sa.String(16), nullable=False),
        sa.Column("removed_by", sa.String(64), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("carried_removals_at", "carried_removals", ["host_id", "at", "user_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("carried_removals")
    op.drop_table("host_settings")
