"""Tracks in Ogg: read by another implementation, cut anywhere, and on one timeline."""

import io
from collections.abc import Iterator

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.audio.opus import Encoder
from media.recording.ogg_opus import FRAME, PAGE, PRE_SKIP, RATE, OggOpusWriter, read_packets, silent_packet
from media.recording.ogg_page import Page, checksum, read_pages

TONE = 440.0


def tone(seconds: float) -> Iterator[bytes]:
    """Opus packets of 20 ms of a tone."""
    encoder = Encoder()
    for n in range(round(seconds * RATE) // FRAME):
        at = np.arange(n * FRAME, (n + 1) * FRAME) / RATE
        yield encoder.encode((0.25 * np.sin(2 * np.pi * TONE * at)).astype(np.float32))


def track(packets: list[bytes], *, ended: bool = True) -> bytes:
    writer = OggOpusWriter(7, tags=("TITLE=Mix",))
    return writer.head() + b"".join(map(writer.packet, packets)) + (writer.end() if ended else writer.flush())


def decoded(data: bytes) -> np.ndarray:
    """What FFmpeg hears: samples at 48 kHz."""
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(frames) if frames else np.zeros(0)


def strength(sound: np.ndarray) -> float:
    """Share of the energy that is the tone's."""
    at = np.arange(len(sound)) / RATE
    part = abs(np.dot(sound, np.exp(-2j * np.pi * TONE * at))) ** 2 * 2 / len(sound)
    return float(part / np.dot(sound, sound))


def test_another_implementation_plays_it() -> None:
    sound = decoded(track(list(tone(3.0))))
    assert abs(len(sound) - 3 * RATE) <= 2 * PRE_SKIP
    assert strength(sound[RATE : 2 * RATE].astype(np.float64)) > 0.99


def test_a_page_is_less_than_a_second_and_the_first_is_one_packet() -> None:
    pages = list(read_pages(track([b"abc"] * 130)))
    assert [len(page.packets) for page in pages] == [1, 1, 1, 45, 45, 39]
    assert [page.number for page in pages] == [0, 1, 2, 3, 4, 5]
    assert [page.granule for page in pages] == [
        *(0, 0, FRAME + PRE_SKIP),
        *(FRAME + PAGE + PRE_SKIP, FRAME + 2 * PAGE + PRE_SKIP, 130 * FRAME + PRE_SKIP),
    ]
    assert [page.first for page in pages] == [True, *[False] * 5] and pages[-1].last


def test_killed_at_any_moment_at_most_a_second_is_lost() -> None:
    writer = OggOpusWriter(1)
    data = writer.head()
    for n in range(1, 400):
        data += writer.packet(bytes([n % 256]) * 90)
        kept = len(list(read_packets(data)))
        assert n - kept < PAGE // FRAME and kept >= 1


@given(st.lists(st.binary(min_size=1, max_size=700), min_size=1, max_size=120), st.integers(0, 2**20))
def test_a_cut_file_is_a_beginning_of_the_whole(packets: list[bytes], cut: int) -> None:
    data = track(packets)
    assert [packet for _, packet in read_packets(data)] == packets
    left = [packet for _, packet in read_packets(data[: cut % (len(data) + 1)])]
    assert left == packets[: len(left)]


def test_damage_ends_what_is_read() -> None:
    data = track([b"abc"] * 60)
    for place in range(0, len(data), 7):
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        left = [packet for _, packet in read_packets(bytes(damaged))]
        assert len(left) < 60 and left == [b"abc"] * len(left)


def test_the_checksum_is_that_of_rfc_3533() -> None:
    """A page that another implementation (libogg, through FFmpeg) wrote verifies here."""
    made = io.BytesIO()
    with av.open(made, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, FRAME), np.int16), format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert next(read_pages(made.getvalue())).packets[0].startswith(b"OpusHead")
    assert checksum(b"") == 0


def test_where_no_packet_came_the_time_passes() -> None:
    packets = list(tone(1.0))
    writer = OggOpusWriter(1)
    data = writer.head() + b"".join(map(writer.packet, packets)) + writer.silence(2 * RATE)
    assert writer.samples == 3 * RATE
    data += b"".join(map(writer.packet, packets)) + writer.end()
    sound = decoded(data).astype(np.float64)
    assert abs(len(sound) - 4 * RATE) <= 2 * PRE_SKIP
    assert np.abs(sound[int(1.5 * RATE) : int(2.9 * RATE)]).max() < 0.01 * np.abs(sound).max(), "silent meanwhile"
    assert strength(sound[int(3.2 * RATE) : int(3.9 * RATE)]) > 0.99


@pytest.mark.parametrize("frames", range(1, 7))
def test_a_silent_packet_has_its_length(frames: int) -> None:
    writer = OggOpusWriter(1)
    packets = [writer.packet(silent_packet(frames), frames * FRAME) for _ in range(10)]
    sound = decoded(writer.head() + b"".join(packets) + writer.end())
    assert abs(len(sound) - 10 * frames * FRAME) <= 2 * PRE_SKIP and not np.any(sound)


def test_a_page_takes_255_segments() -> None:
    with pytest.raises(ValueError, match="255 segments"):
        Page((b"x" * 255 * 200, b"y" * 255 * 60), 0, 1, 0).to_bytes()
    data = track([b"z" * 254 * 40] * 20)
    assert [len(packet) for _, packet in read_packets(data)] == [254 * 40] * 20
