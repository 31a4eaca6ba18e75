"""What all rooms are sent in a tick is what a mixer of each room alone would make."""

import numpy as np
import pytest

from media.audio.opus import FRAME
from media.audio.playout import Frame
from media.relay.mixing import Mixing
from media.relay.room import Room
from media.relay.stats import RelayStats
from media.relay.stream import COMFORT_INTERVAL
from media.rtc.crowd import Crowd
from media.rtc.srtp import AES_128_GCM, SrtpContext
from tests.media.audio.mixing import Mixer

RNG = np.random.default_rng(5)
SOUNDS = [RNG.uniform(-0.6, 0.6, FRAME).astype(np.float32) for _ in range(7)]


class Person:
    """Who talks and listens, as the relay has it."""

    frames, place, entry = 1, -1, -1

    def __init__(self, participant: str) -> None:
        self.participant = participant


class House:
    """Rooms of two to four people who all hear it; what they say is given, frame by frame."""

    def __init__(self, sizes: list[int]) -> None:
        self.crowd, self.stats = Crowd(), RelayStats()
        self.mixing = Mixing(self.crowd)
        self.rooms: list[Room] = []
        self.contexts: list[SrtpContext] = []
        for number, size in enumerate(sizes):
            room = Room(f"room {number}", number, self.mixing, lambda *_: None)
            for n in range(size):
                person = Person(str(n))
                room.let_talk(person.participant, True)
                room.add_source(person.participant, person)
                row, context = room.add_hearer(person), SrtpContext(AES_128_GCM, bytes(28), ssrc=1)
                self.contexts.append(context)
                self.crowd.add(person, context, ("127.0.0.1", 9), ssrc=1, payload_type=111, capture_id=0, row=row)
            self.rooms.append(room)
        self.timestamp = 0

    def tick(self, says: list[dict[str, Frame]]) -> None:
        """Mix what people say; who says nothing is silent at once."""
        hearing = self.mixing.hearing
        for room in self.rooms:
            for voice in room._voices.values():
                hearing.wake(voice.place)
        hearing.hear(0.0, self.stats)
        for room, frames in zip(self.rooms, says, strict=True):
            for participant, voice in room._voices.items():
                record = hearing.speakers.records[voice.place]
                if participant in frames:
                    before = voice.talks
                    record["ticks_left"] = 10
                    hearing.settle(voice.place, frames[participant])
                    hearing.speakers.frames[voice.place] = frames[participant].pcm  # without its ramp
                    if not before:
                        room._turn(participant, voice)
                elif voice.talks:
                    record["talks"] = record["heard"] = record["ticks_left"] = 0
                    room._turn(participant, voice)
            room.tick(0.0, self.timestamp, 0, self.stats)
        self.mixing.mix(self.timestamp, self.stats)

    def close(self) -> None:
        for context in self.contexts:
            context.close()


def frame(number: int, capture: int) -> Frame:
    return Frame(SOUNDS[number], -20.0 + number, "speech", capture)


@pytest.mark.parametrize("seed", range(6))
def test_every_stream_is_the_mix_that_it_should_be(seed: int):
    rng = np.random.default_rng(seed)
    said = [
        [{who: int(rng.integers(7)) for who in "0123" if rng.random() < share} for share in (0.3, 0.6)]
        for _ in range(20)
    ]
    house, mixers = House([4, 4]), [Mixer[str](), Mixer[str]()]
    batch, rows, streams = house.mixing.batch, house.crowd.rows, house.mixing.streams
    paused = [True, True]
    for tick, numbers in enumerate(said):
        frames = [{who: frame(number, (tick << 32) + number) for who, number in each.items()} for each in numbers]
        house.tick(frames)
        jobs = {int(streams.owners[job]): batch.frames[job] for job in range(int(batch.count[0]))}
        for index, room in enumerate(house.rooms):
            full = jobs.pop(room._full.place, None)
            if not frames[index]:
                assert full is None or not full.any()
                paused[index] = True
                mixers[index].pause()
                continue
            mix = mixers[index].mix({who: each.pcm for who, each in frames[index].items()})
            assert np.allclose(full, mix.full, atol=2e-6)
            row = rows[room._full.row]
            loudest = max(frames[index].values(), key=lambda each: each.level_dbov)
            assert row["timestamp"] == house.timestamp & 0xFFFF_FFFF
            assert int(row["capture"]) == (0 if tick % 10 else loudest.capture)
            assert row["marker"] == paused[index]
            paused[index] = False
            for who in frames[index]:
                minus = room._voices[who].minus
                assert minus is not None
                own = jobs.pop(minus.place, None)
                if len(frames[index]) == 1:
                    assert own is None or not own.any()
                else:
                    assert own is not None and np.allclose(own, mix.minus[who], atol=2e-6)
        assert not any(sound.any() for sound in jobs.values()), "whoever ceased to talk has a pause"
        house.mixing.encode(house.timestamp, house.stats)
        for index, room in enumerate(house.rooms):
            assert (rows[room._full.row]["length"] > 0) == bool(frames[index]) or not frames[index]
        house.timestamp += FRAME
    assert house.stats.faults == 0
    house.close()


def test_silent_room_sends_comfort_noise_and_nothing_else():
    house, sent = House([2]), []
    for _ in range(3 * COMFORT_INTERVAL):
        house.tick([{}])
        house.mixing.encode(house.timestamp, house.stats)
        sent.append(int(house.crowd.rows[house.rooms[0]._full.row]["length"]) > 0)
        house.timestamp += FRAME
    assert [tick for tick, each in enumerate(sent) if each] == [19, 39, 59]
    house.close()
