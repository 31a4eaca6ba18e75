"""Transcripts as files: what public parsers read back is what was said, whatever its letters."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.captions.formats import as_json, srt, vtt
from media.captions.lines import CUE_LETTERS, Line, cues_of, words_of

LONG = "This is a sentence that somebody says. " * 6
LINES = [
    Line("1", "ana", 0, 2_500, "Welcome, all of you.", "en"),
    Line("2", "ben", 3_661_007, 3_662_000, "1 < 2 & 3 --> 4 {\\an8}", "en", automatic=False, corrected=True),
]
NAMES = {"ana": "Ana <b>\n\nNOTE", "ben": "Ben"}


def test_webvtt_names_the_speaker_and_says_what_was_corrected() -> None:
    text = vtt(LINES, NAMES.__getitem__)
    assert text.startswith("WEBVTT\n\nNOTE ")
    assert "00:00:00.000 --> 00:00:02.500\n<v.automatic Ana &lt;b&gt; NOTE>Welcome, all of you.\n" in text
    assert "01:01:01.007 --> 01:01:02.000\n<v.corrected Ben>1 &lt; 2 &amp; 3 --&gt; 4 {\\an8}\n" in text


def test_subrip_is_numbered_and_has_no_tags() -> None:
    text = srt(LINES, NAMES.__getitem__)
    assert text.startswith("1\n00:00:00,000 --> 00:00:02,500\nAna ‹b› NOTE: Welcome, all of you.\n\n2\n")
    assert "Ben: 1 ‹ 2 & 3 --› 4 (\\an8)" in text


def test_json_has_the_words_with_their_times() -> None:
    read = json.loads(as_json(LINES, NAMES.__getitem__, {"space_id": "s1"}))
    assert read["space_id"] == "s1"
    assert [line["corrected"] for line in read["lines"]] == [False, True]
    assert read["lines"][0]["words"][0] == [0, 1_071, "Welcome,"]
    assert read["lines"][0]["words"][-1][1] == 2_500


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=400), st.integers(0, 10**8), st.integers(0, 10**5))
def test_no_text_breaks_a_file(text: str, start: int, length: int) -> None:
    line = Line("1", "ana", start, start + length, text)
    words = words_of(line)
    assert " ".join(word.text for word in words) == " ".join(text.split())
    assert all(start <= word.start_ms <= word.end_ms <= start + length for word in words)
    cues = list(cues_of(line))
    assert " ".join(cue.text for cue in cues) == " ".join(text.split())
    for cue in cues:
        assert len(cue.text) <= CUE_LETTERS or " " not in cue.text
    blocks = vtt([line], str).split("\n\n")
    assert len(blocks) == 2 + len(cues) and all(block.count("-->") == 1 for block in blocks[2:])


@pytest.mark.parametrize("text", [LONG, "word " * 100, "unendinglylongword" * 20])
def test_a_long_line_is_cut_into_cues_that_follow_each_other(text: str) -> None:
    cues = list(cues_of(Line("1", "ana", 0, 20_000, text)))
    assert cues[0].start_ms == 0 and cues[-1].end_ms == 20_000
    assert all(one.end_ms == other.start_ms for one, other in pairwise(cues))
