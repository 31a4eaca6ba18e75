"""Finding people: posts and their words, campaigns, their guests, and who wants none."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "posts",
        sa.Column("number", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("author_id", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("lang", sa.String(35), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("posts_author_id", "posts", ["author_id", "number"])
    op.create_table(
        "post_words",
        sa.Column("word", sa.String(66), primary_key=True),
        sa.Column("post", _SERIAL, primary_key=True),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("space_id", sa.String(16), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("terms", sa.JSON, nullable=False),
        sa.Column("message", sa.String(280), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("campaigns_space_id", "campaigns", ["space_id", "created_at"])
    op.create_index("campaigns_by", "campaigns", ["by", "created_at"])
    op.create_table(
        "guests",
        sa.Column("space_id", sa.String(16), primary_key=True),
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("campaign_id", sa.String(16), nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("invited_at", sa.Float, nullable=False),
        sa.Column("opened_at", sa.Float),
        sa.Column("joined_at", sa.Float),
        sa.Column("spoke_at", sa.Float),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    op.create_index("guests_campaign_id", "guests", ["campaign_id"])
    op.create_index("guests_user_id", "guests", ["user_id", "invited_at"])
    op.create_table(
        "campaign_opt_outs",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("campaign_opt_outs", "guests", "campaigns", "post_words", "posts"):
        op.drop_table(table)
