"""Where phrases begin and end: all that was said is in one of them, in order, and none outgrows its window."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.captions.phrases import (
    END_MS,
    LIVE_CUT_MS,
    PRE_ROLL_MS,
    TAIL_MS,
    Phrase,
    PhraseSegmenter,
    Sound,
)
from media.captions.voice import FRAME_MS, FRAME_SAMPLES, SILENCE, VoiceDetector, level_of

CHANCE = np.random.default_rng(3)


def voiced(level: float = 0.1) -> Sound:
    return (level * CHANCE.standard_normal(FRAME_SAMPLES)).astype(np.float32)


def silent() -> Sound:
    return np.zeros(FRAME_SAMPLES, np.float32)


def run(segmenter: PhraseSegmenter, pattern: list[tuple[bool, int]], at: int = 0) -> list[Phrase]:
    """Push frames as (voice?, ms)."""
    found: list[Phrase] = []
    for is_voice, ms in pattern:
        for _ in range(ms // FRAME_MS):
            found += segmenter.push(at, voiced() if is_voice else silent())
            at += FRAME_MS
    return found


def test_a_phrase_has_a_little_silence_around_it() -> None:
    (phrase,) = run(PhraseSegmenter(), [(False, 2_000), (True, 1_000), (False, 1_000)])
    assert phrase.final
    assert phrase.start_ms == 2_000 - PRE_ROLL_MS
    assert 3_000 < phrase.end_ms <= 3_000 + 160 + TAIL_MS  # 160 ms: what hangs on to a voice
    assert len(phrase.sound) == (phrase.end_ms - phrase.start_ms) * 16


def test_a_pause_between_words_ends_no_phrase_and_one_between_sentences_does() -> None:
    assert len(run(PhraseSegmenter(), [(True, 800), (False, 300), (True, 800), (False, 1_000)])) == 1
    assert len(run(PhraseSegmenter(), [(True, 800), (False, 900), (True, 800), (False, 1_000)])) == 2


def test_a_click_is_no_phrase() -> None:
    segmenter = PhraseSegmenter(partial_ms=500)
    assert not [*segmenter.push(0, voiced(0.9)), *run(segmenter, [(False, 60)], 20), *run(segmenter, [], 80)]
    assert run(segmenter, [(False, 2_000)], 80) == [] or all(
        phrase.end_ms - phrase.start_ms < 700 for phrase in run(segmenter, [(False, 1)], 2_080)
    )


def test_a_long_speech_is_cut_at_its_quietest_place_and_nothing_is_lost() -> None:
    pattern = [(True, 6_600), (False, 160), (True, 6_000), (False, 1_000)]
    first, second = run(PhraseSegmenter(), pattern)
    assert 6_600 <= first.end_ms <= 6_760
    assert second.start_ms == first.end_ms
    assert second.end_ms >= 12_760


def test_partial_phrases_come_while_one_speaks_and_all_begin_at_the_same_moment() -> None:
    found = run(PhraseSegmenter(partial_ms=1_000), [(True, 5_500), (False, 1_000)])
    assert [phrase.final for phrase in found] == [False] * 5 + [True]
    assert {phrase.start_ms for phrase in found} == {0}
    assert [phrase.end_ms for phrase in found[:5]] == [1_000, 2_000, 3_000, 4_000, 5_000]


def test_frames_that_are_missing_are_silence() -> None:
    segmenter = PhraseSegmenter()
    found = run(segmenter, [(True, 1_000)])
    found += segmenter.push(1_200, voiced())  # 200 ms are missing
    assert not found
    found += run(segmenter, [(True, 300)], 60_000)  # muted for a minute: the phrase before is over
    (phrase,) = found
    assert (phrase.start_ms, phrase.end_ms) == (0, 1_220)
    (phrase,) = segmenter.flush()
    assert phrase.start_ms == 60_000


def test_a_frame_from_the_past_is_dropped() -> None:
    segmenter = PhraseSegmenter()
    run(segmenter, [(True, 1_000)])
    assert list(segmenter.push(500, voiced())) == []
    (phrase,) = segmenter.flush()
    assert (phrase.start_ms, phrase.end_ms) == (0, 1_000)


def test_whoever_stops_in_the_middle_loses_nothing() -> None:
    segmenter = PhraseSegmenter()
    assert run(segmenter, [(True, 700)]) == []
    (phrase,) = segmenter.flush()
    assert (phrase.start_ms, phrase.end_ms) == (0, 700)
    assert list(segmenter.flush()) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 300).map(lambda n: n * FRAME_MS)), max_size=12),
    st.lists(st.integers(0, 3_000).map(lambda n: n * FRAME_MS), min_size=12, max_size=12),
)
def test_phrases_are_in_order_apart_and_bounded_and_hold_all_voice(
    pattern: list[tuple[bool, int]], gaps: list[int]
) -> None:
    segmenter, found, at, said = PhraseSegmenter(), list[Phrase](), 0, list[tuple[int, int]]()
    for (is_voice, ms), gap in zip(pattern, gaps, strict=False):
        found += run(segmenter, [(is_voice, ms)], at)
        if is_voice and ms >= 200:
            said.append((at, at + ms))
        at += ms + gap
    found += segmenter.flush()
    for phrase in found:
        assert phrase.final
        assert 0 < phrase.end_ms - phrase.start_ms <= LIVE_CUT_MS
        assert len(phrase.sound) == 16 * (phrase.end_ms - phrase.start_ms)
    for one, other in pairwise(found):
        assert one.end_ms <= other.start_ms
    covered = {ms for phrase in found for ms in range(phrase.start_ms, phrase.end_ms, FRAME_MS)}
    for start, end in said:
        assert set(range(start, end, FRAME_MS)) <= covered


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.004])
def test_voice_stands_out_from_the_noise_around_it(noise: float) -> None:
    voice = VoiceDetector()
    for _ in range(500):
        voice.push(level_of((noise * CHANCE.standard_normal(FRAME_SAMPLES)).astype(np.float32)))
    heard = [
        voice.push(level_of((noise * CHANCE.standard_normal(FRAME_SAMPLES)).astype(np.float32)))
        for _ in range(200)
    ]
    assert not any(heard)
    assert voice.push(level_of(voiced(0.05)))


def test_digital_silence_has_a_level() -> None:
    assert level_of(silent()) == SILENCE
    assert level_of(np.ones(FRAME_SAMPLES, np.float32)) == pytest.approx(0.0, abs=1e-6)
    assert END_MS > TAIL_MS
