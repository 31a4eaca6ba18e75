"""What happens in a room is what is heard of it, with the real relay."""

import asyncio
import time
from itertools import pairwise
from pathlib import Path

from media.audio.opus import Encoder
from tests.media.relay.sound import FRAME, RATE, strength, tone
from tests.media.server.peer import Peer
from tests.media.server.process import Process


async def test_a_listener_takes_a_name_without_a_gap_and_mute_all_is_heard_at_once(tmp_path: Path) -> None:
    server = Process(tmp_path)
    speaker, listener = Peer("sendrecv", [Encoder().encode(tone(450.0, 0))]), Peer("recvonly")
    try:
        path, ana, lea = server.live("ana"), server.token("ana"), server.token("lea")
        server.call(ana, "PATCH", path, json={"anonymous_listening": True})
        link = server.call(ana, "POST", f"{path}/invitation-links", json={"role": "speaker"})
        server.call(server.token("ben"), "POST", f"{path}/invitation-links/{link['code']}/accept")
        await speaker.join(f"{server.base}{path}/whip?muted=false", server.token("ben"))
        await listener.join(f"{server.base}{path}/whep", None)
        await listener.hear(50)
        assert server.call(lea, "POST", f"{listener.resource}/name")["standing"] == "listener"
        await listener.hear(50)
        numbers = [packet.sequence for packet in listener.packets]
        assert all(after == (before + 1) % 65536 for before, after in pairwise(numbers))
        assert strength(listener.sound()[-RATE // 4 :], 450.0) > 0.1
        server.call(ana, "POST", f"{path}/mute-all", json={})
        await asyncio.sleep(0.2)  # what was under way has come
        before = len(listener.packets)
        await asyncio.sleep(0.5)
        assert strength(listener.sound()[before * FRAME :], 450.0) < 0.001
        assert server.http.delete(
            f"{path}/participants/lea", headers={"Authorization": f"Bearer {ana}"}
        ).is_success, "who was anonymous is removed as anybody"
        deadline = time.monotonic() + 30
        while not listener.goodbye:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
    finally:
        speaker.close()
        listener.close()
        server.put_away()
