"""A relay in a process of its own: the data plane's interface at the end of a socket that its parent holds.

The media thread is its only one. It ends when it is told to, on SIGTERM, and when the other end of the socket is
gone: whoever started it is then gone, too.
"""

import argparse
import logging
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from mmap import mmap

from media.kernels import mark_complete
from media.relay.commands import Commands
from media.relay.compiler_pages import give_back_compiler
from media.relay.control import Control
from media.relay.core import RelayCore
from media.relay.garbage import Sweeper
from media.relay.loop import MediaLoop
from media.relay.orphan import die_with_parent
from media.relay.port import candidates_of
from media.relay.tap import Tap
from media.relay.warming import LateCompiles, Warming

NICE = -10
"""The tick comes before whatever else wants the core, where the process may say so (root, or ``CAP_SYS_NICE``)."""
LAST_WORDS = 2.0
"""Seconds in which the parent must have read how the sessions ended."""


def main() -> int:
    """Run the relay whose sockets stand on the command line."""
    parser = argparse.ArgumentParser(prog="python -m media.relay", description="Started by python -m media.")
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket of commands")
    parser.add_argument("--udp", type=int, required=True, help="descriptor of the bound UDP socket")
    parser.add_argument("--name", default="relay", help="in the log")
    parser.add_argument("--public-ip", action="append", default=[], help="address to put into candidates")
    parser.add_argument("--ring", type=int, help="descriptor of the memory that the recorder reads")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the parent, which then ends us
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s %(levelname)s {options.name}: %(message)s")
    tap = Tap(None if options.ring is None else mmap(options.ring, 0))
    _run(socket.socket(fileno=options.udp), Control(socket.socket(fileno=options.control)), options.public_ip, tap)
    return 0


def _run(port: socket.socket, control: Control, public_ips: Sequence[str], tap: Tap) -> None:
    core = RelayCore(candidates_of(port, public_ips), port.sendto, control.tell, tap)
    sweeper = Sweeper()
    media = MediaLoop(port, core, control, sweeper.after_tick)

    def end(number: int, frame: object) -> None:
        media.stop()

    signal.signal(signal.SIGTERM, end)
    with Warming(control):
        media.warm()
    mark_complete()
    LateCompiles(control)
    give_back_compiler()
    sweeper.start()
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    control.obey(Commands(core))
    die_with_parent(False)  # from here on the end of the socket is seen
    media.run()
    control.close(LAST_WORDS)
