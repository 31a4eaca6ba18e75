"""What one end says of itself parses back as it was meant."""

from hypothesis import given
from hypothesis import strategies as st

from media.rtc.description import Direction
from media.rtc.dtls import Fingerprint
from media.rtc.endpoint import Endpoint, write_sdp
from media.rtc.rtp import CAPTURE_TIME_URI
from media.rtc.sdp import parse_sdp
from tests.media.rtc.offers import FINGERPRINT


@given(
    st.sampled_from(("sendrecv", "sendonly", "recvonly", "inactive")),
    st.integers(96, 127),
    st.integers(0, 0xFFFF_FFFF),
    st.lists(st.tuples(st.just("192.0.2.1"), st.integers(1, 65535)), max_size=3),
)
def test_written_offers_parse_back(
    direction: Direction, payload_type: int, ssrc: int, candidates: list[tuple[str, int]]
):
    own = Endpoint(
        ufrag="abcd",
        pwd="p" * 22,
        fingerprint=Fingerprint("sha-256", FINGERPRINT),
        setup="actpass",
        direction=direction,
        payload_type=payload_type,
        ssrc=ssrc,
        extensions=((CAPTURE_TIME_URI, 3),),
        candidates=tuple(candidates),
    )
    audio = parse_sdp(write_sdp(own)).audio
    assert (audio.opus, audio.direction, audio.candidates) == (payload_type, direction, candidates)
    assert (audio.ufrag, audio.pwd, audio.setup) == (own.ufrag, own.pwd, own.setup)
    assert audio.ssrc == (ssrc if direction in ("sendrecv", "sendonly") else None)
    assert audio.fingerprints == [own.fingerprint]
