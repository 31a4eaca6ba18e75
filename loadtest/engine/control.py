"""The engine's control socket: one JSON object a line, requests answered by ``id``, in any order.

``{"id": 1, "do": "join", "kind": "listener", "url": ..., "token": ..., "seed": 0}`` is answered
``{"id": 1, "result": {"member": 7, "signalling_ms": ..., "connect_ms": ..., "first_packet_ms": ...}}`` or
``{"id": 1, "error": "..."}``. The others are ``leave`` (``member``), ``snapshot``, ``totals``,
``tune``, ``listen in`` (``whip``, ``token``, ``whep``, ``ears``), ``heard``, ``will`` (``url``, ``token``: where
to POST if the connection ends without ``goodbye``) and ``goodbye``. Unasked comes
``{"ended": 7, "reason": "..."}`` when the relay ended a session. The engine lives as long as the connection.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, get_args

import aiohttp

from loadtest.engine.engine import Engine
from loadtest.engine.member import JoinError, Kind

LINE_MAX = 1 << 20
"""Bytes of one request."""
WILL_TIMEOUT = 10.0
"""Seconds for the one request that is left to do."""
PARENT_INTERVAL = 0.5
"""Seconds between two looks whether who is to connect is still there."""


class Controller:
    """Serves one connection, then stops the engine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._engine = Engine(lambda member, reason: self._say({"ended": member, "reason": reason}))
        self._tasks: set[asyncio.Task[None]] = set()
        self._does: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "join": self._join,
            "leave": self._leave,
            "snapshot": self._snapshot,
            "totals": self._totals,
            "tune": self._tune,
            "listen in": self._listen_in,
            "heard": self._heard,
            "will": self._take_will,
            "goodbye": self._goodbye,
        }
        self._will: tuple[str, str] | None = None

    async def run(self) -> None:
        """Until the other side hangs up or is killed."""
        await self._engine.start()
        self._say({"ready": True})
        try:
            await self._serve()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._will:
                await _execute(*self._will)
            await self._engine.stop()
            self._writer.close()

    async def _serve(self) -> None:
        """Take requests to the end of the connection; a driver killed with unread answers resets it."""
        with suppress(ConnectionError):
            while line := await self._reader.readline():
                task = asyncio.create_task(self._answer(line))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _answer(self, line: bytes) -> None:
        number: Any = None
        try:
            request: dict[str, Any] = json.loads(line)
            number = request["id"]
            result = await self._does[request["do"]](request)
        except JoinError as error:
            self._say({"id": number, "error": str(error)})
        except (ValueError, KeyError, TypeError) as error:
            self._say({"id": number, "error": f"this is no request the engine knows: {error!r}"})
        except Exception as error:  # whoever asked must not wait for an answer that never comes
            self._say({"id": number, "error": f"the engine failed at this: {error!r}"})
        else:
            self._say({"id": number, "result": result})

    async def _join(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["kind"] not in get_args(Kind):
            raise ValueError(f"kind is {' or '.join(get_args(Kind))}, not {request['kind']!r}")
        member, timings = await self._engine.join(
            request["kind"],
            request["url"],
            request.get("token"),
            seed=request.get("seed", 0),
            continuous=request.get("continuous", False),
        )
        return {"member": member, **asdict(timings)}

    async def _leave(self, request: dict[str, Any]) -> None:
        await self._engine.leave(request["member"])

    async def _snapshot(self, _: dict[str, Any]) -> dict[str, Any]:
        return self._engine.snapshot()

    async def _totals(self, _: dict[str, Any]) -> dict[str, int]:
        return self._engine.totals()

    async def _tune(self, _: dict[str, Any]) -> None:
        await self._engine.tune()

    async def _listen_in(self, request: dict[str, Any]) -> None:
        await self._engine.listen_in(request["whip"], request["token"], request["whep"], request["ears"])

    async def _heard(self, _: dict[str, Any]) -> list[dict[str, Any]]:
        return self._engine.heard()

    async def _take_will(self, request: dict[str, Any]) -> None:
        self._will = (str(request["url"]), str(request["token"]))

    async def _goodbye(self, _: dict[str, Any]) -> None:
        self._will = None

    def _say(self, message: dict[str, Any]) -> None:
        if not self._writer.is_closing():
            self._writer.write(json.dumps(message).encode() + b"\n")


async def _execute(url: str, token: str) -> None:
    """POST what whoever drove the engine has left undone."""
    headers, limit = {"Authorization": f"Bearer {token}"}, aiohttp.ClientTimeout(total=WILL_TIMEOUT)
    with suppress(aiohttp.ClientError, TimeoutError):
        async with aiohttp.ClientSession(headers=headers, timeout=limit) as http, http.post(url):
            return


async def serve(path: str, parent: int | None = None) -> None:
    """Wait at a Unix socket for the one connection, while ``parent`` lives, and serve it to its end."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.close()
        waiting.cancel()
        try:
            await Controller(reader, writer).run()
        except BaseException as error:
            done.set_exception(error)
            raise
        done.set_result(None)

    async def wait() -> None:
        while parent is None or os.getppid() == parent:
            await asyncio.sleep(PARENT_INTERVAL)
        done.set_result(None)

    server = await asyncio.start_unix_server(connected, path, limit=LINE_MAX)
    waiting = asyncio.create_task(wait())
    await done
