from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.media.server.outage.outages import KINDS, Outage, outage_of


@pytest.fixture(params=KINDS)
def outage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outage]:
    """A database that can be taken away."""
    with outage_of(request.param, tmp_path) as one:
        yield one
