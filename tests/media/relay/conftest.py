"""Worlds and relays that are tidied up, and a stock client that also works where there is only loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import aioice.ice
import pytest

from media.relay.relay import Relay
from tests.media.relay.people import Person, Sound
from tests.media.relay.wire import Wire
from tests.media.relay.world import ROOM, World

Join = Callable[..., Awaitable[Person]]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    assert made.core.stats.faults == 0
    made.close()


@pytest.fixture
async def relay(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Relay]:
    """A relay on loopback with an open room. aioice leaves loopback out; here it is all there is."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    made = Relay()
    await made.start()
    await made.open_room(ROOM)
    yield made
    await made.stop()
    assert made.stats().faults == 0


@pytest.fixture
async def join(relay: Relay) -> AsyncIterator[Join]:
    """``await join("ana", says=…)``: a person in the room, who may speak if they have something to say."""
    people: list[Person] = []

    async def one(
        participant: str, says: Sound | None = None, listens: bool = True, wire: Wire | None = None
    ) -> Person:
        if says:
            await relay.let_talk(ROOM, participant, True)
        person = Person(says, listens)
        people.append(person)
        change = wire.in_place_of_the_relay if wire else str
        await person.join(relay, ROOM, participant, f"session-{len(people)}", change)
        return person

    yield one
    for person in people:
        await person.leave()


@pytest.fixture
async def wire(relay: Relay) -> AsyncIterator[Wire]:
    """A faulty path to the relay."""
    made = Wire(relay.address)
    await made.open()
    yield made
    made.close()
