"""Evidence copies, their slots and how long they are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "recordings",
        sa.Column("space_id", sa.String(16), primary_key=True),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("began_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.Column("violation", sa.Boolean, nullable=False),
        sa.Column("erasing", sa.Boolean, nullable=False),
        sa.Column("erased_at", sa.Float),
    )
    op.create_index("recordings_erased_at", "recordings", ["erased_at", "ended_at"])
    op.create_table(
        "recording_holds",
        sa.Column("space_id", sa.String(16), primary_key=True),
        sa.Column("holder", sa.String(64), primary_key=True),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("recording_holds")
    op.drop_table("recordings")
