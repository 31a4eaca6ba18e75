"""One server for all that needs one, as a process of its own with the real relay."""

from collections.abc import Iterator

import pytest

from loadtest import lab
from loadtest.lab import Server
from loadtest.venue import Host, Venue


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with lab.server() as running:
        yield running


@pytest.fixture
def host(server: Server) -> Iterator[Host]:
    with Host(server.base, server.token) as made:
        yield made


@pytest.fixture
def venue(host: Host) -> Venue:
    """A live Space with tokens for two speakers, who have the right to speak."""
    made = host.open("A Space for tests", 2)
    for token in made.speaker_tokens[1:]:
        host._client.post(made.requests(), headers={"Authorization": f"Bearer {token}"}).raise_for_status()
    return made
