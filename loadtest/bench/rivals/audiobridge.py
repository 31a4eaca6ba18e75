"""Janus AudioBridge: a room that mixes, with an encoder for each member."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from loadtest.bench.rivals.gateway import gateway
from loadtest.bench.rivals.island import HOST
from loadtest.bench.rivals.janus import Janus, janus
from loadtest.bench.rivals.stage import Stage, engine

SPEAKERS = 2
BITRATE = 32_000
"""As our relay's mix."""
_CONFIGURATION = f"""
room-1: {{ sampling_rate = 48000, default_bitrate = {BITRATE}, audiolevel_ext = true, record = false }}
"""


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    """Janus with one room in which two people talk."""
    async with (
        janus("audiobridge", _CONFIGURATION) as server,
        gateway(server, negotiate) as whep,
        engine(HOST) as members,
    ):
        for number in range(SPEAKERS):
            await members.join("speaker", whep, seed=number, continuous=True)
        yield Stage(members, whep, server.pid)


async def negotiate(server: Janus, offer: str) -> tuple[int, str]:
    """Join the room, then offer."""
    handle = await server.attach("audiobridge")
    await server.tell(handle, {"request": "join", "room": 1})
    event = await server.tell(handle, {"request": "configure", "muted": False}, {"type": "offer", "sdp": offer})
    return handle, event["jsep"]["sdp"]
