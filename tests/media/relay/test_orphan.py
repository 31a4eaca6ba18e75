"""Relays whose start is given up: nothing of them is left on the UDP port."""

import asyncio
import os

import pytest

from media.relay.port import bind
from media.relay.remote import RemoteRelay


async def test_a_start_given_up_at_once_leaves_no_process_on_the_udp_port():
    port = bind("127.0.0.1", 0)
    relay = RemoteRelay(port)
    starting = asyncio.create_task(relay.start())
    await asyncio.sleep(0)  # the process is there, and nobody has spoken with it
    pid = relay.pid
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    address = port.getsockname()
    port.close()
    bind(*address).close()
