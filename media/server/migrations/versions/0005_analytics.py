"""Analytics: what was counted about each Space."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "analytics",
        sa.Column("space_id", sa.String(16), primary_key=True),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
    )
    op.create_index("analytics_live", "analytics", ["live"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("analytics")
