"""A control plane behind a real uvicorn on loopback, for clients that bring their own HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from media.server.connection import Connection
from tests.media.server.service import Service


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[str]:
    """Serve an app that runs already; gives its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings = uvicorn.Config(service.app, log_config=None, access_log=False, lifespan="off", http=Connection)
        server = uvicorn.Server(settings)
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        service.app.state.events.close()
        server.should_exit = True
        await task
