"""Which number stands for which person; the migrations make the table."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

NUMBERS: Final = sa.Table(
    "numbers",
    METADATA,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("person", sa.String(64), nullable=False),
)
