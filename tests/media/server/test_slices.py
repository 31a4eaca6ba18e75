"""Long computations leave the event loop to others, and take turns."""

import asyncio
from collections.abc import Callable
from itertools import count

from media.server.slices import SLICE, Slices


def work(clock: list[float], log: list[str], name: str) -> Callable[[int], int]:
    """What takes a third of a slice each time, by a clock that only work moves."""

    def one(n: int) -> int:
        clock[0] += SLICE / 3
        log.append(name)
        return n * n

    return one


def stretches(log: list[str], name: str) -> list[int]:
    """How often in a row a name stands in the log, wherever it does."""
    text = "".join("x" if each == name else " " for each in log)
    return [len(part) for part in text.split()]


async def test_results_come_in_order_whatever_their_number() -> None:
    slices = Slices(lambda: 0.0)
    assert await slices.map(str, range(3)) == ["0", "1", "2"]
    assert await slices.map(str, ()) == []


async def test_the_loop_is_left_to_others_after_each_slice() -> None:
    clock, log = [0.0], list[str]()
    slices = Slices(lambda: clock[0])
    done = asyncio.ensure_future(slices.map(work(clock, log, "a"), range(30)))
    while not done.done():
        log.append("other")
        await asyncio.sleep(0)
    assert done.result() == [n * n for n in range(30)]
    assert max(stretches(log, "a")) <= 4 and len(stretches(log, "a")) >= 8


async def test_however_many_compute_one_slice_runs_between_two_turns_of_the_loop() -> None:
    clock, log = [0.0], list[str]()
    slices = Slices(lambda: clock[0])
    jobs = [asyncio.ensure_future(slices.map(work(clock, log, "a"), range(20))) for _ in range(10)]
    while not all(job.done() for job in jobs):
        log.append("other")
        await asyncio.sleep(0)
    assert all(job.result() == [n * n for n in range(20)] for job in jobs)
    assert max(stretches(log, "a")) <= 4


async def test_jobs_take_turns() -> None:
    clock, log = [0.0], list[str]()
    slices = Slices(lambda: clock[0])
    await asyncio.gather(
        slices.map(work(clock, log, "a"), range(30)), slices.map(work(clock, log, "b"), range(30))
    )
    assert max(stretches(log, "a")) <= 4 and max(stretches(log, "b")) <= 4


async def test_one_that_fails_or_is_cancelled_holds_up_nobody() -> None:
    clock, log = [0.0], list[str]()
    slices = Slices(lambda: clock[0])

    def fail(n: int) -> int:
        raise ValueError(n)

    failed = asyncio.ensure_future(slices.map(fail, range(3)))
    endless = asyncio.ensure_future(slices.map(work(clock, log, "a"), count()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    endless.cancel()
    await asyncio.wait([failed, endless])
    assert isinstance(failed.exception(), ValueError) and endless.cancelled()
    assert await slices.map(str, [1]) == ["1"]
