import numpy as np
import pytest

from media.audio.opus import RATE
from media.audio.stretch import LONGEST, SHORTEST, cut, lengthen, shorten, squeeze


def test_one_period_of_a_voice_is_taken_out_without_a_seam() -> None:
    n = np.arange(1920)
    sound = sum(np.sin(2 * np.pi * 125 * k * n / RATE) / k for k in range(1, 6)).astype(np.float32)
    short = shorten(sound, 960, 0.9)
    period = RATE // 125
    assert (sound.size - short.size) % period == pytest.approx(0, abs=4)
    assert np.abs(np.diff(short)).max() < 1.1 * np.abs(np.diff(sound)).max()
    assert short.dtype == np.float32


def test_what_does_not_repeat_stays_unless_asked_for() -> None:
    noise = np.random.default_rng(3).standard_normal(1920).astype(np.float32)
    assert shorten(noise, 960, 0.9) is noise
    assert SHORTEST <= noise.size - shorten(noise, 960, -1.0).size <= LONGEST


@pytest.mark.parametrize("size", [960, 1100, 1440, 1920])
@pytest.mark.parametrize("most", [0, 100, 119, 120, 300, 480, 960])
def test_never_takes_more_than_allowed(size: int, most: int) -> None:
    sound = np.random.default_rng(size + most).standard_normal(size).astype(np.float32)
    taken = size - shorten(sound, most, -1.0).size
    assert 0 <= taken <= most


@pytest.mark.parametrize("samples", [1, 100, 240, 500, 960])
def test_cut_takes_exactly_what_it_is_told(samples: int) -> None:
    ramp = np.linspace(0, 1, 1920, dtype=np.float32)
    short = cut(ramp, samples)
    assert short.size == 1920 - samples
    assert (short[0], short[-1]) == (ramp[0], ramp[-1])
    assert np.all(np.diff(short) > 0)


def test_lengthening_a_tone_adds_one_period_and_no_click() -> None:
    tone = np.sin(2 * np.pi * 200 * np.arange(960) / 48_000).astype(np.float32)
    longer = lengthen(tone, 960, 0.5)
    assert longer.size == pytest.approx(960 + 240, abs=4)
    assert np.abs(np.diff(longer, 2)).max() < 2 * np.abs(np.diff(tone, 2)).max()
    assert np.array_equal(longer[:200], tone[:200])
    assert np.array_equal(longer[-480:], tone[-480:])


def test_noise_is_not_lengthened() -> None:
    noise = np.random.default_rng(1).standard_normal(960).astype(np.float32)
    assert lengthen(noise, 960, 0.9) is noise


@pytest.mark.parametrize("samples", [1, 4])
def test_squeezed_sound_begins_and_ends_as_it_was(samples: int) -> None:
    n = np.arange(1000)
    sound = np.sin(2 * np.pi * 440 * n / RATE).astype(np.float32)
    squeezed = squeeze(sound, samples)
    assert squeezed.shape == (1000 - samples,)
    assert squeezed.dtype == np.float32
    assert squeezed[[0, -1]] == pytest.approx(sound[[0, -1]])
    faster = np.sin(2 * np.pi * 440 * n[: 1000 - samples] / RATE * 999 / (999 - samples))
    assert np.abs(squeezed - faster).max() < 1e-3
