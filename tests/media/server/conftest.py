from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.media.server.databases import KINDS, database_of
from tests.media.server.service import Service, running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path) as one:
        yield one


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """URL of an empty database: of SQLite, and of PostgreSQL where there is one."""
    async with database_of(request.param, tmp_path) as url:
        yield url
