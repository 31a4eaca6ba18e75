"""A control plane behind a real uvicorn on loopback, for clients that bring their own HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import uvicorn

from media.server.connection import Connection
from media.server.connection_limits import Connections
from media.server.listener import bound
from tests.media.server.service import Service


@asynccontextmanager
async def served(service: Service, connections: Connections | None = None) -> AsyncIterator[str]:
    """Serve an app that runs already; gives its address."""
    with socket.socket() as listener:
        bound(listener)
        listener.bind(("127.0.0.1", 0))
        table = service.app.state.connections if connections is None else connections
        protocol: Any = partial(Connection, connections=table)
        settings = uvicorn.Config(
            service.app,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,  # no proxy is trusted
            http=protocol,
            ws="none",
        )
        server = uvicorn.Server(settings)
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        service.app.state.events.close()
        server.should_exit = True
        await task
