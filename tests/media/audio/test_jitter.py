"""The buffer alone: what it counts, and what it hands out next."""

import dataclasses

from hypothesis import example, given, settings
from hypothesis import strategies as st

from media.audio.cursor import LARGEST_EXCESS
from media.audio.jitter import JitterBuffer
from media.audio.opus import FRAME, MAX_SAMPLES, RATE
from media.audio.speaker import CAPACITY

TICK = FRAME / RATE
PACKET = bytes([31 << 3]) + b"x" * 40  # 20 ms of CELT, no FEC


def counts(buffer: JitterBuffer) -> dict[str, int]:
    return {name: n for name, n in dataclasses.asdict(buffer.counters).items() if n}


def drain(buffer: JitterBuffer, now: float) -> list[str]:
    """One tick's worth of steps, by kind."""
    kinds, have = [], 0
    while have < FRAME:
        step = buffer.next(now, FRAME - have)
        assert step.samples > 0
        assert 0 <= step.skip < MAX_SAMPLES
        kinds.append(step.kind)
        have += step.samples
    return kinds


def run(order: list[int], first: int = 100, start: int = 7_000, ticks: int = 30) -> tuple[list[str], JitterBuffer]:
    """Packets by index, each put at its place in the order, one tick apart; one tick of play after each."""
    buffer, kinds = JitterBuffer(), []
    for place in range(ticks):
        now = place * TICK
        if place < len(order) and order[place] >= 0:
            i = order[place]
            buffer.put((first + i) & 0xFFFF, (start + FRAME * i) & 0xFFFFFFFF, PACKET, now)
        kinds += drain(buffer, now + 0.005)
    return kinds, buffer


def test_in_order_everything_is_decoded_at_once() -> None:
    kinds, buffer = run(list(range(30)))
    assert kinds == ["decode"] * 30
    assert counts(buffer) == {"received": 30}


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), min_size=40, max_size=120))
@example([(False, 0)] * 60)
@settings(max_examples=100, deadline=None)
def test_the_short_way_gives_what_the_long_way_would(fates: list[tuple[bool, int]]) -> None:
    """Each packet is lost, or comes up to 60 ms late; where all is well, all go the short way."""
    short, long = JitterBuffer(), JitterBuffer()
    arrivals = sorted(
        (i * TICK + late / 1_000, i) for i, (lost, late) in enumerate(fates) if not lost or late < 40
    )
    taken = 0
    for tick in range(len(fates) + 10):
        now = tick * TICK + 0.005
        while arrivals and arrivals[0][0] <= now:
            arrival, i = arrivals.pop(0)
            for buffer in (short, long):
                buffer.put(i, FRAME * i, PACKET, arrival)
        step = short.due(now)
        taken += step is not None
        have = 0
        while have < FRAME:
            expected = long.next(now, FRAME - have)
            assert (step or short.next(now, FRAME - have)) == expected
            if step:
                assert (step.kind, step.samples, step.skip) == ("decode", FRAME, 0)
            step = None
            have += expected.samples
        assert counts(short) == counts(long)
    if not any(lost or late for lost, late in fates):
        assert taken > len(fates) - 5


def test_a_lost_packet_is_one_lost_tick_and_the_rest_is_on_time() -> None:
    kinds, buffer = run([*range(10), -1, *range(11, 30)])
    assert kinds == ["decode"] * 10 + ["lost"] + ["decode"] * 19
    assert counts(buffer) == {"received": 29, "lost": 1}


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF))
def test_any_first_number_will_do(first: int, start: int) -> None:
    kinds, buffer = run(list(range(30)), first, start)
    assert kinds == ["decode"] * 30
    assert counts(buffer) == {"received": 30}


@given(st.integers(0xFFFF - 20, 0xFFFF), st.integers(2**32 - 20 * FRAME, 2**32 - 1), st.integers(1, 19))
def test_wrap_around_with_a_loss_beside_it(first: int, start: int, hole: int) -> None:
    kinds, buffer = run([-1 if i == hole else i for i in range(30)], first, start)
    assert kinds.count("lost") == 1
    assert kinds.count("decode") == 29
    assert counts(buffer) == {"received": 29, "lost": 1}


def test_duplicates_are_counted_and_heard_once() -> None:
    buffer = JitterBuffer()
    for i in range(20):
        for _ in range(3):
            buffer.put(i, i * FRAME, PACKET, i * TICK)
        assert drain(buffer, i * TICK + 0.005) == ["decode"]
    assert counts(buffer) == {"received": 60, "duplicate": 40}


def test_a_packet_after_its_time_is_late_and_not_heard() -> None:
    kinds, buffer = run([*range(10), -1, 11, 12, 10, 14, 15], ticks=16)
    assert kinds[10] == "lost"
    assert counts(buffer) == {"received": 15, "lost": 2, "late": 1}  # 13 never came


def test_swapped_neighbours_are_in_order_once_the_jitter_is_known() -> None:
    swapped = [i + 1 if i % 2 == 0 else i - 1 for i in range(200)]
    kinds, buffer = run(swapped, ticks=200)
    assert set(kinds[20:]) == {"decode"}
    assert buffer.counters.late <= 3
    assert buffer.delay.target - buffer.delay.floor >= TICK


def test_a_pause_by_timestamp_is_no_loss() -> None:
    buffer, kinds = JitterBuffer(), []
    for place in range(100):
        if place < 20 or place >= 60:
            sequence = place if place < 20 else place - 40
            payload = bytes([31 << 3]) if place == 19 else PACKET  # DTX: a TOC byte alone
            buffer.put(sequence, place * FRAME, payload, place * TICK)
        kinds += drain(buffer, place * TICK + 0.005)
    assert kinds == ["decode"] * 20 + ["pause"] * 40 + ["decode"] * 40
    assert counts(buffer) == {"received": 60}


def test_a_pause_seen_only_when_the_next_packet_is_here() -> None:
    buffer, kinds = JitterBuffer(), []
    for place in range(60):
        if place < 20 or place >= 23:
            sequence = place if place < 20 else place - 3
            buffer.put(sequence, place * FRAME, PACKET, place * TICK)
        kinds += drain(buffer, place * TICK + 0.005)
    assert kinds[23:] == ["decode"] * 37
    assert counts(buffer) == {"received": 57}


def test_an_ended_stream_becomes_a_pause() -> None:
    kinds, buffer = run(list(range(10)), ticks=40)
    assert kinds[-1] == "pause"
    assert not buffer.playing
    assert buffer.empty
    assert buffer.counters.lost == 0


def jump(sequence: int, timestamp: int) -> JitterBuffer:
    """A stream that goes on elsewhere after 25 packets."""
    buffer = JitterBuffer()
    kinds = []
    for i in range(75):
        moved = i >= 25
        buffer.put((i + sequence * moved) & 0xFFFF, (i * FRAME + timestamp * moved) & 0xFFFFFFFF, PACKET, i * TICK)
        kinds += drain(buffer, i * TICK + 0.005)
    assert kinds[-40:] == ["decode"] * 40
    return buffer


@given(
    st.one_of(st.just(0), st.integers(1_100, 64_000)), st.one_of(st.just(0), st.integers(60_000, 2**32 - 60_000))
)
def test_a_restarted_stream_is_taken_up_at_its_second_packet(sequence: int, timestamp: int) -> None:
    buffer = jump(sequence, timestamp)
    assert buffer.counters.resets == (sequence != 0 or timestamp != 0)
    assert buffer.counters.lost == 0
    assert buffer.counters.discarded <= 1


def test_a_single_stray_packet_is_thrown_away() -> None:
    buffer = JitterBuffer()
    kinds = []
    for i in range(40):
        buffer.put(i, i * FRAME, PACKET, i * TICK)
        if i in (10, 20):
            buffer.put(i + 30_000, i * FRAME, PACKET, i * TICK)
        kinds += drain(buffer, i * TICK + 0.005)
    assert kinds == ["decode"] * 40
    assert buffer.counters.resets == 0


def test_ten_times_too_many_packets_leave_a_small_buffer_and_a_small_delay() -> None:
    for samples in (FRAME, FRAME // 10, 0):
        buffer, n = JitterBuffer(), 0
        for tick in range(500):
            for part in range(10):
                buffer.put(n & 0xFFFF, (n * samples) & 0xFFFFFFFF, PACKET, tick * TICK + part * 0.002)
                n += 1
            steps = drain(buffer, tick * TICK + 0.019)
            assert len(steps) <= 20
            assert len(buffer) <= CAPACITY
        kinds = []
        for tick in range(500, 650):
            timestamp = 5_000 * samples + (tick - 499) * FRAME
            buffer.put((n + tick - 500) & 0xFFFF, timestamp, PACKET, tick * TICK)
            kinds += drain(buffer, tick * TICK + 0.005)
        assert kinds[-50:] == ["decode"] * 50
        assert buffer.excess(650 * TICK, 0) < LARGEST_EXCESS * RATE


def test_a_buffer_nobody_plays_stays_bounded() -> None:
    buffer = JitterBuffer()
    for i in range(5_000):
        buffer.put(i & 0xFFFF, i * FRAME, PACKET, i * TICK)
    assert len(buffer) == CAPACITY
    assert buffer.counters.discarded == 5_000 - CAPACITY
    drain(buffer, 5_000 * TICK)
    assert len(buffer) <= 2


def test_flush_forgets_packets_without_calling_them_lost() -> None:
    buffer = JitterBuffer()
    for i in range(50):
        buffer.put(i, i * FRAME, PACKET, i * TICK)
        buffer.flush()
    for i in range(50, 60):
        buffer.put(i, i * FRAME, PACKET, i * TICK)
        assert drain(buffer, i * TICK + 0.005) == ["decode"]
    assert counts(buffer) == {"received": 60}


def test_capture_time_is_worked_out_for_packets_without_one() -> None:
    buffer = JitterBuffer()
    assert buffer.capture_at(0) is None
    buffer.put(0, 1_000, PACKET, 0.0, capture=5 << 32)
    buffer.put(1, 1_960, PACKET, 0.02)
    assert buffer.capture_at(1_000 + RATE) == 6 << 32


packets = st.tuples(
    st.integers(0, 0xFFFF),
    st.one_of(st.integers(0, 0xFFFFFFFF), st.integers(0, 200).map(lambda n: n * 480)),
    st.one_of(st.just(PACKET), st.binary(max_size=6), st.sampled_from([b"\x1b\x02xx", b"\x80x", b"\x08"])),
    st.floats(0, 0.05),
)


@settings(max_examples=150)
@given(st.lists(packets, max_size=80), st.booleans())
def test_whatever_comes_is_survived_and_counted(stream: list[tuple[int, int, bytes, float]], near: bool) -> None:
    buffer, now = JitterBuffer(), 0.0
    for sequence, timestamp, payload, pause in stream:
        now += pause
        buffer.put(sequence % 50 if near else sequence, timestamp, payload, now)
        drain(buffer, now)
        assert len(buffer) <= CAPACITY
    for _ in range(150):
        now += TICK
        drain(buffer, now)
    assert buffer.counters.received == len(stream)
    assert min(dataclasses.asdict(buffer.counters).values()) >= 0
