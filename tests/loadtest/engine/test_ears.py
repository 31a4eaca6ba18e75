"""The compiled ears: real sockets, real SRTP; what is counted, what is refused, and what reaches Python."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from loadtest.engine.ear import RESOLUTION, WRITTEN
from loadtest.engine.ears import Ears
from loadtest.engine.receive import DATAGRAM, FIRST_PACKET, REPORT, RING
from media.rtc.rtcp import build_bye
from media.rtc.stun import BINDING_REQUEST, build_stun
from tests.loadtest.engine.mouths import Mouth, collect, until


@pytest.fixture
def ears() -> Iterator[Ears]:
    made = Ears(4096)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def mouth(ears: Ears) -> Iterator[Mouth]:
    made = Mouth(ears)
    yield made
    made.close()


def test_packets_are_received_and_counted(ears: Ears, mouth: Mouth) -> None:
    mouth.say(*range(100, 150))
    until(lambda: ears.packets == 50)
    assert ears.totals() == (50, 50)
    record = ears.record(mouth.fd)
    assert (record["first_sequence"], record["highest_sequence"], record["ssrc"]) == (100, 149, 7)
    assert ears.octets == sum(len(mouth.packet(n)) for n in range(150, 200)) == record["octets"]
    assert (ears.rejected, ears.overflows) == (0, 0)


def test_what_is_missing_is_found_by_sequence_number(ears: Ears, mouth: Mouth) -> None:
    mouth.say(*(n for n in range(200) if n % 10))
    until(lambda: ears.packets == 180)
    assert ears.totals() == (199, 180), "the first, number 0, was never expected"


def test_loss_is_counted_across_the_wrap_of_the_sequence(ears: Ears, mouth: Mouth) -> None:
    for base in (0xFFF0, 0x1_FFF0):
        mouth.say(*(base + n for n in range(32) if n not in (14, 15, 16)))
        if base == 0xFFF0:  # to the next wrap in strides that are shorter than half the circle
            mouth.say(0x1_4000, 0x1_8000, 0x1_C000)
    until(lambda: ears.packets == 61)
    expected, received = ears.totals()
    assert (expected, received) == (0x1_FFF0 + 32 - 0xFFF0, 61)
    assert ears.record(mouth.fd)["highest_sequence"] == 0x1_FFF0 + 31


def test_a_late_packet_is_not_lost(ears: Ears, mouth: Mouth) -> None:
    mouth.say(1, 2, 5)
    until(lambda: ears.packets == 3)
    assert ears.totals() == (5, 3)
    mouth.say(4, 3)
    until(lambda: ears.packets == 5)
    assert ears.totals() == (5, 5)


def test_replayed_and_forged_packets_are_rejected_and_change_nothing(ears: Ears, mouth: Mouth) -> None:
    good = mouth.packet(1)
    mouth.send(good)
    mouth.send(good)
    mouth.send(mouth.packet(2)[:-1] + b"?")
    mouth.send(good[:11] + b"\x08" + good[12:])
    mouth.send(good[:13])
    mouth.send(bytes([0x80, 201]) + bytes(40))
    until(lambda: ears.rejected == 5)
    assert ears.totals() == (1, 1)
    assert ears.record(mouth.fd)["rejected"] == 5
    assert ears.record(mouth.fd)["ssrc"] == 7


def test_the_first_packet_is_reported_once_with_its_time(ears: Ears, mouth: Mouth) -> None:
    before = time.time()
    mouth.say(1, 2, 3)
    [first] = collect(ears, 1)
    after = time.time()
    until(lambda: ears.packets == 3)
    assert (first.kind, first.seat, first.data) == (FIRST_PACKET, mouth.fd, b"")
    assert before <= first.when <= after
    assert list(ears.heard()) == []


def test_what_is_no_sound_reaches_python_unchanged(ears: Ears, mouth: Mouth) -> None:
    check = build_stun(BINDING_REQUEST, bytes(12), [], b"password")
    flight = bytes([22]) + bytes(60)
    goodbye = bytes.fromhex("80c9000100000007") + build_bye(7)
    mouth.send(check)
    mouth.send(flight)
    mouth.send(mouth.sender.protect_rtcp(goodbye))
    heard = collect(ears, 3)
    assert [(item.kind, item.data) for item in heard] == [
        (DATAGRAM, check),
        (DATAGRAM, flight),
        (REPORT, goodbye),
    ]
    assert {item.seat for item in heard} == {mouth.fd}
    assert ears.packets == 0


@pytest.mark.parametrize("delay", [0.080, 0.500])
def test_mouth_to_ear_delay_is_the_time_since_capture(ears: Ears, mouth: Mouth, delay: float) -> None:
    longest = 0.0
    for sequence in range(20):
        captured = time.time() - delay
        mouth.send(mouth.packet(sequence, captured=captured))
        until(lambda sequence=sequence: ears.packets == sequence + 1)
        longest = max(longest, time.time() - captured)
    bins = np.flatnonzero(ears.delays)
    assert ears.delays.sum() == 20
    assert delay * RESOLUTION - 1 <= bins[0] <= bins[-1] <= longest * RESOLUTION


def test_a_delay_beyond_the_histogram_falls_into_its_last_bin(ears: Ears, mouth: Mouth) -> None:
    mouth.send(mouth.packet(1, captured=time.time() - 60.0))
    mouth.send(mouth.packet(2, captured=time.time() + 60.0))
    until(lambda: ears.packets == 2)
    assert (ears.delays[-1], ears.delays[0]) == (1, 1)


def test_a_packet_without_capture_time_has_no_delay(ears: Ears, mouth: Mouth) -> None:
    mouth.say(1, 2)
    until(lambda: ears.packets == 2)
    assert ears.delays.sum() == 0


def test_jitter_is_the_change_of_transit_time(ears: Ears, mouth: Mouth) -> None:
    times: list[float] = []
    for sequence in range(10):
        begun = time.time()
        # The RTP clock says 100 ms a packet, and they come as fast as they can.
        mouth.send(mouth.packet(sequence, timestamp=0xFFFF_E000 + 4800 * sequence))
        until(lambda sequence=sequence: ears.packets == sequence + 1)
        times += [begun, time.time()]
    bins = np.repeat(np.arange(ears.jitters.size), ears.jitters)
    assert bins.size == 9, "each packet is compared with the one before, across the wrap of the timestamp too"
    for number, change in enumerate(sorted(bins / RESOLUTION)):
        assert 0.0 <= change <= 0.1 + (times[-1] - times[0]), number
    slowest = max(times[2 * n + 3] - times[2 * n] for n in range(9))
    assert max(bins) / RESOLUTION >= 0.1 - slowest - 1 / RESOLUTION
    assert ears.record(mouth.fd)["jitter"] > 0


def test_listeners_come_and_go_while_packets_pour_in(ears: Ears) -> None:
    stopping = threading.Event()
    steady = Mouth(ears)

    def pour() -> None:
        sequence = 0
        while not stopping.is_set():
            sequence += 1
            steady.say(sequence)
            for mouth in [*leaving]:
                mouth.say(sequence)

    leaving: list[Mouth] = []
    pouring = threading.Thread(target=pour)
    pouring.start()
    for _ in range(10):
        mouth = Mouth(ears)
        leaving.append(mouth)
        heard = ears.packets
        until(lambda mouth=mouth: ears.record(mouth.fd)["received"] > 3)
        ears.remove(mouth.fd)
        rounds = ears.rounds
        until(lambda rounds=rounds: ears.rounds >= rounds + 2)
        received = int(ears.record(mouth.fd)["received"])
        leaving.remove(mouth)
        until(lambda heard=heard: ears.packets > heard + 20)
        assert ears.record(mouth.fd)["received"] == received, "who has been removed hears nothing"
        ears.add(mouth.fd, mouth.receiver, 0)
        mouth.close()
    stopping.set()
    pouring.join()
    steady.close()
    assert (ears.rejected, ears.overflows) == (0, 0)
    expected, received = ears.totals()
    assert expected >= received


def test_totals_keep_those_who_left(ears: Ears) -> None:
    for _ in range(2):
        mouth = Mouth(ears)
        before = ears.packets
        mouth.say(1, 2, 4)
        until(lambda before=before: ears.packets == before + 3)
        mouth.close()
    assert ears.totals() == (8, 6)


def test_datagrams_that_python_does_not_fetch_in_time_are_counted(ears: Ears, mouth: Mouth) -> None:
    flight = bytes([22]) + bytes(8)
    for sent in range(RING + 10):
        mouth.send(flight)
        if sent % 64 == 63:  # no faster than the loop, so that nothing is lost before it
            until(lambda sent=sent: int(ears._state[WRITTEN]) + ears.overflows == sent + 1)
    until(lambda: ears.overflows == 10)
    assert len(list(ears.heard())) == RING
    mouth.send(flight)
    assert [item.data for item in collect(ears, 1)] == [flight]
