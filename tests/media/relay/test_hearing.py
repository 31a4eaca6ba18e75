"""All speakers at once are what each would be alone: compiled, and one after the other through Python."""

import numpy as np
import pytest

from media.audio.opus import FRAME, RATE, Encoder
from media.audio.playout import KINDS
from media.relay.hearing import DONE, LEFT, Hearing
from media.relay.stats import RelayStats
from media.relay.voice import SOUND_SAVED, Voice
from media.rtc.inbox import BATCH, DATAGRAM_MAX
from media.rtc.rtp import RtpPacket
from media.rtc.sound import SOUND
from tests.media.audio.conftest import voice

TICK = FRAME / RATE
TICKS = 60

encoder = Encoder(expected_loss=0.1)
said = 2.0 * voice(TICKS * TICK).reshape(-1, FRAME)
SPEECH = [encoder.encode(frame) for frame in said]
JUNK = [b"", b"\x1b\x02xx", b"\x78" + bytes(range(200)), b"\xff\xff", bytes([31 << 3]), b"\x08"]


class Together:
    """Speakers who are heard by the kernels; what is left to Python is done as a room does it."""

    def __init__(self, count: int) -> None:
        self.hearing, self.stats = Hearing(), RelayStats()
        room = self.hearing.new_room(0)
        self.voices = [Voice(self.hearing.speakers) for _ in range(count)]
        for own in self.voices:
            self.hearing.speakers.records["room"][own.place] = room
            self.hearing.wake(own.place)
        self.data, self.left = np.zeros((BATCH, DATAGRAM_MAX), np.uint8), 0

    def put(self, rows: list[tuple[int, RtpPacket, float, int | None, float | None]]) -> int:
        sounds = np.zeros(len(rows), SOUND)
        for index, (who, packet, arrival, capture, level) in enumerate(rows):
            size, start = len(packet.payload), 12 + index
            self.data[index, start : start + size] = np.frombuffer(packet.payload, np.uint8)
            sounds[index] = (
                *(self.voices[who].place, index, start, size, packet.ssrc, packet.sequence, packet.timestamp),
                *(arrival, np.nan if level is None else level, capture or 0, capture is not None),
            )
        return self.hearing.take(sounds, self.data)

    def tick(self, now: float) -> list[np.ndarray | None]:
        self.hearing.hear(now, self.stats)
        speakers, heard = self.hearing.speakers, []
        for own in self.voices:
            outcome = speakers.records["outcome"][own.place]
            if outcome != DONE:
                assert self.hearing.rooms["needs"][0]
                self.left += outcome == LEFT
                frame = own.playout.pull_long(now)
                self.stats.speaker_frames[frame.kind] += 1
                self.hearing.settle(own.place, frame)
            mixed = speakers.records["heard"][own.place]
            heard.append(speakers.frames[own.place].copy() if mixed else None)
        return heard


FATES = ["good"] * 8 + ["lost", "late", "twice", "junk", "quiet"]


@pytest.mark.parametrize("seed", range(12))
def test_each_is_heard_as_if_alone(seed: int):
    """Packets are lost, late, doubled, damaged or called quiet; one speaker is muted meanwhile."""
    rng = np.random.default_rng(seed)
    start = int(rng.integers(2**32)) if seed % 3 else 2**32 - 20 * FRAME
    streams = [
        [(str(fate), int(rng.integers(70)), int(rng.integers(len(JUNK)))) for fate in rng.choice(FATES, TICKS)]
        for _ in range(3)
    ]
    if seed % 2:
        streams[0][10:30] = [("lost", 0, 0)] * 20
    together, alone = Together(len(streams)), [Voice() for _ in streams]
    kinds = dict.fromkeys(KINDS, 0)
    coming: list[tuple[float, int, RtpPacket, int | None, float | None]] = []
    for who, stream in enumerate(streams):
        for i, (fate, late, junk) in enumerate(stream):
            if fate == "lost":
                continue
            packet = RtpPacket(
                *(111, (start + i) & 0xFFFF, (start + FRAME * i) & 0xFFFF_FFFF, 1),
                JUNK[junk] if fate == "junk" else SPEECH[i],
            )
            arrival = 10.0 + i * TICK + (late / 1000 if fate == "late" else 0.0)
            level = -60.0 if fate == "quiet" else None if late % 2 else -20.0
            capture = (start + i) << 20 if i % 5 == 0 else None
            coming += [(arrival, who, packet, capture, level)] * (2 if fate == "twice" else 1)
    coming.sort(key=lambda each: each[0])
    for tick in range(TICKS + 15):
        now = 10.005 + tick * TICK
        rows = []
        while coming and coming[0][0] <= now:
            arrival, who, packet, capture, level = coming.pop(0)
            assert alone[who].put(packet, arrival, capture, level) is None
            rows.append((who, packet, arrival, capture, level))
        assert together.put(rows) == 0
        heard = together.tick(now)
        for who, own in enumerate(alone):
            frame = own.playout.pull(now)
            kinds[frame.kind] += 1
            expected = own.hear(frame)
            assert (heard[who] is None) == (expected is None)
            if expected is not None:
                assert np.array_equal(heard[who], expected)
            record = together.hearing.speakers.records[together.voices[who].place]
            assert int(record["frame_capture"]) == (frame.capture or 0)
            assert record["loudness"] == frame.level_dbov
            if who == 0 and tick in (40, 50):
                own.playout.muted = together.voices[0].playout.muted = tick == 40
    assert {kind: together.stats.speaker_frames[kind] for kind in KINDS} == kinds
    for own, other in zip(together.voices, alone, strict=True):
        assert own.playout.counters == other.playout.counters
        assert (own.activity.talking, own.activity.level) == (other.activity.talking, other.activity.level)
    waiting = sum(len(own.playout.buffer) for own in together.voices)
    kept = sum(int((together.hearing.speakers.records[name] > 0).sum()) for name in ("stray", "spared"))
    own = together.hearing.speakers
    assert own.free[0] + waiting + kept == len(own.packets), "a slot is free, or a packet waits in it"


def test_nothing_but_what_is_out_of_the_ordinary_is_left_to_python():
    together = Together(3)
    for tick in range(TICKS):
        now = 10.0 + tick * TICK
        talks = tick < 30
        together.put(
            [
                (who, RtpPacket(111, tick, FRAME * tick, 1, SPEECH[tick]), now, None, -20.0)
                for who in range(3)
                if talks
            ]
        )
        heard = together.tick(now + 0.005)
        assert tick == 0 or all((frame is not None) == (tick < 30 + 15) for frame in heard) or tick >= 35
    assert together.left == 0
    assert together.stats.speaker_frames["speech"] == 90
    assert together.stats.speaker_frames["concealed"] == 15, "100 ms of each"


def test_delay_that_is_made_up_or_played_away_and_a_mute_that_fades_are_compiled_too():
    together = Together(1)
    waiting: list[tuple[float, RtpPacket]] = []
    for tick in range(400):
        now = 10.0 + tick * TICK
        late = 0.06 if 100 <= tick < 200 else 0.0
        waiting.append((now + late, RtpPacket(111, tick, FRAME * tick, 1, SPEECH[tick % TICKS])))
        due = [(0, packet, arrival, None, None) for arrival, packet in waiting if arrival <= now]
        waiting = [entry for entry in waiting if entry[0] > now]
        together.put(due)
        together.voices[0].playout.muted = 300 <= tick < 350
        together.tick(now + 0.005)
    assert together.left == 0
    assert together.stats.speaker_frames["speech"] > 300


def test_ten_times_too_many_packets_are_counted_and_dropped():
    together = Together(1)
    refused = sum(
        together.put([(0, RtpPacket(111, n & 0xFFFF, n * FRAME, 1, SPEECH[n % TICKS]), n * TICK / 10, None, None)])
        for n in range(3_000)
    )
    assert refused * TICK == pytest.approx(60.0 - SOUND_SAVED - 1.5 * 6.0, abs=2 * TICK)


def test_tables_grow_with_those_who_come_and_places_are_used_again():
    hearing = Hearing()
    voices = [Voice(hearing.speakers) for _ in range(200)]
    rooms = [hearing.new_room(n) for n in range(50)]
    assert len({own.place for own in voices}) == 200 and len(set(rooms)) == 50
    for n, own in enumerate(voices):
        assert own.put(RtpPacket(111, 1, 2, 3, SPEECH[n % TICKS]), 0.0, None, None) is None
    assert [int(hearing.rooms["full"][room]) for room in rooms] == [*range(50)]
    for own in voices:
        own.close()
    assert hearing.speakers.free[0] == len(hearing.speakers.packets)
    assert not hearing.speakers.records["waiting"].any()
    for room in rooms:
        hearing.free_room(room)
    assert not hearing.rooms["mixes"].any()
