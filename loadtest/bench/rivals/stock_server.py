"""``python -m loadtest.bench.rivals.stock_server HOST PORT``: WHIP and WHEP with aiortc and nothing else.

As in aiortc's own examples: a ``MediaRelay`` and one ``RTCPeerConnection`` for each listener. The speaker hears
themselves, as everybody does. Header extensions are not negotiated: aiortc would compute the audio level with a
Python loop over all samples, and nobody here reads it.
"""

import sys
from itertools import count

import aioice.ice
from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay


class StockServer:
    """One speaker's track for all."""

    def __init__(self) -> None:
        self._relay = MediaRelay()
        self._track: MediaStreamTrack | None = None
        self._peers: dict[int, RTCPeerConnection] = {}
        self._numbers = count(1)

    def app(self) -> web.Application:
        """Its routes."""
        app = web.Application()
        app.add_routes([web.get("/", _here), web.post("/whip", self._whip), web.post("/whep", self._whep)])
        app.add_routes([web.delete(r"/{number:\d+}", self._delete)])
        return app

    async def _whip(self, request: web.Request) -> web.Response:
        peer = _peer()

        @peer.on("track")
        def on_track(track: MediaStreamTrack) -> None:
            self._track = track
            peer.addTrack(self._relay.subscribe(track))

        return await self._answer(peer, await request.text())

    async def _whep(self, request: web.Request) -> web.Response:
        if self._track is None:
            return web.Response(status=409, text="Nobody speaks.")
        peer = _peer()
        peer.addTrack(self._relay.subscribe(self._track))
        return await self._answer(peer, await request.text())

    async def _answer(self, peer: RTCPeerConnection, offer: str) -> web.Response:
        plain = "".join(line for line in offer.splitlines(keepends=True) if not line.startswith("a=extmap"))
        await peer.setRemoteDescription(RTCSessionDescription(plain, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        number = next(self._numbers)
        self._peers[number] = peer
        return web.Response(status=201, text=peer.localDescription.sdp, headers={"Location": f"/{number}"})

    async def _delete(self, request: web.Request) -> web.Response:
        peer = self._peers.pop(int(request.match_info["number"]), None)
        if peer:
            await peer.close()
        return web.Response(status=204 if peer else 404)


def _peer() -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def _here(_: web.Request) -> web.Response:
    return web.Response(text="here")


def main(host: str, port: int) -> None:
    """Serve until a signal.  aioice gathers no loopback candidates by itself, so it is told its address."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [host]
    web.run_app(StockServer().app(), host=host, port=port, print=None)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
