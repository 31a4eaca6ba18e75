"""Spaces: columns for what is searched, one document for what is only read back."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "spaces",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("creator_id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
    )
    op.create_index("spaces_state_created_at", "spaces", ["state", "created_at"])
    op.create_index("spaces_creator_id", "spaces", ["creator_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("spaces")
