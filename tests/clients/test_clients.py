"""Real WebRTC clients speak in a Space and hear one, over HTTP and UDP, and what is heard is what was spoken."""

from collections.abc import Iterator

import pytest

from tests.clients import lab
from tests.clients.lab import Remote
from tests.clients.table import CLIENTS, Role

pytestmark = [pytest.mark.needs("network"), pytest.mark.timeout(lab.START + 60)]


@pytest.fixture(scope="module")
def trials() -> Iterator[Remote]:
    with lab.start() as running:
        yield running


@pytest.mark.parametrize(
    ("client", "role", "offer"),
    [
        pytest.param(name, role, offer, marks=pytest.mark.needs(*client.needs), id=f"{name}-{role}-{offer}")
        for name, client in CLIENTS.items()
        for role in client.roles
        for offer in client.offers
    ],
)
def test_what_is_heard_is_the_tone_that_was_spoken(trials: Remote, client: str, role: Role, offer: str) -> None:
    result = trials.trial(client, role, offer)
    assert result.is_heard, result
