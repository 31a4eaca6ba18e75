"""What was said, line by line."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "caption_lines",
        sa.Column("space_id", sa.String(16), primary_key=True),
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("start_ms", sa.Integer, nullable=False),
        sa.Column("end_ms", sa.Integer, nullable=False),
        sa.Column("text", sa.String(2_000), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("corrected", sa.Boolean, nullable=False),
    )
    op.create_index("caption_lines_start", "caption_lines", ["space_id", "start_ms", "id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("caption_lines")
