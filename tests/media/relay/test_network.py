"""A bad network costs sound and no delay: bursts spoken before, during and after losses keep their rhythm."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from media.rtc.inbox import key_of
from tests.media.relay.sound import RATE, onsets, strength
from tests.media.relay.world import ROOM, Member, World, hears, misses

TONE = 600.0
BEAT = 25
"""Ticks (500 ms) from one burst to the next."""
BURST = 10
"""Ticks (200 ms) that a burst lasts."""


def speak_in_bursts(world: World, speaker: Member, beats: int) -> tuple[np.ndarray, np.ndarray]:
    """Speak bursts of a tone; when each began to be spoken and to be heard, in seconds of virtual time.

    Between bursts it sends silence, so that the stream never pauses and no pause puts the delay right.
    """
    listener = world.members[-1]
    spoken = []
    start = world.now
    for _ in range(beats):
        spoken.append(world.now)
        speaker.says = TONE
        world.run(0.02 * BURST)
        speaker.says = 15.0  # inaudible: below what a voice codec passes, and yet a packet every 20 ms
        world.run(0.02 * (BEAT - BURST))
    timeline = np.zeros(round((world.now - start + 1.0) * RATE), np.float32)
    for time, pcm in listener._sound:
        at = round((time - start) * RATE)
        if 0 <= at <= timeline.size - pcm.size:
            timeline[at : at + pcm.size] = pcm
    heard = start + np.array(onsets(timeline, TONE)) / RATE
    return np.array(spoken), heard


def delays(spoken: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """How much later each burst was heard, in seconds; NaN for one that was not."""
    found = []
    for moment in spoken:
        after = heard[(heard > moment - 0.02) & (heard < moment + 0.4)]
        found.append(after[0] - moment if after.size else np.nan)
    return np.array(found)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("one packet", lambda n: n == 180),
        ("ten in a row", lambda n: 180 <= n < 190),
        ("five in a hundred", lambda n: 100 <= n < 400 and random.Random(n).random() < 0.05),
        ("thirty in a hundred", lambda n: 100 <= n < 400 and random.Random(n).random() < 0.3),
    ],
)
def test_loss_leaves_no_lasting_delay(world: World, name: str, lost: Callable[[int], bool]):
    speaker = world.speaker("ana", TONE, "sendonly")
    world.join("lea", "recvonly")
    speaker.loses = lambda n: lost(n)
    spoken, heard = speak_in_bursts(world, speaker, 24)
    late = delays(spoken, heard)
    before, after = np.nanmedian(late[:4]), np.nanmedian(late[-4:])
    assert not np.isnan(late[-4:]).any()
    assert before < 0.12
    assert after - before < 0.03, f"{name}: {before * 1e3:.0f} ms before, {after * 1e3:.0f} ms after"


def test_one_lost_packet_is_not_even_heard(world: World):
    speaker = world.speaker("ana", TONE, "sendonly")
    listener = world.join("lea", "recvonly")
    speaker.loses = lambda n: n == 60
    world.run(2.0)
    level = [strength(listener.heard(t, t + 0.1), TONE) for t in np.arange(world.now - 1.2, world.now - 0.1, 0.1)]
    assert min(level) > 0.5 * max(level)


@pytest.mark.parametrize(
    ("sequence", "timestamp"), [(65_500, 50_000), (1000, (1 << 32) - 30_000), (65_500, (1 << 32) - 30_000)]
)
def test_numbers_wrap_around_while_someone_speaks(world: World, sequence: int, timestamp: int):
    listener = world.join("lea", "recvonly")
    world.core.let_talk(ROOM, "ana", True)
    speaker = world.join("ana", "sendonly")
    speaker.sequence, speaker.timestamp, speaker.says = sequence, timestamp, TONE
    world.run(0.3)
    since = world.now
    world.run(2.0)
    assert speaker.sequence > 65_536 or speaker.timestamp > 1 << 32
    level = [strength(listener.heard(t, t + 0.1), TONE) for t in np.arange(since, world.now - 0.1, 0.1)]
    assert min(level) > 0.9 * max(level) > 0.1
    assert world.core.snapshot().speaker_frames["concealed"] == 0


def test_replayed_sound_is_not_heard_twice(world: World):
    speaker = world.speaker("ana", TONE, "sendonly")
    listener = world.join("lea", "recvonly")
    recorded: list[bytes] = []
    protect = speaker.speak

    def recording() -> bytes | None:
        packet = protect()
        if packet:
            recorded.append(packet)
        return packet

    speaker.speak = recording  # type: ignore[method-assign]
    world.run(1.0)
    speaker.says = None
    world.run(0.7)
    since = world.now
    for packet in recorded:
        world.core.receive(packet, key_of(speaker.address), world.now)
        world.run(0.02)
    assert misses(listener, TONE, since)


def test_speaker_who_changes_stream_is_heard_again(world: World):
    """As after a restart of the encoder: other sequence numbers and timestamps, in the same session."""
    speaker = world.speaker("ana", TONE, "sendonly")
    listener = world.join("lea", "recvonly")
    world.run(1.0)
    speaker.sequence, speaker.timestamp = 30_000, 3_000_000_000
    world.run(0.4)
    since = world.now
    world.run(0.5)
    assert hears(listener, TONE, since)
