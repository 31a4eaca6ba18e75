"""Replays, podcast episodes and downloads."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "replays",
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
        sa.Column("levels", sa.LargeBinary, nullable=False),
        sa.Column("turns", sa.JSON, nullable=False),
    )
    op.create_index("replays_of_host", "replays", ["host_id", "state", "published_at"])
    op.create_index("replays_state", "replays", ["state"])
    op.create_table(
        "downloads",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("space_id", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_at", sa.Float, nullable=False),
        sa.Column("ready_at", sa.Float),
        sa.Column("expires_at", sa.Float),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("fault", sa.String(200), nullable=False),
        sa.UniqueConstraint("user_id", "space_id", name="downloads_once"),
    )
    op.create_index("downloads_state", "downloads", ["state", "asked_at"])
    op.create_index("downloads_expires_at", "downloads", ["expires_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("downloads")
    op.drop_table("replays")
