"""Datagrams as a network and its worst users make them: real ones, changed, cut, joined, repeated and invented."""

from pathlib import Path

from hypothesis import strategies as st

RECORDED = [
    (who, kind, bytes.fromhex(data))
    for who, kind, data in (
        line.split() for line in Path(__file__).with_name("corpus.txt").read_text().splitlines() if line[0] != "#"
    )
]
"""(who sent it, stun or dtls or srtp or srtcp, the datagram)."""


def recorded(*kinds: str) -> list[bytes]:
    """The real datagrams of some kinds, of all if none is named."""
    return [data for _, kind, data in RECORDED if not kinds or kind in kinds]


@st.composite
def mangled(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """One of ``originals`` with up to four changes of some kind, or noise with the beginning of one."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["flip", "set", "word", "cut", "drop", "insert", "join", "noise"])):
            case "flip" if data:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "set" if data:
                data[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
            case "word":
                data[at : at + 2] = draw(st.integers(0, 0xFFFF)).to_bytes(2, "big")
            case "cut":
                del data[at:]
            case "drop":
                del data[at : at + draw(st.integers(1, 8))]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=12))
            case "join":
                data += draw(st.sampled_from(originals))
            case _:
                data[at:] = draw(st.binary(max_size=64))
    return bytes(data[:2048])
