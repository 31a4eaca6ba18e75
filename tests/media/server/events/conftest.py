from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.media.server.events.streaming import Streaming, streaming


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Streaming]:
    async with streaming(tmp_path) as one:
        yield one
