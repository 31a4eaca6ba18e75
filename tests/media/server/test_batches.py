"""Group commit: who is answered has been written, in as few batches as that takes."""

import asyncio
from collections.abc import Sequence

import pytest

from media.server.batches import MOST, Batches


class Writer:
    """Writes slowly; what it has written is what counts."""

    def __init__(self) -> None:
        self.state: dict[str, int] = {}
        self.written: dict[str, int] = {}
        self.batches: list[list[str]] = []
        self.bad: set[str] = set()
        self.fresh: set[str] = set()

    async def write(self, batch: Sequence[str]) -> None:
        self.batches.append(list(batch))
        taken = {item: self.state[item] for item in batch}
        self.fresh -= set(batch)
        await asyncio.sleep(0.002)
        if self.bad & set(batch):
            self.fresh |= set(batch)
            raise OSError(f"no room for {sorted(self.bad & set(batch))}")
        self.written |= taken


async def change(writer: Writer, batches: Batches[str], item: str) -> None:
    writer.state[item] = mine = writer.state.get(item, 0) + 1
    writer.fresh.add(item)
    await batches.add(item, fresh=item in writer.fresh)
    assert writer.written[item] >= mine, "answered before it was written"


async def test_nobody_is_answered_before_their_change_is_written() -> None:
    writer = Writer()
    batches = Batches(writer.write)

    async def person(number: int) -> None:
        for turn in range(20):
            await asyncio.sleep(0.0001 * ((number * 7 + turn * 3) % 11))
            await change(writer, batches, f"s{number % 5}")

    await asyncio.gather(*map(person, range(30)))
    assert writer.written == writer.state and sum(writer.state.values()) == 600
    assert len(writer.batches) < 150, "many changes go into one batch"
    assert all(len(set(batch)) == len(batch) for batch in writer.batches)


async def test_who_has_nothing_new_waits_for_what_is_under_way_and_no_longer() -> None:
    writer = Writer()
    batches = Batches(writer.write)
    writer.state["a"] = 1
    first = asyncio.create_task(batches.add("a", fresh=True))
    await asyncio.sleep(0.001)
    await batches.add("a", fresh=False)
    assert writer.written == {"a": 1} and len(writer.batches) == 1
    await first
    await batches.add("a", fresh=False)
    assert len(writer.batches) == 1


async def test_one_that_cannot_be_written_keeps_no_other_back() -> None:
    writer = Writer()
    batches = Batches(writer.write)
    writer.bad = {"b"}
    done = await asyncio.gather(*(change(writer, batches, item) for item in "abc"), return_exceptions=True)
    assert [type(each) for each in done] == [type(None), OSError, type(None)]
    assert writer.written == {"a": 1, "c": 1}
    writer.bad = set()
    await change(writer, batches, "b")
    assert writer.written == writer.state


async def test_who_gives_up_waiting_does_not_stop_the_writing() -> None:
    writer = Writer()
    batches = Batches(writer.write)
    task = asyncio.create_task(change(writer, batches, "a"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await change(writer, batches, "b")
    assert writer.written == {"a": 1, "b": 1}


async def test_a_batch_is_bounded() -> None:
    writer = Writer()
    batches = Batches(writer.write)
    await asyncio.gather(*(change(writer, batches, f"s{n}") for n in range(2 * MOST + 1)))
    assert [len(batch) for batch in writer.batches] == [MOST, MOST, 1]
