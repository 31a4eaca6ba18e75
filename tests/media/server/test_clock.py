"""A clock that is set by an hour: what lasts, lasts as long as before, and appointments go by the new time."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from media.server.clock import Clock
from tests.media.server.service import SDP, Service, running

HOUR = 3600.0


class Machine:
    """Unix and monotonic time that pass only when a test says so."""

    def __init__(self) -> None:
        self.wall = time.time()
        self.monotonic = 1000.0
        self.clock = Clock(lambda: self.wall, lambda: self.monotonic)

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def set(self, by: float) -> None:
        self.wall += by


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
async def service(tmp_path: Path, machine: Machine) -> AsyncIterator[Service]:
    async with running(tmp_path, machine=machine.clock, payments="test") as one:
        yield one


async def pass_by(service: Service, machine: Machine, seconds: float) -> None:
    machine.wait(seconds)
    service.app.state.timers.fire()
    await service.settle()


def test_a_step_is_seen_once_and_slewing_is_none(machine: Machine) -> None:
    clock = machine.clock
    machine.wait(5)
    assert clock.step() == 0
    machine.set(-HOUR)
    assert clock.steady() == pytest.approx(clock() + HOUR)
    assert clock.step() == pytest.approx(-HOUR) and clock.step() == 0
    machine.set(0.2)
    assert clock.step() == 0
    before = clock.steady()
    machine.wait(7)
    assert clock.steady() - before == pytest.approx(7)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_grace_time_lasts_as_long(service: Service, machine: Machine, by: float) -> None:
    path = await service.live(speak_policy="everyone")
    await service.connect("ana", path, "whip")
    await service.ok("ben", "POST", f"{path}/requests")
    service.lose(await service.connect("ben", path, "whip"))
    await service.settle()
    await pass_by(service, machine, 10)
    machine.set(by)
    await pass_by(service, machine, 19)
    assert (await service.ok("ana", "GET", f"{path}/participants/ben"))["standing"] == "speaker"
    service.plane.taken()
    await pass_by(service, machine, 2)
    assert service.plane.taken() == [("let_talk", "ben", False)]


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_space_without_its_host_ends_when_it_would_have(
    service: Service, machine: Machine, by: float
) -> None:
    path = await service.live()
    session = await service.connect("ana", path, "whip")
    await service.connect("ben", path)
    service.lose(session)
    await service.settle()
    machine.set(by)
    await pass_by(service, machine, 299)
    assert (await service.ok("ben", "GET", path))["state"] == "live"
    await pass_by(service, machine, 2)
    assert (await service.ok("ben", "GET", path))["state"] == "ended"


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_cool_down_lasts_as_long(service: Service, machine: Machine, by: float) -> None:
    path = await service.live()
    await service.ok("ben", "POST", f"{path}/requests")
    await service.ok("ana", "POST", f"{path}/requests/ben/deny")
    machine.set(by)
    await pass_by(service, machine, 58)
    refused = await service.call("ben", "POST", f"{path}/requests")
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "2"
    await pass_by(service, machine, 2)
    await service.ok("ben", "POST", f"{path}/requests")


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_messages_are_bounded_by_the_second_and_not_by_the_hour(
    service: Service, machine: Machine, by: float
) -> None:
    path = await service.live()
    await service.connect("ana", path, "whip")
    for number in range(20):
        await service.ok("ana", "POST", f"{path}/messages", json={"text": str(number)})
    machine.set(by)
    one_more = {"json": {"text": "one more"}}
    assert (await service.call("ana", "POST", f"{path}/messages", **one_more)).status_code == 429
    machine.wait(1)
    await service.ok("ana", "POST", f"{path}/messages", **one_more)


async def test_an_appointment_goes_by_the_clock_as_it_is_set(service: Service, machine: Machine) -> None:
    start = datetime.fromtimestamp(machine.wall + 2 * HOUR, UTC).isoformat()
    space = await service.ok("ana", "POST", "/spaces", json={"scheduled_start": start})
    machine.set(2 * HOUR)
    await pass_by(service, machine, HOUR - 10)
    assert (await service.ok("ana", "GET", f"/spaces/{space['id']}"))["state"] == "scheduled"
    await pass_by(service, machine, 20)
    assert (await service.ok("ana", "GET", f"/spaces/{space['id']}"))["state"] == "canceled"


async def test_an_idempotency_key_is_good_after_a_step(service: Service, machine: Machine) -> None:
    key = {"Idempotency-Key": "once"}
    first = await service.ok("ana", "POST", "/spaces", json={}, headers=key)
    machine.set(-HOUR)
    assert await service.ok("ana", "POST", "/spaces", json={}, headers=key) == first


async def test_who_waits_has_waited_as_long(service: Service, machine: Machine) -> None:
    path = await service.live()
    await service.ok("ben", "POST", f"{path}/requests")
    machine.wait(20)
    machine.set(-HOUR)
    service.app.state.timers.fire()
    waiting = (await service.ok("ana", "GET", f"{path}/requests"))["data"][0]
    assert waiting["waiting_seconds"] == pytest.approx(20, abs=1)


async def test_a_step_reaches_a_change_that_is_being_written(service: Service, machine: Machine) -> None:
    path = await service.live(speak_policy="everyone")
    await service.ok("ben", "POST", f"{path}/requests")
    service.lose(await service.connect("ben", path, "whip"))
    await service.settle()
    spaces = service.app.state.spaces
    save = spaces.store.save

    async def save_while_the_clock_is_set(*records: object, **more: object) -> None:
        machine.set(-HOUR)
        spaces.follow_clock()
        await save(*records, **more)

    spaces.store.save = save_while_the_clock_is_set
    await service.ok("ana", "PATCH", path, json={"title": "new"})
    spaces.store.save = save
    await pass_by(service, machine, 31)
    assert (await service.call("ben", "POST", f"{path}/whip", content="v=0", headers=SDP)).status_code == 403
