"""A relay in a process of its own: the data plane's interface at the end of a socket that its parent holds.

Beside the media thread this process only reads commands and writes events. It ends when it is told to, on SIGTERM,
and when the other end of the socket is gone: whoever started it is then gone, too.
"""

import argparse
import asyncio
import logging
import resource
import signal
import socket
import time
from pathlib import Path
from typing import Any

import uvloop

from media.relay.garbage import Sweeper
from media.relay.messages import COMMANDS, event_frame, frame, link_of, messages
from media.relay.relay import Relay
from media.relay.stats import RelayStats

logger = logging.getLogger(__name__)

_LINKS = ("feed", "follow", "cut")


def main() -> int:
    """Run the relay whose sockets stand on the command line."""
    parser = argparse.ArgumentParser(prog="python -m media.relay", description="Started by python -m media.")
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket of commands")
    parser.add_argument("--udp", type=int, required=True, help="descriptor of the bound UDP socket")
    parser.add_argument("--name", default="relay", help="in the log")
    parser.add_argument("--public-ip", action="append", default=[], help="address to put into candidates")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the parent, which then ends us
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s %(levelname)s {options.name}: %(message)s")
    relay = Relay(public_ips=tuple(options.public_ip), sock=socket.socket(fileno=options.udp), sweeper=Sweeper())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(relay, socket.socket(fileno=options.control)))
    return 0


async def _serve(relay: Relay, control: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=control)
    serving = asyncio.create_task(_obey(relay, reader, writer))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    await asyncio.wait([serving])
    if relay.ready:
        await relay.stop()
    writer.close()
    if not serving.cancelled():
        serving.result()


async def _obey(relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Start, then run commands in the order in which they come, until "stop" or the end of the socket."""
    relay.subscribe(lambda event: writer.write(event_frame(event)))
    await relay.start()
    writer.write(frame("ready"))
    tasks: set[asyncio.Task[None]] = set()
    async for number, command, *arguments in messages(reader):
        if command == "stop":
            return
        task = asyncio.create_task(_answer(relay, writer, number, command, arguments))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _answer(
    relay: Relay, writer: asyncio.StreamWriter, number: int, command: str, arguments: list[Any]
) -> None:
    try:
        assert command in COMMANDS
        if command in _LINKS:
            arguments = [link_of(arguments[0])]
        result = await getattr(relay, command)(*arguments)
        if isinstance(result, RelayStats):
            _add_process(result)
        answer = frame("done", number, result)
    except Exception as error:
        if type(error) is RuntimeError or not isinstance(error, ValueError | RuntimeError):
            logger.exception("command %s failed", command)
        answer = frame("failed", number, type(error).__name__, str(error))
    writer.write(answer)


def _add_process(stats: RelayStats) -> None:
    stats.process_cpu_seconds = time.process_time()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    stats.resident_bytes = pages * resource.getpagesize()
