"""Tracks on one timeline: written as heard, killed anywhere, read in ranges."""

import io

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.audio.opus import Encoder
from media.recording.ogg_opus import FRAME, RATE
from media.recording.ogg_page import read_pages
from media.recording.track import GAP_MS, SILENT, TrackWriter, about_of, read_stretch
from media.recording.track_reader import Spurt, Track

ABOUT = {"track": "speaker", "user_id": "ana"}


def written(heard: list[tuple[int, bytes, int, int]], *, ended: bool = True) -> list[bytes]:
    writer = TrackWriter(1, ABOUT)
    records = writer.begin()
    for ms, payload, samples, level in heard:
        records += writer.packet(ms, payload, samples, level)
    return records + (writer.end() if ended else [])


def speech(start_ms: int, packets: int, level: int = 20, size: int = 40) -> list[tuple[int, bytes, int, int]]:
    return [(start_ms + 20 * n, bytes([n % 251 + 1]) * size, FRAME, level) for n in range(packets)]


def test_what_was_heard_is_read_where_it_was_heard() -> None:
    records = written([*speech(1_000, 100), *speech(7_500, 50)])
    assert about_of(records[0]) == ABOUT
    track = Track([records[1:]])
    assert (track.start_ms, track.end_ms) == (1_000, 8_500)
    assert [packet.start_ms for packet in track.packets(0, 10_000) if packet.level != SILENT] == [
        *range(1_000, 3_000, 20), *range(7_500, 8_500, 20),
    ]  # fmt: skip
    assert track.spurts(0, 10_000) == [Spurt(1_000, 3_000), Spurt(7_500, 8_500)]
    assert track.spurts(2_000, 7_600) == [Spurt(2_000, 3_000), Spurt(7_500, 7_600)]
    levels = track.levels(0, 10_000)
    assert len(levels) == 500
    assert [n for n, level in enumerate(levels) if level == 20] == [*range(50, 150), *range(375, 425)]


def test_two_files_are_one_track() -> None:
    first, second = written(speech(0, 100), ended=False), written(speech(4_000, 20))
    track = Track([second[1:], first[1:]])
    assert track.spurts(0, 9_000)[-1] == Spurt(4_000, 4_400)
    assert track.spurts(0, 9_000)[0].start_ms == 0


@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(1, 60)), max_size=8))
def test_killed_anywhere_at_most_a_second_is_lost(turns: list[tuple[int, int]]) -> None:
    writer, now = TrackWriter(1, ABOUT), 0
    kept = writer.begin()[1:]
    for pause, packets in turns:
        now += pause
        for heard in speech(now, packets):
            kept += writer.packet(*heard)
            assert heard[0] + 20 - Track([kept]).end_ms <= 1_000
        now += 20 * packets
        kept += writer.handle_timer(now + 900)
        assert not kept or now - Track([kept]).end_ms <= GAP_MS + 20


def test_the_pages_of_all_records_are_a_file_that_others_play() -> None:
    encoder = Encoder()
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(FRAME) / RATE)).astype(np.float32)
    packets = [(20 * n, encoder.encode(tone), FRAME, 10) for n in range(100)]
    packets += [(20 * n + 5_000, encoder.encode(tone), FRAME, 10) for n in range(50)]
    records = written(packets)
    pages = b"".join(read_stretch(record).pages for record in records[1:])
    assert [page.number for page in read_pages(pages)] == list(range(len(list(read_pages(pages)))))
    assert seconds_of(pages) == pytest.approx(6.0, abs=0.05)
    assert seconds_of(Track([records[1:]]).ogg(1_500, 5_500)) == pytest.approx(4.0, abs=0.05)


def seconds_of(data: bytes) -> float:
    with av.open(io.BytesIO(data)) as container:
        return sum(frame.samples for frame in container.decode(audio=0)) / RATE


def test_sound_that_was_played_faster_does_not_move_what_comes_after_a_pause() -> None:
    hurried = [(10 * n, b"x" * 30, FRAME, 20) for n in range(50)]  # twice as much sound as time
    track = Track([written([*hurried, *speech(3_000, 10)])[1:]])
    assert track.spurts(0, 9_000)[-1] == Spurt(3_000, 3_200)
