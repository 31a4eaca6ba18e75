"""From packets to captions, with a recogniser of tones and no clock: what is shown, and to whom it is not."""

from collections.abc import Iterable

import pytest

from media.captions.captioner import Captioner
from media.captions.recogniser import Recogniser
from media.captions.shown import Caption
from media.captions.tones import WORDS, ToneRecogniser
from tests.media.captions.speaking import packets

ANA, BEN = ("s1", "ana"), ("s1", "ben")


def captioner(partial_ms: int | None = None) -> Captioner:
    made = Captioner(partial_ms)
    made.set_audiences({"s1": 5})
    made.begin(ANA)
    return made


def work(captioner: Captioner, recogniser: Recogniser) -> Iterable[Caption]:
    while (task := captioner.next()) is not None:
        caption = captioner.heard(task, task.perform(recogniser))
        if caption is not None:
            yield caption


def speak(captioner: Captioner, sent: list[bytes], start_ms: int = 0, lost: Iterable[int] = ()) -> list[Caption]:
    """Send packets in time, and recognise what is complete after each."""
    found: list[Caption] = []
    recogniser = ToneRecogniser()
    for number, payload in enumerate(sent):
        now = (start_ms + 20 * number) / 1000
        if number not in lost:
            captioner.packet(ANA, start_ms + 20 * number, payload, now)
        captioner.review(now)
        found += work(captioner, recogniser)
    return found


def test_what_is_said_is_shown_with_its_times() -> None:
    (caption,) = speak(captioner(), packets(["we", "hear", "that"]), start_ms=60_000)
    assert (caption.space_id, caption.user_id, caption.text) == ("s1", "ana", "we hear that")
    assert caption.final and caption.language == "en"
    assert 60_000 <= caption.start_ms < 60_200 < 61_200 < caption.end_ms < 61_800


def test_lost_packets_are_made_up_and_packets_that_are_garbage_are_lost() -> None:
    sent = packets(["we", "hear", "that", "now"])
    assert speak(captioner(), sent, lost=[9, 31, 32])[0].text == "we hear that now"
    sent[20] = b"\xff" * 7
    assert speak(captioner(), sent)[0].text == "we hear that now"


def test_partial_captions_grow_until_the_final_one() -> None:
    found = speak(captioner(partial_ms=1_000), packets(list(WORDS[:8])))
    assert [caption.final for caption in found] == [False, False, False, True]
    assert [len(caption.text.split()) for caption in found] == sorted(len(c.text.split()) for c in found)
    assert found[-1].text == " ".join(WORDS[:8])
    assert len({caption.start_ms for caption in found}) == 1


def test_who_mutes_in_the_middle_is_shown_soon_after() -> None:
    captions = captioner()
    sent = packets(["good", "new"])[:40]
    assert speak(captions, sent) == []
    assert captions.review(1.2) == [] and list(work(captions, ToneRecogniser())) == []
    captions.review(1.6)
    (caption,) = work(captions, ToneRecogniser())
    assert caption.text == "good new"


def test_a_partial_caption_that_was_nothing_is_taken_back() -> None:
    class Forgetful(ToneRecogniser):
        """Is sure while one speaks, and not any more afterwards."""

        def recognise(self, sound, window_s, language):  # type: ignore[no-untyped-def]
            heard = super().recognise(sound, window_s, language)
            return heard if len(sound) < 2 * 16_000 else type(heard)("you", -3.0, "en")

    captions, recogniser = captioner(partial_ms=1_000), Forgetful()
    found: list[Caption] = []
    for number, payload in enumerate(packets(list(WORDS[:7]))):
        captions.packet(ANA, 20 * number, payload, number / 50)
        found += work(captions, recogniser)
    assert [(caption.final, bool(caption.text)) for caption in found] == [(False, True), (True, False)]


@pytest.mark.parametrize("when", ["while it waits", "while it is recognised"])
def test_who_withdraws_is_not_shown(when: str) -> None:
    captions = captioner()
    for number, payload in enumerate(packets(["we"])):
        captions.packet(ANA, 20 * number, payload, number / 50)
    if when == "while it waits":
        captions.withdraw(ANA)
        assert captions.next() is None
    else:
        task = captions.next()
        assert task is not None
        heard = task.perform(ToneRecogniser())
        assert heard is not None
        captions.withdraw(ANA)
        assert captions.heard(task, heard) is None
    assert speak(captions, packets(["we"]), 10_000) == []


def test_a_space_that_is_over_is_forgotten() -> None:
    captions = captioner()
    captions.begin(BEN)
    for number, payload in enumerate(packets(["we"])):
        captions.packet(ANA, 20 * number, payload, number / 50)
    assert len(captions) == 1
    captions.set_audiences({})
    assert len(captions) == 0 and captions.next() is None
