"""The databases that the store is tried on: SQLite, and the PostgreSQL that the environment names.

``make test`` starts one and names it (``.ci/postgresql``).
"""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

POSTGRESQL = os.environ.get("SPACES_TEST_POSTGRESQL", "")
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql server"))]


@asynccontextmanager
async def database_of(kind: str, folder: Path) -> AsyncIterator[str]:
    """Make an empty database; it is gone afterwards."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'test.db'}"
        return
    name = f"test_{secrets.token_hex(8)}"
    url = sa.make_url(POSTGRESQL)
    engine = create_async_engine(url.set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(sa.text(f"CREATE DATABASE {name}"))
        yield url.set(database=name).render_as_string(hide_password=False)
        await connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    await engine.dispose()
