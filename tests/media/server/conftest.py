from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.media.server.service import Service, running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path) as one:
        yield one
