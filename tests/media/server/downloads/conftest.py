from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.media.server.evidence import allow_evidence
from tests.media.server.service import Service, running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """A server that reads evidence."""
    allow_evidence(tmp_path)
    async with running(tmp_path) as one:
        yield one
