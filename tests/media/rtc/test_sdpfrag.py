"""SDP fragments: what browsers and WHIP clients send is read, anything else is one sentence."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtc.description import SdpError
from media.rtc.sdpfrag import Fragment, parse_fragment, write_fragment

UFRAG, PWD = "ysXw", "vw5LmwG4y/e6dPP/zAP9Gp5k"

# The example of RFC 9725, figure 6, shortened.
RESTART = f"""a=ice-options:trickle ice2\r
a=group:BUNDLE 0 1\r
m=audio 9 UDP/TLS/RTP/SAVPF 111\r
a=mid:0\r
a=ice-ufrag:{UFRAG}\r
a=ice-pwd:{PWD}\r
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r
a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0 ufrag EsAw\r
a=end-of-candidates\r
"""


def test_credentials_are_read_wherever_they_stand():
    assert parse_fragment(RESTART) == Fragment(UFRAG, PWD)
    assert parse_fragment(f"a=ice-ufrag:{UFRAG}\na=ice-pwd:{PWD}") == Fragment(UFRAG, PWD)
    twice = f"a=ice-ufrag:{UFRAG}\na=ice-pwd:{PWD}\nm=audio 9 RTP/AVP 0\na=ice-ufrag:{UFRAG}\na=ice-pwd:{PWD}\n"
    assert parse_fragment(twice) == Fragment(UFRAG, PWD)


def test_what_is_written_is_read():
    text = write_fragment(UFRAG, PWD, "0", 111, (("192.0.2.1", 5000), ("192.0.2.2", 5000)), lite=True)
    assert parse_fragment(text) == Fragment(UFRAG, PWD)
    assert text.count("a=candidate:") == 2
    assert text.startswith("a=ice-lite\r\n")


def test_lines_of_no_use_are_passed_over():
    for text in (
        "v=0\r\n\r\n" + RESTART,
        RESTART.replace("m=audio 9", "m=audio"),
        RESTART.replace("\r\n", "\r"),
        RESTART.replace("a=ice-ufrag:", "a=ice-ufrag: ") + "nonsense",
    ):
        assert parse_fragment(text) == Fragment(UFRAG, PWD)


def test_sections_with_transports_of_their_own_are_told_apart():
    other, its = "wxyz", PWD[::-1]
    fragment = parse_fragment(RESTART + f"m=video 9 RTP/AVP 96\na=mid:1\na=ice-ufrag:{other}\na=ice-pwd:{its}\n")
    assert fragment.of("0") == fragment.of("none") == Fragment(UFRAG, PWD)
    assert fragment.of("1") == Fragment(other, its)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "lacks a=ice-ufrag"),
        (RESTART.replace("a=ice-pwd", "a=ice-password"), "lacks a=ice-ufrag or a=ice-pwd"),
        (RESTART.replace(UFRAG, "abc"), "a=ice-ufrag in line 5 is malformed"),
        (RESTART.replace(PWD, PWD[:21]), "a=ice-pwd in line 6 is malformed"),
        (RESTART + "a=ice-ufrag:another", "not that of the lines before"),
        (RESTART + "m=audio 9 RTP/AVP 0\n" * 20, "more than 16 media sections"),
        (RESTART + "a=x\n" * 1000, "more than 1000 lines"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(text: str, sentence: str):
    with pytest.raises(SdpError, match=sentence):
        parse_fragment(text)


@given(st.text(max_size=300), st.integers(0, len(RESTART)))
def test_no_text_raises_anything_else(noise: str, at: int):
    for text in (noise, RESTART[:at] + noise + RESTART[at:]):
        with suppress(SdpError):
            parse_fragment(text)
