"""Words that nobody said are dropped; what people do say twice is not."""

import numpy as np
import pytest

from media.captions.gates import is_repeated, recognise_gated, spoken
from media.captions.phrases import Sound
from media.captions.recogniser import FULL_WINDOW_S, LIVE_WINDOW_S, Heard
from media.captions.tones import WORDS, ToneRecogniser, say

NOISE = np.random.default_rng(5)


class Scripted:
    """Says what it is told for each window."""

    name = "scripted"

    def __init__(self, by_window: dict[float, Heard]) -> None:
        self.by_window = by_window
        self.asked: list[float] = []

    def recognise(self, sound: Sound, window_s: float, language: str | None) -> Heard:
        self.asked.append(window_s)
        return self.by_window[window_s]


def gated(*heard: Heard) -> tuple[Heard | None, list[float]]:
    recogniser = Scripted(dict(zip((LIVE_WINDOW_S, FULL_WINDOW_S), heard, strict=False)))
    return recognise_gated(recogniser, say(["we"]), LIVE_WINDOW_S, None), recogniser.asked


@pytest.mark.parametrize(
    "text",
    [
        "I'm going to go. I'm going to go.",
        "so this is the end so this is the end of it",
        "no no no no",
        "Thank you. Thank you. Thank you.",
        "and the THE the the",
    ],
)
def test_repeated_words_are_seen(text: str) -> None:
    assert is_repeated(text)


@pytest.mark.parametrize(
    "text",
    ["", "no, no, no!", "bye bye", "thank you, thank you", "very, very good", "had had", "to do for them"],
)
def test_what_people_say_twice_is_no_repetition(text: str) -> None:
    assert not is_repeated(text)


def test_a_repeated_phrase_is_recognised_once_more_with_the_whole_window() -> None:
    right = Heard("so this is the end", -0.3, "en")
    assert gated(Heard("so this is the end so this is the end", -0.1, "en"), right) == (right, [10.0, 30.0])
    twice = Heard("on and on we on and on we", -0.1, "en")
    assert gated(twice, twice) == (None, [10.0, 30.0])


def test_what_the_recogniser_is_not_sure_of_is_dropped() -> None:
    assert gated(Heard("you", -1.31, "en"))[0] is None
    assert gated(Heard("you", -0.99, "en"))[0] == Heard("you", -0.99, "en")


def test_descriptions_of_sounds_are_no_words() -> None:
    assert spoken("[MUSIC PLAYING]") == ""
    assert spoken("(applause) thank you ♪ la la ♪") == "thank you"
    assert spoken(" . . . ") == ""


def test_tones_are_words_and_noise_is_none() -> None:
    recogniser = ToneRecogniser()
    for start in range(0, len(WORDS), 4):
        words = list(WORDS[start : start + 4])
        heard = recognise_gated(recogniser, say(words), LIVE_WINDOW_S, None)
        assert heard is not None and heard.text.split() == words
    clean = say(["we", "hear"])
    noisy = clean + (0.005 * NOISE.standard_normal(len(clean))).astype(np.float32)
    heard = recognise_gated(recogniser, noisy, LIVE_WINDOW_S, None)
    assert heard is not None and heard.text == "we hear"
    for level in (0.0, 0.001, 0.1, 0.5):
        noise = (level * NOISE.standard_normal(32_000)).astype(np.float32)
        assert recognise_gated(recogniser, noise, LIVE_WINDOW_S, None) is None
