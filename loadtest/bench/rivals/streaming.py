"""Janus Streaming: an encoded stream comes in as plain RTP and goes out to everyone who watches."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from loadtest.bench.rivals.feed import feed
from loadtest.bench.rivals.gateway import gateway
from loadtest.bench.rivals.island import HOST
from loadtest.bench.rivals.janus import Janus, janus
from loadtest.bench.rivals.stage import Stage, engine
from loadtest.lab import free_port
from media.rtc.client import PAYLOAD_TYPE
from media.rtc.sdp import parse_sdp

HELPERS = 1
"""Threads that relay beside the one that receives; on two cores one is best."""
_CONFIGURATION = """
stream: {{
    type = "rtp", id = 1, audio = true, video = false, audioiface = "127.0.0.1"
    audioport = {port}, audiopt = {payload_type}, audiocodec = "opus", threads = {helpers}
}}
"""


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    """Janus with one mountpoint that is fed."""
    port = free_port()
    configuration = _CONFIGURATION.format(port=port, payload_type=PAYLOAD_TYPE, helpers=HELPERS)
    async with (
        janus("streaming", configuration) as server,
        gateway(server, negotiate) as whep,
        engine(HOST) as members,
    ):
        with feed(port):
            yield Stage(members, whep, server.pid)


async def negotiate(server: Janus, offer: str) -> tuple[int, str]:
    """Streaming makes the offers itself: what the member offers is taken for its answer, and the other way round.

    Both say ``actpass``; the member then is the DTLS client, as one who answers should be (RFC 5763 §5).
    """
    handle = await server.attach("streaming")
    event = await server.tell(handle, {"request": "watch", "id": 1})
    theirs = event["jsep"]["sdp"]
    await server.tell(handle, {"request": "start"}, {"type": "answer", "sdp": as_answer(offer, theirs)})
    return handle, theirs


def as_answer(offer: str, to: str) -> str:
    """What stands in a member's offer, said as the answer ``to`` another offer with one section of sound."""
    mid = parse_sdp(to).audio.mid
    answer = offer.replace("a=setup:actpass", "a=setup:active")
    return re.sub(r"(?m)^(a=mid:|a=group:BUNDLE )[^\s]+", rf"\g<1>{mid}", answer)
