"""WHEP and WHIP in front of Janus, which has an API of its own: so that the same members join as anywhere.

It runs in the benchmark's process; Janus is not billed for it.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

from loadtest.bench.rivals.janus import Janus, Negotiate
from loadtest.lab import LabError, free_port


@asynccontextmanager
async def gateway(server: Janus, negotiate: Negotiate) -> AsyncGenerator[str]:
    """Take offers at the address this yields."""

    async def post(request: web.Request) -> web.Response:
        try:
            handle, answer = await negotiate(server, await request.text())
        except LabError as error:
            return web.Response(status=502, text=str(error))
        return web.Response(status=201, text=answer, headers={"Location": f"/{handle}"})

    async def delete(request: web.Request) -> web.Response:
        await server.detach(int(request.match_info["handle"]))
        return web.Response(status=204)

    app = web.Application()
    app.add_routes([web.post("/", post), web.delete(r"/{handle:\d+}", delete)])
    runner, port = web.AppRunner(app), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()
