"""What a server and its process of captions say to each other is read as written; all else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.captions.messages import (
    Again,
    Alive,
    Audiences,
    Began,
    Message,
    MessageError,
    Rewritten,
    Withdrawn,
    line_of,
    message_of,
)
from media.captions.shown import Caption, Paused

NAMES, NUMBERS = st.text(max_size=20), st.integers(0, 2**53)
MESSAGES = st.one_of(
    st.builds(Began, NAMES, NAMES, NUMBERS),
    st.builds(Withdrawn, NAMES, NAMES),
    st.builds(Audiences, st.dictionaries(NAMES, NUMBERS, max_size=4)),
    st.builds(Caption, NAMES, NAMES, NUMBERS, NUMBERS, NAMES, NAMES, st.booleans()),
    st.builds(Again, NAMES, NAMES, NUMBERS, NUMBERS, st.just([[20, "AA=="]])),
    st.builds(Rewritten, NAMES, NAMES, NAMES, NAMES),
    st.builds(Paused, NAMES, st.booleans()),
    st.builds(Alive, NAMES, NUMBERS, NUMBERS, NUMBERS),
)


@given(MESSAGES)
def test_messages_are_lines(message: Message) -> None:
    line = line_of(message)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert message_of(line) == message


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'{"kind":"caption"}', b'{"kind":"x"}', b"\xff", b"1"])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(MessageError):
        message_of(line)
