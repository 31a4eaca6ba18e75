"""A server process from start to end: bind, run until a signal, put everything down in order."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

import uvicorn

from media.relay.plane import DataPlane
from media.relay.port import PortTakenError
from media.server.config import Config
from media.server.listener import allow_many, backlog, bound

if TYPE_CHECKING:
    from fastapi import FastAPI

    from media.server.metrics import Families, Refresh

GOODBYE: Final = 3
"""Seconds that requests under way have to finish in."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class RunningPlane(DataPlane, Protocol):
    """A plane that this process starts and stops."""

    @property
    def ready(self) -> bool:
        """Whether sessions can be added."""
        ...

    @property
    def rings(self) -> Sequence[int]:
        """Descriptors of the memory that a recorder reads."""
        ...

    def bind(self) -> None:
        """Take the ports.

        :raises PortTakenError: somebody else has one
        """
        ...

    async def start(self) -> None:
        """Become ready.

        :raises PlaneError: it cannot
        """
        ...

    async def stop(self) -> None:
        """End all sessions."""
        ...


async def serve(
    config: Config, plane: RunningPlane, families: "Families | None" = None, refresh: "Refresh | None" = None
) -> str | None:
    """Run until SIGINT or SIGTERM; return a sentence if it could not begin.

    The app is loaded while the plane starts in processes of its own: each takes about a second of a core.

    :param families: yields what the relay counts, for ``/metrics``
    :param refresh: is awaited before that
    """
    allow_many()
    gc.disable()  # while so much is loaded, a fifth of the time went into looking for garbage
    with _until_signal() as stop:
        try:
            listener = _listen(config)
        except OSError as error:
            return _taken("TCP", config.host, config.port, error)
        with listener:
            try:
                plane.bind()
            except PortTakenError as error:
                return _taken("UDP", config.host, error.port, error)
            starting = asyncio.ensure_future(plane.start())
            try:
                await asyncio.sleep(0)  # after which the plane's processes are on their way
                return await _run_app(config, plane, listener, stop, starting, families, refresh)
            finally:
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
                await plane.stop()


async def _run_app(
    config: Config,
    plane: RunningPlane,
    listener: socket.socket,
    stop: asyncio.Event,
    starting: asyncio.Future[None],
    families: "Families | None",
    refresh: "Refresh | None",
) -> str | None:
    from media.server.app import create_app
    from media.server.captions.engine import CaptionEngine
    from media.server.recordings.recorder_process import RecorderProcess
    from media.server.store import StoreError

    complaints: list[str] = []

    def give_up(why: str) -> None:
        complaints.append(why)
        stop.set()

    try:
        captioning = CaptionEngine(config.captions, config.data / "models") if config.captions else None
        recorder = RecorderProcess(lambda: plane.rings, captioning and captioning.memory)
        app = create_app(
            *(config, plane),
            metric_families=families,
            refresh=refresh,
            started=starting,
            give_up=give_up,
            recorder=recorder if config.recording else None,
            captioning=captioning,
        )
        await app.state.spaces.store.claim(give_up)
        await app.state.spaces.store.open()
        gc.freeze()  # all that was imported: no collection finds anything there, and each would look
        gc.enable()
        complaint = await _run(app, listener, stop)
        return complaints[0] if complaints else complaint
    except (StoreError, ValueError, OSError) as error:
        return str(error)


async def _run(app: "FastAPI", listener: socket.socket, stop: asyncio.Event) -> str | None:
    from media.server.connection import Connection  # with what the app has imported by now

    settings = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GOODBYE,
        server_header=False,
        proxy_headers=False,  # uvicorn would believe whoever calls from this machine; the app asks the config
        http=partial(Connection, connections=app.state.connections),  # pyright: ignore[reportArgumentType]
        ws="none",
        backlog=backlog(),
    )
    server = _Server(settings)

    async def exit_on_signal() -> None:
        await stop.wait()
        app.state.events.close()  # streams would else be waited for
        server.should_exit = True

    watch = asyncio.create_task(exit_on_signal())
    host, port = listener.getsockname()[:2]
    logging.getLogger(__name__).info("Spaces on http://%s:%d", host, port)
    await server.serve(sockets=[listener])
    watch.cancel()
    return None if server.started else "The server could not start; the lines above say why."


@contextlib.contextmanager
def _until_signal() -> Generator[asyncio.Event, None, None]:
    """Turn SIGINT and SIGTERM into an event; also those that come before there is anything to stop."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone: uvicorn would raise them again at the end, and the process would not exit 0."""
        yield


def _listen(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it. asyncio sets it only on sockets whose protocol was named; without it
        # head and body of an answer wait for each other, 40 ms on a kept connection.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound(listener)
        listener.bind((config.host, config.port))
        listener.listen(backlog())
    except OSError:
        listener.close()
        raise
    return listener


def _taken(protocol: str, host: str, port: int, error: OSError) -> str:
    flag = "--port" if protocol == "TCP" else "--udp-port"
    return (
        f"Cannot use {protocol} port {port} on {host} ({error.strerror or error}); "
        f"stop whoever uses it, or choose another with {flag}."
    )
