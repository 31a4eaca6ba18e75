"""What the recorder is given: all that was heard, when it was heard, and nothing that was not."""

from collections import defaultdict
from collections.abc import Iterator
from mmap import mmap

import numpy as np
import pytest

from media.audio.opus import Decoder
from media.recording.ring import MIX, PAGE, Gone, Heard, Named, Ring, read_frames
from media.relay.tap import Tap
from tests.media.relay.sound import strength
from tests.media.relay.world import ROOM, World

A, B = 440.0, 700.0


class Recorded:
    """Reads the ring as the recorder does."""

    def __init__(self, size: int) -> None:
        self.memory = mmap(-1, PAGE + size)
        self._ring = Ring(memoryview(self.memory))
        self.names: dict[tuple[int, int], str] = {}
        self.gone: list[int] = []
        self.heard: defaultdict[str, list[Heard]] = defaultdict(list)

    def read(self) -> None:
        for each in read_frames(self._ring.read()):
            match each:
                case Named(room, speaker, name):
                    self.names[room, speaker] = name
                case Heard(room, speaker):
                    self.heard[self.names[room, speaker]].append(each)
                case Gone(room):
                    self.gone.append(room)

    def sound(self, name: str) -> np.ndarray:
        decoder = Decoder()
        return np.concatenate([decoder.decode(heard.payload) for heard in self.heard[name]])


@pytest.fixture
def recorded() -> Recorded:
    return Recorded(4 << 20)


@pytest.fixture
def world(recorded: Recorded) -> Iterator[World]:
    made = World(Tap(recorded.memory))
    yield made
    assert made.core.stats.faults == 0
    made.close()


def test_each_speaker_is_a_track_and_the_mix_is_what_was_sent(world: World, recorded: Recorded) -> None:
    world.core.record(ROOM)
    world.speaker("ana", A)
    world.speaker("ben", B)
    listener = world.join("lea", "recvonly")
    world.run(2.0)
    recorded.read()
    assert set(recorded.heard) == {"ana", "ben", ROOM}
    assert recorded.names[next(key for key in recorded.names if key[1] == MIX)] == ROOM
    assert strength(recorded.sound("ana"), A) > 0.2 > 0.01 > strength(recorded.sound("ana"), B)
    assert strength(recorded.sound("ben"), B) > 0.2 > 0.01 > strength(recorded.sound("ben"), A)
    sent = [packet.payload for _, packet in listener.packets]
    mix = [heard.payload for heard in recorded.heard[ROOM]]
    assert mix[-len(sent) :] == sent
    steps = np.diff([heard.us for heard in recorded.heard["ana"]])
    assert np.all(np.abs(steps - 20_000) <= 1)
    assert {heard.samples for heard in recorded.heard["ana"]} == {960}
    assert all(5 <= heard.level <= 30 for heard in recorded.heard["ana"])


def test_what_nobody_heard_is_not_recorded(world: World, recorded: Recorded) -> None:
    world.core.record(ROOM)
    world.speaker("ana", A)
    world.run(1.0)
    world.core.mute(ROOM, "ana", True)
    world.run(0.4)
    recorded.read()
    recorded.heard.clear()
    world.run(2.0)
    recorded.read()
    assert "ana" not in recorded.heard
    world.core.mute(ROOM, "ana", False)
    world.run(0.5)
    recorded.read()
    assert len(recorded.heard["ana"]) > 15


def test_a_room_is_recorded_from_when_it_is_asked_for_and_only_that_room(world: World, recorded: Recorded) -> None:
    world.speaker("ana", A)
    world.run(1.0)
    recorded.read()
    assert not recorded.heard and not recorded.names
    world.core.record(ROOM)
    world.core.record(ROOM)  # as after another recorder was started
    world.core.open_room("other")
    world.run(1.0)
    recorded.read()
    assert len(recorded.heard["ana"]) == 50 and "other" not in recorded.names.values()
    world.core.close_room(ROOM)
    world.run(0.1)
    recorded.read()
    assert len(recorded.gone) == 1


def test_a_recorder_that_reads_nothing_is_no_harm(world: World, recorded: Recorded) -> None:
    small = Recorded(20_000)
    tiny = World(Tap(small.memory))
    try:
        tiny.core.record(ROOM)
        tiny.speaker("ana", A)
        listener = tiny.join("lea", "recvonly")
        tiny.run(4.0)
        assert tiny.core.stats.recorder_refused > 0
        assert strength(listener.heard(tiny.now - 0.5), A) > 0.2
        small.read()
        before = len(small.heard["ana"])
        tiny.run(0.5)
        small.read()
        assert len(small.heard["ana"]) == before + 25, "goes on as soon as there is room"
    finally:
        tiny.close()
