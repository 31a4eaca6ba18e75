"""Second readings and golden cases: dealt to whoever has no part in them, compared, and counted."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from media.moderation.agreement import GOLDEN_EVERY, is_sampled
from media.moderation.decision import Action
from media.server.appeals.readings import LEASE
from media.server.auth import Caller, Role
from tests.media.server.appeals.justice import REA, ROB, SENIOR, SETTLED, Court
from tests.media.server.service import running

RIA = Caller("ria", roles=frozenset({Role.REVIEWER}))


@pytest.fixture
async def court(tmp_path: Path, database: str) -> AsyncIterator[Court]:
    async with running(tmp_path, database=database) as service:
        court = Court(service)
        await court.room("ben", "cem")
        yield court


async def sampled(court: Court, action: Action = Action.MUTE, by: str = "eve") -> int:
    """Have cases decided until one of them is to be read again; return its number."""
    secret = court.service.app.state.readings._secret
    for n in range(500):
        number = await court.report(by=f"{by}{n}")
        await court.decide(number, action)
        await court.later(SETTLED)
        if is_sampled(f"{number:08d}", secret):
            return number
    raise AssertionError("of 500 decisions a twentieth is read again")


async def get(court: Court, who: Caller) -> dict[str, Any] | None:
    response = await court.as_reviewer(who, "POST", "/readings")
    assert response.status_code in (200, 204)
    return response.json()["data"] if response.status_code == 200 else None


async def read(court: Court, who: Caller, reading: str, *actions: str) -> Any:
    return await court.as_reviewer(who, "PUT", f"/readings/{reading}", json={"actions": list(actions)})


async def test_a_decision_is_read_again_by_somebody_else_who_does_not_see_it(court: Court) -> None:
    number = await sampled(court)
    assert await get(court, REA) is None, "she took it"
    found = await get(court, ROB)
    assert found is not None and int(found["case_id"]) == number
    assert "rea" not in str(found) and "mute" not in str(found) and "eve" not in str(found)
    assert await get(court, ROB) == found, "until it is read it is his"
    assert await get(court, RIA) is None, "and nobody else's"
    compared = (await read(court, ROB, found["id"], "warn", "mute")).json()["data"]
    assert compared == {"agreed": True, "yours": "mute", "other": "mute", "golden": False}
    assert (await read(court, ROB, found["id"], "suspend")).status_code == 409, "read once"
    participant = await court.service.ok("ben", "GET", f"{court.path}/participants/me")
    assert participant["muted_by_admin"], "what the second reader says changes nothing"
    shown = (await court.as_reviewer(SENIOR, "GET", "/statistics")).json()["data"]
    assert shown["agreement"] == {"readings": 1, "same": 1, "share": 1.0, "kappa": None}
    (of_rob,) = [each for each in shown["reviewers"] if each["reviewer"] == "rob"]
    assert of_rob["second_readings"]["same"] == 1
    own = (await court.as_reviewer(ROB, "GET", "/statistics")).json()["data"]
    assert [each["reviewer"] for each in own["reviewers"]] == ["rob"], "who is not senior sees their own"


async def test_a_reading_that_nobody_reads_goes_to_the_next(court: Court) -> None:
    await sampled(court)
    first = await get(court, ROB)
    assert first is not None
    await court.later(LEASE + 1)
    second = await get(court, RIA)
    assert second is not None and second["id"] == first["id"]
    assert (await read(court, ROB, first["id"], "mute")).status_code == 404, "it is not his any more"


async def test_who_is_part_of_a_case_does_not_read_it(court: Court) -> None:
    await sampled(court, by="rob")
    number = await sampled(court, by="eve")
    reporter = Caller("eve0", roles=frozenset({Role.REVIEWER}))
    subject = Caller("ben", roles=frozenset({Role.REVIEWER}))
    assert number
    assert await get(court, subject) is None
    for_reporter = await get(court, reporter)
    assert for_reporter is None or for_reporter["reports"]


async def test_a_decision_taken_back_is_not_read(court: Court) -> None:
    secret = court.service.app.state.readings._secret
    for n in range(500):
        number = await court.report(by=f"eve{n}")
        await court.decide(number, Action.MUTE)
        if is_sampled(f"{number:08d}", secret):
            await court.moderation.undo(number, REA)
            break
        await court.later(SETTLED)
    assert await get(court, ROB) is None


async def test_every_fifth_reading_is_golden_and_looks_like_any_other(court: Court) -> None:
    golden = await court.report(about="cem")
    await court.decide(golden, Action.REMOVE)
    await court.later(SETTLED)
    body = {"actions": ["suspend"], "reason": "It was the third time."}
    path = f"/cases/{golden:08d}/golden"
    assert (await court.as_reviewer(ROB, "PUT", path, json=body)).status_code == 403
    assert (await court.as_reviewer(SENIOR, "PUT", "/cases/00000099/golden", json=body)).status_code == 404
    assert (await court.as_reviewer(SENIOR, "PUT", path, json=body)).status_code == 204
    outcomes: list[dict[str, Any]] = []
    for n in range(GOLDEN_EVERY):
        if n < GOLDEN_EVERY - 1:
            await sampled(court, by=f"eve{n}_")
        found = await get(court, ROB)
        assert found is not None and "golden" not in found
        outcomes.append((await read(court, ROB, found["id"], "suspend")).json()["data"])
    assert [each["golden"] for each in outcomes] == [False] * (GOLDEN_EVERY - 1) + [True]
    assert outcomes[-1]["agreed"] and not outcomes[0]["agreed"]
    shown = (await court.as_reviewer(SENIOR, "GET", "/statistics")).json()["data"]
    (of_rob,) = [each for each in shown["reviewers"] if each["reviewer"] == "rob"]
    assert of_rob["golden"]["share"] == 1.0 and of_rob["second_readings"]["share"] == 0.0
    assert (await court.as_reviewer(SENIOR, "DELETE", path)).status_code == 204


async def test_a_case_that_becomes_golden_is_not_read_a_second_time_as_well(court: Court) -> None:
    number = await sampled(court)
    body = {"actions": ["suspend"], "reason": "It was the third time."}
    path = f"/cases/{number:08d}/golden"
    assert (await court.as_reviewer(SENIOR, "PUT", path, json=body)).status_code == 204
    assert await get(court, ROB) is None


async def test_an_undecided_case_is_no_golden_one(court: Court) -> None:
    number = await court.report()
    body = {"actions": ["warn"], "reason": "Because."}
    refused = await court.as_reviewer(SENIOR, "PUT", f"/cases/{number:08d}/golden", json=body)
    assert refused.status_code == 409


async def test_who_may_read(court: Court) -> None:
    for who, status in (("ben", 403), (None, 401)):
        assert (await court.service.call(who, "POST", "/2/moderation/readings")).status_code == status
        assert (await court.service.call(who, "GET", "/2/moderation/statistics")).status_code == status
    assert (await read(court, ROB, "ab" * 16, "warn")).status_code == 404
