from hypothesis import given
from hypothesis import strategies as st

from media.audio.packet import RATE
from media.audio.timeline import capture_at, unwrap

bits = st.sampled_from([16, 32])


@given(bits, st.integers(-(2**40), 2**40), st.data())
def test_unwrap_finds_the_number_that_was_wrapped(width: int, near: int, data: st.DataObject) -> None:
    half = 1 << (width - 1)
    true = near + data.draw(st.integers(-half, half - 1))
    assert unwrap(true % (1 << width), near, width) == true


@given(bits, st.integers(0, 2**32), st.lists(st.integers(-500, 500), max_size=50))
def test_a_walk_across_the_wrap_is_followed(width: int, start: int, steps: list[int]) -> None:
    true = known = start
    for step in steps:
        true += step
        known = unwrap(true % (1 << width), known, width)
        assert known == true


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**33), st.integers(-RATE * 3600, RATE * 3600))
def test_capture_time_runs_with_the_samples_and_wraps_at_64_bits(known: int, at: int, samples: int) -> None:
    found = capture_at(at + samples, known, at)
    assert 0 <= found < 2**64
    seconds = ((found - known + 2**63) % 2**64 - 2**63) / 2**32
    assert abs(seconds - samples / RATE) < 1e-6
