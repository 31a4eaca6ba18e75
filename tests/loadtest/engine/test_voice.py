"""Voices, tick by tick: what a synthetic speaker puts on the wire."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from loadtest.engine.voice import Voice, Voices
from loadtest.voice import TICK, clips
from media.rtc.client import EXTENSION_IDS, PAYLOAD_TYPE, Client
from media.rtc.dtls import Identity
from media.rtc.rtp import AUDIO_LEVEL_URI, CAPTURE_TIME_URI, RtpPacket, parse_rtp, unix_time
from media.rtc.srtp import AES_128_GCM, SrtpContext
from media.rtc.transport import SecureTransport
from tests.loadtest.engine.mouths import until

KEY = bytes(range(28))
IDENTITY = Identity()
START = 1_700_000_000.0
TEN_MINUTES = 30_000


@pytest.fixture
def client() -> Iterator[Client]:
    """Connected, as far as a voice can tell."""
    made = Client(IDENTITY, "sendrecv")
    made.transport = SecureTransport(IDENTITY, "client", (), made.ssrc, 0.0)
    made.transport.sender = SrtpContext(AES_128_GCM, KEY, made.ssrc)
    yield made
    made.transport.close()


def speak(client: Client, ticks: int, seed: int = 5, continuous: bool = False) -> list[tuple[int, RtpPacket]]:
    """Every packet with the tick it was sent in, decrypted and parsed."""
    assert client.transport is not None
    client.transport.sender = SrtpContext(AES_128_GCM, KEY, client.ssrc)
    reader, sent = SrtpContext(AES_128_GCM, KEY), list[bytes]()
    voice = Voice(client, sent.append, clips()[seed % len(clips())], seed, continuous)
    said: list[tuple[int, RtpPacket]] = []
    for tick in range(ticks):
        voice.tick(START + tick * TICK)
        said += [(tick, parse_rtp(reader.unprotect(datagram))) for datagram in sent]
        sent.clear()
    assert voice.packets == len(said)
    return said


def test_without_pauses_fifty_packets_a_second_are_sent(client: Client) -> None:
    said = speak(client, 500, continuous=True)
    assert [tick for tick, _ in said] == list(range(500))
    assert {packet.payload_type for _, packet in said} == {PAYLOAD_TYPE}
    assert {packet.ssrc for _, packet in said} == {client.ssrc}
    assert [packet.marker for _, packet in said] == [True] + [False] * 499


def test_speech_is_the_clip_in_order_with_its_levels(client: Client) -> None:
    clip = clips()[5 % len(clips())]
    said = speak(client, len(clip.packets) + 10, continuous=True)
    first = clip.packets.index(said[0][1].payload)
    for number, (_, packet) in enumerate(said):
        at = (first + number) % len(clip.packets)
        assert packet.payload == clip.packets[at]
        assert packet.extensions is not None
        level = packet.extensions[EXTENSION_IDS[AUDIO_LEVEL_URI]][0]
        assert (level & 0x80, -(level & 0x7F)) == (0x80, clip.levels[at])


def test_every_packet_says_when_it_was_captured(client: Client) -> None:
    for tick, packet in speak(client, 500):
        assert packet.extensions is not None
        captured = int.from_bytes(packet.extensions[EXTENSION_IDS[CAPTURE_TIME_URI]], "big")
        assert unix_time(captured) == pytest.approx(START + tick * TICK, abs=1e-6)


def test_over_a_pause_the_timestamp_jumps_and_the_sequence_goes_on(client: Client) -> None:
    said = speak(client, 3000)
    pauses = 0
    for (tick, packet), (next_tick, next_packet) in pairwise(said):
        assert (next_packet.sequence - packet.sequence) & 0xFFFF == 1
        assert (next_packet.timestamp - packet.timestamp) & 0xFFFF_FFFF == 960 * (next_tick - tick)
        assert next_packet.marker == (next_tick - tick > 1), "the first packet of a talk-spurt is marked"
        pauses += next_tick - tick > 1
    assert pauses > 5


def test_people_talk_385_thousandths_of_the_time(client: Client) -> None:
    shares = [len(speak(client, TEN_MINUTES, seed)) / TEN_MINUTES for seed in range(24)]
    error = float(np.std(shares, ddof=1)) / np.sqrt(len(shares))
    assert abs(np.mean(shares) - 0.385) <= 3.5 * error
    assert error < 0.01


def test_talk_goes_on_after_the_first_ten_minutes(client: Client) -> None:
    ticks = [tick for tick, _ in speak(client, 45_000)]
    assert min(ticks) < 30_000 < max(ticks)
    assert max(np.diff(ticks)) * TICK < 30.0


def test_the_seed_decides_everything(client: Client) -> None:
    assert speak(client, 1000, seed=11) == speak(client, 1000, seed=11)
    others = {tuple(tick for tick, _ in speak(client, 1000, seed)) for seed in range(5)}
    assert len(others) == 5


def test_all_voices_speak_on_one_schedule_and_can_be_hushed(client: Client) -> None:
    voices, sent = Voices(clips()), list[bytes]()
    voices.start()
    try:
        voices.add(1, client, sent.append, 3, continuous=True)
        until(lambda: len(sent) >= 5)
        assert voices.packets >= 5
        voices.hush(True)
        voices.take_late_max()
        until(lambda: voices.take_late_max() > 0)  # a tick has passed since
        hushed = len(sent)
        until(lambda: voices.take_late_max() > 0)
        assert len(sent) <= hushed + 1
        voices.hush(False)
        until(lambda: len(sent) > hushed + 2)
        voices.remove(1)
        silent = len(sent)
        until(lambda: voices.take_late_max() > 0)
        until(lambda: voices.take_late_max() > 0)
        assert len(sent) == silent, "who has been removed says nothing"
        assert voices.packets == 0
        voices.remove(1)
    finally:
        voices.stop()
