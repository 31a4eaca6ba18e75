"""Worlds that are tidied up."""

from collections.abc import Iterator

import pytest

from tests.media.relay.world import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    assert made.core.stats.faults == 0
    made.close()
