"""Chirps are found where they are, to a fraction of a millisecond, under speech, noise and what a codec does."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from loadtest.engine.chirp import BANDS, CHIRPS, CYCLE, INTERVAL, LENGTH, RATE, Pcm, add_chirps, find_chirp
from loadtest.engine.chirp_ear import ChirpEar, Delay
from loadtest.engine.probes import encode, speech
from loadtest.voice import clips
from media.audio.opus import FRAME, Decoder, Encoder

NEAR = 0.0002 * RATE
"""Samples (0.2 ms)."""
CODEC = 312
"""Samples (6.5 ms) that Opus looks ahead in its VoIP mode: 4 ms of delay compensation and 2.5 ms of overlap."""


def alone(kind: int, at: int, size: int = RATE) -> Pcm:
    sound = np.zeros(size, np.float32)
    sound[at : at + LENGTH] += CHIRPS[kind]
    return sound


def coded(sound: Pcm) -> Pcm:
    encoder, decoder = Encoder(bitrate=32_000, expected_loss=0.1), Decoder()
    return np.concatenate([decoder.decode(encoder.encode(frame)) for frame in sound.reshape(-1, FRAME)])


@pytest.mark.parametrize("kind", range(len(BANDS)))
@pytest.mark.parametrize("at", [0, 1, 12_345, RATE - LENGTH])
def test_chirp_is_found_where_it_is(kind: int, at: int):
    found = find_chirp(alone(kind, at), kind)
    assert found is not None
    assert found.at == pytest.approx(at, abs=0.5)
    assert found.likeness > 0.99


@pytest.mark.parametrize("kind", range(len(BANDS)))
def test_place_between_samples_is_told(kind: int):
    fine = resample_poly(alone(kind, 10_000), 4, 1)  # at 192 kHz, then three of four samples left out
    for shift in range(4):
        found = find_chirp(np.roll(fine, shift)[::4].astype(np.float32), kind)
        assert found is not None
        assert found.at == pytest.approx(10_000 + shift / 4, abs=0.05)


@pytest.mark.parametrize("kind", range(len(BANDS)))
def test_chirp_is_found_in_noise_as_loud_as_itself(kind: int):
    rng = np.random.default_rng(kind)
    sound = alone(kind, 20_000)
    sound += rng.normal(0, float(np.sqrt(np.mean(CHIRPS[kind] ** 2))), sound.size).astype(np.float32)
    found = find_chirp(sound, kind)
    assert found is not None
    assert found.at == pytest.approx(20_000, abs=NEAR)


def test_chirps_are_not_found_where_there_are_none():
    rng = np.random.default_rng(1)
    assert find_chirp(np.zeros(RATE, np.float32), 0) is None
    assert find_chirp(np.zeros(LENGTH, np.float32), 0) is None
    for kind in range(len(BANDS)):
        assert find_chirp(rng.normal(0, 0.1, RATE).astype(np.float32), kind) is None
        for other in set(range(len(BANDS))) - {kind}:
            assert find_chirp(alone(other, 20_000), kind) is None
        for clip in clips():
            assert find_chirp(speech(clip)[:RATE], kind) is None


def test_chirps_fill_whole_cycles_only():
    with pytest.raises(ValueError, match="no multiple"):
        add_chirps(np.zeros(CYCLE + 1, np.float32))


@pytest.mark.parametrize("delay", [0.0, 0.0123, 0.25, 0.9])
def test_ear_tells_the_delay_of_every_chirp_through_codec_and_noise(delay: float):
    sound = add_chirps(0.3 * speech(clips()[0])[: 6 * CYCLE])
    heard = coded(sound) + np.random.default_rng(2).normal(0, 0.01, sound.size).astype(np.float32)
    ear = ChirpEar(lambda sample: 100.0 + sample / RATE)
    delays: list[Delay] = []
    for at in range(0, heard.size, FRAME):
        delays += ear.put(100.0 + delay + at / RATE, heard[at : at + FRAME])
    seconds = np.array([each.seconds for each in delays])
    assert len(delays) >= 4 * 5 - 2
    assert np.diff([each.mouth for each in delays]) == pytest.approx(INTERVAL / RATE)
    assert seconds == pytest.approx(delay + CODEC / RATE, abs=0.0002)


def test_ear_says_which_chirp_was_not_heard():
    sound = add_chirps(np.zeros(4 * CYCLE, np.float32))
    sound[5 * INTERVAL : 6 * INTERVAL] = 0.0
    delays = ChirpEar(lambda sample: sample / RATE).put(0.0, sound)
    assert [bool(np.isnan(each.seconds)) for each in delays] == [n == 5 for n in range(len(delays))]
    assert len(delays) == 12, "the last ones might still come"


def test_repeating_what_was_encoded_makes_no_break():
    """The last packet and the first belong together, so a speaker may say a clip over and over."""
    sound = np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE).astype(np.float32) * np.float32(0.3)
    clip, decoder = encode("tone", sound), Decoder()
    heard = np.concatenate([decoder.decode(packet) for packet in 2 * clip.packets])
    joint = heard[2 * RATE - FRAME : 2 * RATE + FRAME]
    steady = heard[RATE : RATE + 2 * FRAME]
    assert np.abs(np.diff(joint)).max() < 1.2 * np.abs(np.diff(steady)).max()
