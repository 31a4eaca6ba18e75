"""Janus: its process, its configuration, and its API over a WebSocket.

https://janus.conf.meetecho.com/docs/rest.html says what the messages mean. Janus speaks plain HTTP too, but there
an answer has to be fetched by polling.
"""

import asyncio
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from loadtest.bench.rivals.island import INTERFACE
from loadtest.bench.rivals.stage import folder, program
from loadtest.lab import LabError, free_port, process

ADVICE = "apt-get install -y --no-install-recommends janus (Debian 12 has 1.1.2)"
START_TIMEOUT = 15.0
ANSWER_TIMEOUT = 15.0
EVENT_LOOPS = 2
"""Threads that serve all connections; without the setting each has a thread of its own, which costs more."""
_CORE = """
general: {{
    configs_folder = "{folder}"
    event_loops = {loops}
    debug_level = 2
    session_timeout = 0
}}
media: {{ rtp_port_range = "20000-40000" }}
nat: {{ ice_lite = true, ignore_mdns = true, ice_enforce_list = "{interface}" }}
plugins: {{ disable = "{others}" }}
transports: {{ disable = "{transports}" }}
"""
_WEBSOCKETS = 'general: {{ json = "compact", ws = true, ws_port = {port}, ws_ip = "127.0.0.1", wss = false }}\n'
_ALL = (
    *("audiobridge", "duktape", "echotest", "lua", "nosip", "recordplay", "sip", "streaming", "textroom"),
    *("videocall", "videoroom", "voicemail"),
)
_TRANSPORTS = ("http", "mqtt", "nanomsg", "pfunix", "rabbitmq")


def version() -> str:
    """What Janus calls itself; :raises LabError: it is not installed."""
    command = [program("janus", ADVICE), "--help"]
    said = subprocess.run(command, capture_output=True, text=True).stdout  # noqa: S603 (our own list)
    return said.partition("(")[2].partition(")")[0]


class Janus:
    """A session with a Janus of our own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, pid: int) -> None:
        self._socket, self.pid = socket, pid
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = count(1)
        self._session = 0

    async def open(self) -> None:
        """Make the session that all handles are in."""
        self._session = (await self._ask({"janus": "create"}))["data"]["id"]

    async def attach(self, plugin: str) -> int:
        """A new handle: one peer connection."""
        asked = {"janus": "attach", "plugin": f"janus.plugin.{plugin}", "session_id": self._session}
        return (await self._ask(asked))["data"]["id"]

    async def detach(self, handle: int) -> None:
        """End it."""
        await self._ask({"janus": "detach", "session_id": self._session, "handle_id": handle})

    async def tell(self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None) -> dict[str, Any]:
        """Send a plugin a message; returns the event it answers with.  :raises LabError: it is an error."""
        asked = {"janus": "message", "session_id": self._session, "handle_id": handle, "body": body}
        event = await self._ask(asked | ({"jsep": jsep} if jsep else {}))
        if "error" in event["plugindata"]["data"]:
            raise LabError(f"Janus would not {body['request']}: {event['plugindata']['data']['error']}.")
        return event

    async def listen(self) -> None:
        """Hand answers to those who wait for them, for ever; what nobody asked for is passed over."""
        async for message in self._socket:
            heard = message.json()
            waiting = self._waiting.get(heard.get("transaction", ""))
            if waiting and not waiting.done() and heard["janus"] != "ack":
                waiting.set_result(heard)

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        name = str(next(self._numbers))
        self._waiting[name] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_json(message | {"transaction": name})
            answer = await asyncio.wait_for(self._waiting[name], ANSWER_TIMEOUT)
        except TimeoutError:
            raise LabError(f"Janus did not answer {message['janus']} within {ANSWER_TIMEOUT:.0f} s.") from None
        finally:
            del self._waiting[name]
        if answer["janus"] == "error":
            raise LabError(f"Janus refused {message['janus']}: {answer['error']['reason']}.")
        return answer


@asynccontextmanager
async def janus(plugin: str, configuration: str) -> AsyncGenerator[Janus]:
    """A Janus with one plugin, in the network of :mod:`loadtest.bench.rivals.island`."""
    binary, port = program("janus", ADVICE), free_port()
    others = ",".join(f"libjanus_{other}.so" for other in _ALL if other != plugin)
    transports = ",".join(f"libjanus_{other}.so" for other in _TRANSPORTS)
    core = {"loops": EVENT_LOOPS, "interface": INTERFACE, "others": others, "transports": transports}
    with folder() as place:
        (place / "janus.jcfg").write_text(_CORE.format(folder=place, **core))
        (place / "janus.transport.websockets.jcfg").write_text(_WEBSOCKETS.format(port=port))
        (place / f"janus.plugin.{plugin}.jcfg").write_text(configuration)
        with process([binary, "-F", str(place)], place / "log") as running:
            async with aiohttp.ClientSession() as http:
                socket = await _connect(http, f"ws://127.0.0.1:{port}/", running, place / "log")
                made = Janus(socket, running.pid)
                listening = asyncio.create_task(made.listen())
                try:
                    await made.open()
                    yield made
                finally:
                    listening.cancel()
                    await socket.close()


async def _connect(
    http: aiohttp.ClientSession, url: str, running: "subprocess.Popen[bytes]", log: Path
) -> aiohttp.ClientWebSocketResponse:
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT
    while running.poll() is None and asyncio.get_running_loop().time() < deadline:
        try:
            return await http.ws_connect(url, protocols=["janus-protocol"])
        except aiohttp.ClientError:
            await asyncio.sleep(0.1)
    raise LabError(f"Janus did not start. It said last:\n{log.read_text()[-1500:]}")


Negotiate = Callable[[Janus, str], Awaitable[tuple[int, str]]]
"""A plugin's way from an SDP offer to a handle and an SDP answer."""
