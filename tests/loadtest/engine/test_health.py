"""The generator's health: what it reads from Linux, and what it measures of itself."""

import asyncio
import threading
import time

import pytest

from loadtest.engine import health
from loadtest.engine.health import Health, rcvbuf_errors

SNMP = """\
Ip: Forwarding DefaultTTL InReceives
Ip: 1 64 1000
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors
Udp: 500 3 7 600 {errors} 11 0
UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
UdpLite: 0 0 0 0 99 0
"""


def test_full_receive_buffers_are_read_by_name() -> None:
    assert rcvbuf_errors(SNMP.format(errors=42)) == 42


def test_this_machine_tells_its_full_receive_buffers() -> None:
    assert rcvbuf_errors() >= 0


def test_full_receive_buffers_count_from_one_look_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([10, 10, 25])
    monkeypatch.setattr(health, "rcvbuf_errors", lambda: next(counts))
    made = Health()
    assert [made.take_rcvbuf_errors(), made.take_rcvbuf_errors()] == [0, 15]


async def test_a_loop_that_is_held_up_lags_by_so_much_once() -> None:
    made = Health()
    made.start()
    await asyncio.sleep(0.01)
    time.sleep(0.3)
    await asyncio.sleep(0.06)
    lag = made.take_lag()
    made.stop()
    assert lag >= 0.2
    assert made.take_lag() == 0.0


async def test_cpu_is_that_of_the_busiest_thread_since_the_last_look() -> None:
    burn = time.thread_time() + 0.2  # before the watch begins: importing and compiling are no load
    while time.thread_time() < burn:
        pass
    made = Health()
    made.start()
    begun, used = time.monotonic(), time.thread_time()
    await asyncio.sleep(0.1)
    idle = made.take_cpu() * (time.monotonic() - begun)
    assert idle <= time.thread_time() - used + 0.05

    def work() -> None:
        end = time.thread_time() + 0.2
        while time.thread_time() < end:
            pass
        done.set()
        finish.wait()

    done, finish = threading.Event(), threading.Event()
    thread = threading.Thread(target=work)
    begun = time.monotonic()
    thread.start()
    await asyncio.to_thread(done.wait)
    share, elapsed = made.take_cpu(), time.monotonic() - begun
    finish.set()
    thread.join()
    made.stop()
    assert 0.15 <= share * elapsed <= 1.0 * elapsed + 0.05
