"""By what users are found: their handles, and the words of their names."""

import sqlalchemy as sa
from alembic import op

from media.server.user_words import words_of

revision = "0009"
down_revision = "0008"
_BATCH = 2_000


def upgrade() -> None:
    """Make the table, and read the names of those who are there."""
    word = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
    words = op.create_table(
        "user_words",
        sa.Column("word", word, primary_key=True),
        sa.Column("user_id", sa.String(64), primary_key=True),
    )
    op.create_index("user_words_user_id", "user_words", ["user_id"])
    users = sa.table("users", sa.column("id"), sa.column("username"), sa.column("name"))
    connection, last = op.get_bind(), ""
    while True:
        query = sa.select(users.c.id, users.c.username, users.c.name).where(users.c.id > last)
        some = connection.execute(query.order_by(users.c.id).limit(_BATCH)).all()
        if not some:
            return
        rows = [{"word": each, "user_id": u.id} for u in some for each in words_of(u.username, u.name)]
        connection.execute(sa.insert(words), rows)
        last = some[-1].id


def downgrade() -> None:
    """Drop it."""
    op.drop_table("user_words")
