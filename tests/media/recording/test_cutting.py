"""Cutting, chapters and waveforms: pure, so tried on what a seed makes of them."""

import io
from itertools import pairwise
from xml.etree import ElementTree as ET

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.audio.opus import Encoder
from media.recording.chapters import WINDOW_MS, Turn, chapters_of
from media.recording.cutting import cut
from media.recording.ogg_opus import FRAME, OggOpusWriter, read_packets, silent_packet
from media.recording.opus_packet import samples_of
from media.recording.waveform import TALLEST, bars_of, svg_of, thinned


def file_of(packets: list[bytes]) -> bytes:
    writer = OggOpusWriter(1)
    return writer.head() + b"".join(writer.packet(p, samples_of(p)) for p in packets) + writer.end()


def test_the_length_of_a_packet_is_what_a_decoder_makes_of_it() -> None:
    for frames in range(1, 7):
        assert samples_of(silent_packet(frames)) == frames * FRAME
    for config, samples in ((0, 480), (3, 2880), (9, 960), (12, 480), (15, 960), (16, 120), (31, 960)):
        for code, times in ((0, 1), (1, 2), (2, 2)):
            assert samples_of(bytes([config << 3 | code, 0])) == samples * times
    assert samples_of(b"") == samples_of(b"\xff") == 0


def test_a_cut_holds_exactly_what_lies_in_it() -> None:
    encoder = Encoder()
    tones = [np.full(FRAME, n * 100, np.int16) for n in range(100)]
    packets = [encoder.encode(tone) for tone in tones]
    part = cut(file_of(packets), 400, 1_000, ["TITLE=a part"])
    assert [payload for _, payload in read_packets(part)] == packets[20:50]
    with av.open(io.BytesIO(part), "r") as file:
        heard = sum(frame.samples for frame in file.decode(audio=0))
        assert file.streams.audio[0].metadata["TITLE"] == "a part"
    assert abs(heard - 30 * FRAME) <= FRAME
    for start_ms, end_ms in ((5_000, 6_000), (500, 500)):
        with pytest.raises(ValueError, match="no sound"):
            cut(file_of(packets), start_ms, end_ms)


TURNS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 200_000), st.integers(20, 40_000)).map(
        lambda each: Turn(each[0], each[1], each[1] + each[2])
    ),
    max_size=12,
)


@given(TURNS, st.integers(0, 60_000), st.integers(1_000, 250_000))
def test_chapters_cover_what_is_heard_and_name_who_speaks(turns: list[Turn], start_ms: int, length: int) -> None:
    end_ms = start_ms + length
    chapters = chapters_of(turns, start_ms, end_ms)
    heard = [turn for turn in turns if turn.start_ms < end_ms and turn.end_ms > start_ms]
    assert bool(chapters) is bool(heard)
    if chapters:
        assert (chapters[0].start_ms, chapters[-1].end_ms) == (start_ms, end_ms)
    for one, other in pairwise(chapters):
        assert one.end_ms == other.start_ms and one.user_id != other.user_id
        assert other.start_ms - one.start_ms >= WINDOW_MS
    for chapter in chapters:
        assert any(
            turn.user_id == chapter.user_id and turn.start_ms < chapter.end_ms and turn.end_ms > chapter.start_ms
            for turn in heard
        )


@given(st.binary(max_size=500), st.integers(1, 200))
def test_a_waveform_has_the_loudest_of_each_part(levels: bytes, count: int) -> None:
    bars = bars_of(levels, count)
    assert len(bars) == min(count, len(levels)) and all(0 <= bar <= TALLEST for bar in bars)
    assert len(thinned(levels, 5)) == -(-len(levels) // 5)
    if levels:
        assert max(bars) == bars_of(bytes([min(levels)]), 1)[0]
    root = ET.fromstring(svg_of(bars, "<a> & b"))
    assert root[0].text == "<a> & b" and root[1].attrib["d"].count("M") == len(bars)
