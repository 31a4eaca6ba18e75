"""What goes to a process of captions and comes back is read as it was written, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.captions.captioner import Caption
from media.captions.frames import (
    FRAME_MAX,
    Alive,
    Audiences,
    Began,
    Frame,
    FrameError,
    FrameReader,
    Packet,
    Withdrawn,
    answer_line,
    answer_of,
    encode,
)
from media.captions.scheduler import Paused

NUMBERS = st.integers(0, 2**32 - 1)
FRAMES = st.one_of(
    st.builds(Began, NUMBERS, st.text(max_size=20), st.text(max_size=20)),
    st.builds(Withdrawn, NUMBERS),
    st.builds(Audiences, st.dictionaries(st.text(max_size=8), NUMBERS, max_size=4)),
    st.builds(Packet, NUMBERS, NUMBERS, st.binary(max_size=1_275)),
)


@given(st.lists(FRAMES, max_size=8), st.integers(1, 40))
def test_frames_are_read_as_they_were_written(frames: list[Frame], size: int) -> None:
    sent, reader = b"".join(encode(frame) for frame in frames), FrameReader()
    found: list[Frame] = []
    for at in range(0, len(sent), size):
        found += reader.feed(sent[at : at + size])
    assert found == frames


@given(st.binary(min_size=5, max_size=60))
def test_what_is_no_frame_is_told_or_waited_for(data: bytes) -> None:
    reader = FrameReader()
    try:
        for frame in reader.feed(data):
            assert encode(frame)
    except FrameError as error:
        assert str(error).endswith((".", ")", "'", '"')) or ":" in str(error)


def test_a_frame_that_is_too_long_is_refused_before_it_is_there() -> None:
    with pytest.raises(FrameError, match="1048577 bytes"):
        list(FrameReader().feed((FRAME_MAX + 1).to_bytes(4, "big") + b"\x03"))


@pytest.mark.parametrize(
    "answer",
    [
        Caption("s1", "ana", 10, 20, "Grüße\nan alle", "de", final=True),
        Paused("s1", True),
        Alive("whisper-base", 3, 400 << 20, 7),
    ],
)
def test_answers_are_lines(answer: Caption | Paused | Alive) -> None:
    line = answer_line(answer)
    assert line.count(b"\n") == 1 and answer_of(line) == answer


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'{"kind":"caption"}', b'{"kind":"x"}', b"\xff", b"1"])
def test_what_is_no_answer_is_refused(line: bytes) -> None:
    with pytest.raises(FrameError):
        answer_of(line)
