"""Garbage collection of a relay process: after ticks, and with nothing to find where sessions came and went."""

import gc
from collections.abc import Iterator

import pytest

from media.relay.garbage import INTERVAL, Sweeper
from tests.media.relay.world import World


@pytest.fixture
def sweeper() -> Iterator[Sweeper]:
    made = Sweeper()
    yield made
    gc.unfreeze()
    gc.enable()


class Knot:
    """A cycle that only a collection frees."""

    alive = 0

    def __init__(self) -> None:
        self.me = self
        Knot.alive += 1

    def __del__(self) -> None:
        Knot.alive -= 1


def test_young_garbage_goes_every_second_and_old_when_nobody_is_there(sweeper: Sweeper):
    old = Knot()
    sweeper.start()
    assert not gc.isenabled()
    Knot()
    for _ in range(INTERVAL - 1):
        sweeper.after_tick(1)
    assert Knot.alive == 2
    sweeper.after_tick(1)
    assert Knot.alive == 1
    del old
    for _ in range(INTERVAL):
        sweeper.after_tick(1)
    assert Knot.alive == 1, "frozen"
    for _ in range(INTERVAL):
        sweeper.after_tick(0)
    assert Knot.alive == 0


def test_sessions_leave_no_cycles(world: World):
    def come_and_go(number: int) -> None:
        member = world.join(f"p{number}", "sendrecv" if number % 2 else "recvonly")
        world.run(0.1)
        world.core.drop_session(member.name)
        world.members.remove(member)
        member.socket.close()
        member.client.close()

    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for number in range(6):
            come_and_go(number)
        gc.collect()
        assert not [item for item in gc.garbage if type(item).__module__.startswith("media.")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
