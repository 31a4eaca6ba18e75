import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from media.audio.mixer import CEILING
from media.audio.opus import FRAME, RATE
from tests.media.audio.mixing import Mixer


def talkers(count: int, amplitude: float, seed: int = 1) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(seed).uniform(-amplitude, amplitude, (count, FRAME)).astype(np.float32)
    return {f"speaker {n}": noise[n] for n in range(count)}


def tones(hertz: list[float], amplitude: float, tick: int) -> dict[float, np.ndarray]:
    n = np.arange(tick * FRAME, (tick + 1) * FRAME)
    return {f: (amplitude * np.sin(2 * np.pi * f * n / RATE)).astype(np.float32) for f in hertz}


def test_silence_in_silence_out() -> None:
    mix = Mixer[str]().mix({})
    assert mix.minus == {}
    assert mix.full.shape == (FRAME,)
    assert not mix.full.any()
    quiet = Mixer[str]().mix({"a": np.zeros(FRAME, np.float32), "b": np.zeros(FRAME, np.float32)})
    assert not quiet.full.any()
    assert not any(own.any() for own in quiet.minus.values())


def test_one_voice_passes_bit_by_bit_and_does_not_hear_itself() -> None:
    frames = talkers(1, 0.89)
    mix = Mixer[str]().mix(frames)
    assert np.array_equal(mix.full, frames["speaker 0"])
    assert not mix.minus["speaker 0"].any()


def test_of_two_voices_each_hears_exactly_the_other() -> None:
    frames = talkers(2, 0.4)
    mix = Mixer[str]().mix(frames)
    assert np.array_equal(mix.minus["speaker 0"], frames["speaker 1"])
    assert np.array_equal(mix.minus["speaker 1"], frames["speaker 0"])


@given(st.integers(0, 13), st.integers(0, 2**32 - 1))
def test_minus_is_the_sum_of_the_others(count: int, seed: int) -> None:
    frames = talkers(count, 0.9 / max(count, 1), seed)
    mix = Mixer[str]().mix(frames)
    total = sum((f.astype(np.float64) for f in frames.values()), np.zeros(FRAME))
    assert np.abs(mix.full - total).max() < 1e-6
    assert set(mix.minus) == set(frames)
    for member, own in mix.minus.items():
        assert np.abs(own - (total - frames[member])).max() < 1e-6


@given(st.permutations(range(6)))
def test_the_order_of_voices_does_not_matter(order: list[int]) -> None:
    frames = talkers(6, 0.5)
    names = list(frames)
    straight, shuffled = Mixer[str]().mix(frames), Mixer[str]().mix({names[i]: frames[names[i]] for i in order})
    assert np.abs(straight.full - shuffled.full).max() < 1e-5
    for name in names:
        assert np.abs(straight.minus[name] - shuffled.minus[name]).max() < 1e-5


@settings(max_examples=50)
@given(
    st.lists(hnp.arrays(np.float32, 40, elements=st.floats(-4, 4, width=32)), min_size=1, max_size=5),
    st.integers(1, 3),
)
def test_nothing_leaves_the_range_of_int16(seeds: list[np.ndarray], ticks: int) -> None:
    mixer = Mixer[int]()
    for _ in range(ticks):
        mix = mixer.mix({n: np.repeat(seed, 24) for n, seed in enumerate(seeds)})
        for sound in (mix.full, *mix.minus.values()):
            assert np.abs(sound).max() <= 1.0
            assert np.abs(np.rint(sound * 32767)).max() <= 32767


def test_too_loud_a_mix_is_turned_down_without_distortion() -> None:
    mixer, heard = Mixer[float](), []
    for tick in range(100):
        heard.append(mixer.mix(tones([300.0, 500.0, 700.0], 0.6, tick)).full)
    steady = np.concatenate(heard[50:])
    assert CEILING * 0.9 < np.abs(steady).max() <= CEILING + 1e-6
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(steady.size))) ** 2
    bins = np.arange(spectrum.size) * RATE / steady.size
    wanted = sum(spectrum[np.abs(bins - f) < 30].sum() for f in (300, 500, 700))
    assert wanted / spectrum.sum() > 0.999  # a hard clip at this level leaves more than 1 %


def test_gain_moves_in_a_line_and_comes_back() -> None:
    mixer = Mixer[float]()
    flat = np.full(FRAME, 0.4, np.float32)
    loud = [mixer.mix(dict.fromkeys(range(4), flat)).full for _ in range(5)]
    after = [mixer.mix({0: flat}).full for _ in range(100)]
    sound = np.concatenate(after)
    assert loud[-1] == pytest.approx(CEILING, abs=1e-3)
    assert sound[0] < 0.4 * 0.6
    assert np.abs(np.diff(sound)).max() < 0.4 * 0.005
    assert np.array_equal(after[-1], flat)
    assert np.all(np.diff(sound) >= -1e-6)


def test_a_new_talker_starts_at_the_gain_of_what_they_heard_before() -> None:
    mixer = Mixer[int]()
    flat = np.full(FRAME, 0.4, np.float32)
    before = [mixer.mix(dict.fromkeys(range(4), flat)).full for _ in range(5)][-1]
    joined = mixer.mix({n: flat if n < 4 else np.zeros(FRAME, np.float32) for n in range(5)})
    assert joined.minus[4][0] == pytest.approx(before[-1], rel=0.01)
