"""Keys and what was answered to them; the migrations make the table."""

from typing import Final

import sqlalchemy as sa

from media.server.tables import METADATA

IDEMPOTENCY_KEYS: Final = sa.Table(
    "idempotency_keys",
    METADATA,
    sa.Column("caller", sa.String(65), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("request", sa.String(64), nullable=False),  # SHA-256 of method, address and body
    sa.Column("answer", sa.LargeBinary),  # encrypted; null while the request is at work
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Index("idempotency_keys_expires_at", "expires_at"),
)
