"""Joined packets are what was said, frame by frame."""

import numpy as np
import pytest

from media.audio.opus import FRAME, Decoder, Encoder, packet_samples
from media.audio.repacketizer import join, joinable
from tests.media.audio.conftest import voice


@pytest.mark.parametrize("fec", [True, False])
@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("bitrate", [12_000, 32_000, 128_000])
def test_joined_frames_sound_as_they_did_apart(fec: bool, frames: int, bitrate: int) -> None:
    encoder, sound = Encoder(bitrate, fec=fec, complexity=0), voice(0.6)
    packets = [encoder.encode(sound[i : i + FRAME]) for i in range(0, sound.size, FRAME)]
    alone, joined = Decoder(), Decoder()
    for start in range(0, len(packets), frames):
        group = packets[start : start + frames]
        assert all(joinable(group[0], packet) for packet in group)
        packet = join(group)
        assert packet_samples(packet) == frames * FRAME
        assert len(packet) <= sum(map(len, group)) + 2 * frames + 1
        apart = np.concatenate([alone.decode(each) for each in group])
        assert np.array_equal(joined.decode(packet), apart)


def test_frames_of_equal_size_need_no_lengths() -> None:
    first, second = bytes([31 << 3]) + b"a" * 40, bytes([31 << 3]) + b"b" * 40
    assert join([first, second]) == bytes([31 << 3 | 1]) + b"a" * 40 + b"b" * 40


@pytest.mark.parametrize("sizes", [(0, 300, 1), (251, 252, 253), (1, 255, 256), (508, 400, 300)])
def test_every_length_can_be_told(sizes: tuple[int, ...]) -> None:
    packets = [bytes([31 << 3]) + bytes([n]) * size for n, size in enumerate(sizes)]
    joined = join(packets)
    assert packet_samples(joined) == 3 * FRAME
    assert joined.endswith(b"".join(packet[1:] for packet in packets))


def test_another_mode_or_more_than_one_frame_cannot_be_joined() -> None:
    celt, hybrid = bytes([31 << 3]) + b"x", bytes([15 << 3]) + b"x"
    assert joinable(celt, celt)
    assert not joinable(celt, hybrid)
    assert not joinable(bytes([31 << 3 | 1]) + b"xx", bytes([31 << 3 | 1]) + b"xx")
