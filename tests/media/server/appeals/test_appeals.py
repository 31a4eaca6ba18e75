"""Complaints: by whom it is about, within six months, answered by another reviewer; overturned means restored."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from media.moderation.case import Case
from media.moderation.categories import DAY
from media.moderation.decision import Action, Outcome
from media.moderation.events import Events
from tests.media.server.appeals.justice import HALF_A_YEAR, REA, ROB, SENIOR, SETTLED, Court
from tests.media.server.service import SDP, running


@pytest.fixture
async def court(tmp_path: Path, database: str) -> AsyncIterator[Court]:
    async with running(tmp_path, database=database) as service:
        court = Court(service)
        await court.room("ben", "cem")
        yield court


def slug(response: httpx.Response) -> str:
    return response.json()["type"].rpartition(":")[2]


async def answer(court: Court, outcome: str) -> httpx.Response:
    """Have a reviewer claim the complaint and answer it."""
    number = await court.claim(ROB)
    assert number is not None
    body = {"outcome": outcome, "reasons": "The recording shows that it was a quotation."}
    return await court.as_reviewer(ROB, "POST", f"/cases/{number:08d}/answer", json=body)


async def test_an_overturned_suspension_lets_the_user_in_again(court: Court) -> None:
    statement = await court.decided(Action.SUSPEND)
    offer = {"content": "v=0", "headers": SDP}
    refused = await court.service.call("ben", "POST", f"{court.path}/whep", **offer)
    assert (refused.status_code, slug(refused)) == (403, "suspended")
    complaint = (await court.complain("ben", statement)).json()["data"]
    assert complaint["appeal"]["outcome"] is None and not complaint["can_appeal"]
    answered = (await answer(court, "overturned")).json()["data"]
    assert answered["appeal"]["outcome"] == "overturned"
    location = await court.service.connect("ben", court.path)
    assert location and "ben" in {who for _, who in court.service.plane.sessions.values()}
    (told,) = await court.statements("ben")
    assert told["appeal"]["reasons"] == "The recording shows that it was a quotation."
    assert told["appeal"]["answered_at"] > told["appeal"]["created_at"]


async def test_an_upheld_suspension_stays_and_is_final(court: Court) -> None:
    statement = await court.decided(Action.SUSPEND)
    await court.complain("ben", statement)
    assert (await answer(court, "upheld")).status_code == 200
    refused = await court.service.call("ben", "POST", f"{court.path}/whep", content="v=0", headers=SDP)
    assert slug(refused) == "suspended"
    assert slug(await court.complain("ben", statement)) == "wrong-case-state", "answered for good"


async def test_who_was_removed_can_come_again_and_who_was_muted_can_speak(court: Court) -> None:
    await court.decide(await court.report("cem"), Action.MUTE)
    await court.later(SETTLED)
    removed = await court.decided(Action.REMOVE)
    assert (await court.service.call("ben", "GET", court.path)).status_code == 403
    for name, statement in (("ben", removed), ("cem", (await court.statements("cem"))[0]["id"])):
        await court.complain(name, statement)
        assert (await answer(court, "overturned")).status_code == 200
    await court.service.connect("ben", court.path)
    await court.service.ok("cem", "POST", f"{court.path}/participants/me/unmute")


async def test_what_another_decision_that_stands_says_is_not_lifted(court: Court) -> None:
    await court.decide(await court.report(), Action.SUSPEND)
    await court.later(SETTLED)
    first = (await court.statements("ben"))[0]["id"]
    await court.decide(await court.report(by="cem"), Action.SUSPEND)
    await court.later(SETTLED)
    second = (await court.statements("ben"))[0]["id"]
    assert first != second
    await court.complain("ben", first)
    await answer(court, "overturned")
    assert court.service.app.state.guard.reason("ben") is not None, "the second one stands"
    await court.complain("ben", second)
    await answer(court, "overturned")
    assert court.service.app.state.guard.reason("ben") is None, "now none does"


async def test_an_admins_own_suspension_is_no_reviewers_to_lift(court: Court) -> None:
    statement = await court.decided(Action.SUSPEND)
    await court.service.ok("root", "PUT", "/users/ben/suspension", json={"reason": "a court order"})
    await court.complain("ben", statement)
    await answer(court, "overturned")
    assert court.service.app.state.guard.reason("ben") == "a court order"


async def test_only_whom_it_is_about_complains_and_in_time(court: Court) -> None:
    statement = await court.decided(Action.REMOVE)
    for who in ("eve", "ana", "root"):
        assert slug(await court.complain(who, statement)) == "unknown-statement"
    await court.later(HALF_A_YEAR - SETTLED - 60)
    assert (await court.statements("ben"))[0]["can_appeal"]
    await court.later(120)
    assert not (await court.statements("ben"))[0]["can_appeal"]
    late = await court.complain("ben", statement)
    assert (late.status_code, slug(late)) == (409, "too-late") and "six months" in late.json()["detail"]


async def test_one_complains_once_and_not_before_the_decision_stands(court: Court) -> None:
    await court.decide(await court.report(), Action.REMOVE)
    statement = (await court.statements("ben"))[0]["id"]
    assert slug(await court.complain("ben", statement)) == "wrong-case-state"
    await court.later(SETTLED)
    assert (await court.complain("ben", statement)).status_code == 201
    assert slug(await court.complain("ben", statement)) == "wrong-case-state"


async def test_the_complaint_is_in_the_same_list_and_never_the_first_reviewers(court: Court) -> None:
    statement = await court.decided(Action.REMOVE)
    assert await court.claim(ROB) is None
    await court.complain("ben", statement)
    assert await court.claim(REA) is None, "she took the decision"
    number = await court.claim(ROB)
    assert number is not None
    decided = await court.as_reviewer(REA, "POST", f"/cases/{number:08d}/answer", json=ANSWER)
    assert slug(decided) == "lease-lost"
    court.service.clock.ahead += court.moderation.policy.lease + 1
    late = await court.as_reviewer(ROB, "POST", f"/cases/{number:08d}/answer", json=ANSWER)
    assert slug(late) == "lease-lost"
    assert (await court.statements("ben"))[0]["appeal"]["outcome"] is None


ANSWER = {"outcome": "overturned", "reasons": "It was a quotation."}


async def test_who_may_answer(court: Court) -> None:
    statement = await court.decided(Action.REMOVE)
    await court.complain("ben", statement)
    number = await court.claim(ROB)
    path = f"/2/moderation/cases/{number:08d}/answer"
    for who, status in (("ben", 403), ("eve", 403), (None, 401)):
        assert (await court.service.call(who, "POST", path, json=ANSWER)).status_code == status
    assert (await court.as_reviewer(SENIOR, "POST", f"/cases/{number:08d}/answer", json=ANSWER)).status_code == 409
    assert (await court.as_reviewer(ROB, "POST", "/cases/00000099/answer", json=ANSWER)).status_code == 404


@pytest.mark.parametrize("outcome", ["upheld", "overturned"])
async def test_the_recording_is_kept_while_a_complaint_is_open(court: Court, outcome: str) -> None:
    await court.recorded()
    statement = await court.decided(Action.REMOVE)
    (told,) = await court.statements("ben")
    assert "erased on" in told["redress"]["warning"], "six months to complain, 120 days of evidence"
    assert await court.holders() == set()
    complaint = (await court.complain("ben", statement)).json()["data"]["appeal"]
    assert complaint["evidence"] and await court.holders() == {told["case_id"]}
    assert slug(await court.complain("ben", statement)) == "wrong-case-state"
    await court.later(90 * DAY)
    assert await court.holders() == {told["case_id"]}
    await answer(court, outcome)
    assert await court.holders() == set()


async def test_a_complaint_that_is_refused_releases_nothing(court: Court) -> None:
    await court.recorded()
    await court.decide(await court.report(), Action.REMOVE)
    (told,) = await court.statements("ben")
    assert (await court.complain("ben", told["id"])).status_code == 409, "the decision can still be taken back"
    assert await court.holders() == {told["case_id"]}, "the case itself keeps it"


async def test_a_complaint_after_the_recording_is_erased_is_taken_without_it(court: Court) -> None:
    await court.recorded()
    statement = await court.decided(Action.REMOVE)
    await court.later(121 * DAY)
    await court.erase()
    complaint = (await court.complain("ben", statement)).json()["data"]["appeal"]
    assert not complaint["evidence"] and await court.holders() == set()
    assert (await answer(court, "overturned")).status_code == 200


async def test_what_follows_from_an_answer_is_taken_up_by_the_next_process(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        court = Court(service)
        await court.room("ben")
        await court.complain("ben", await court.decided(Action.SUSPEND))
        number = await court.claim(ROB)
        assert number is not None
        statements = service.app.state.appeals.statements

        async def write(connection: AsyncConnection, case: Case, events: Events) -> None:
            await statements.answer(connection, number, events[0].at, "rob", Outcome.OVERTURNED, "A quotation.")

        def step(case: Case, now: float) -> Events:
            return case.answer("rob", Outcome.OVERTURNED, now, "A quotation.")

        await court.moderation.act(number, step, named=["rob"], beside=write)  # and then it is killed
        assert service.app.state.guard.reason("ben") is not None
    async with running(tmp_path) as service:
        assert service.app.state.guard.reason("ben") is None
        assert await service.app.state.appeals.statements.unsettled() == []
