"""Many people at the same moment: seats hold, and relay and store know what the rules know."""

import asyncio
import random
from pathlib import Path

import pytest

from media.space.policy import Policy
from media.space.record import from_record, to_record
from media.space.states import Standing
from tests.media.server.service import SDP, Service, located, running

FEW = Policy("few", speaker_seats=2, cohost_seats=1, denial_cooldown=0.0)
PEOPLE = [f"p{number}" for number in range(8)]


def told(service: Service) -> tuple[set[str], set[str]]:
    """Who may talk, and who is muted, by all that the relay was told."""
    talking, muted = set[str](), set[str]()
    for command in service.plane.commands:
        match command:
            case ("let_talk", str() as person, bool() as allowed):
                (talking.add if allowed else talking.discard)(person)
            case ("mute", str() as person, bool() as silent):
                (muted.add if silent else muted.discard)(person)
            case _:
                pass
    return talking, muted


async def something(service: Service, path: str, dice: random.Random) -> None:
    person, other = dice.choice(PEOPLE), dice.choice(PEOPLE)
    by = dice.choice(["ana", "ana", other])
    session = {"content": "v=0", "headers": SDP}
    calls = [
        *((person, "POST", f"{path}/requests", {}), (by, "POST", f"{path}/requests/{person}/approve", {})),
        *((by, "POST", f"{path}/requests/{person}/deny", {}), (person, "DELETE", f"{path}/participants/me", {})),
        (by, "POST", f"{path}/invitations", {"json": {"user_id": person}}),
        (person, "POST", f"{path}/invitations/me/accept", {}),
        *(
            ("ana", "POST", f"{path}/participants/{person}/{what}", {})
            for what in ("promote", "demote", "step-down")
        ),
        *((by, "POST", f"{path}/participants/{person}/{what}", {}) for what in ("mute", "unmute")),
        (person, "POST", f"{path}/participants/me/unmute", {}),
        *((person, "POST", f"{path}/{kind}", session) for kind in ("whip", "whep", "whep")),
    ]
    who, method, where, more = dice.choice(calls)
    response = await service.call(who, method, where, **more)
    assert response.status_code < 500, response.text
    if response.status_code == 201 and where.endswith(("whip", "whep")) and dice.random() < 0.8:
        session_id = located(response).rpartition("/")[2]
        if session_id in service.plane.sessions:
            service.plane.connect(session_id)
            if dice.random() < 0.3:
                service.plane.lose(session_id)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_at_once(tmp_path: Path, database: str, seed: int) -> None:
    dice, policies = random.Random(seed), {"few": FEW}
    async with running(tmp_path, database=database, policy="few", policies=policies) as service:
        space_id = (await service.ok("ana", "POST", "/spaces", json={}))["id"]
        path = f"/spaces/{space_id}"
        await service.ok("ana", "POST", f"{path}/start")
        space = await service.app.state.spaces.get(space_id)
        for _ in range(12):
            await asyncio.gather(*(something(service, path, dice) for _ in range(20)))
            await service.settle()
            people = space.people
            assert people.number(Standing.SPEAKER) <= 2 and people.number(Standing.COHOST) <= 1
            stage = {p.person: p.muted for p in people.stage}
            talking, muted = told(service)
            assert talking == set(stage), "the relay lets those talk who have the right"
            assert muted & talking == {person for person, silent in stage.items() if silent}
            here = {person for room, person in service.plane.sessions.values()}
            assert {p.person for p in people if p.connected} <= here
            assert space.participant_count == sum(
                service.app.state.sessions.present(space_id, person) for person in [*PEOPLE, "ana"]
            )
            record = await service.app.state.spaces.store.load(space_id)
            assert record == to_record(space) == to_record(from_record(record, 0.0)) | {"people": record["people"]}


async def test_one_seat_two_approvals_and_one_who_leaves_while_promoted(service: Service) -> None:
    path = await service.live()
    for number in range(11):
        await service.ok(f"q{number}", "POST", f"{path}/requests")
    for number in range(9):
        await service.ok("ana", "POST", f"{path}/requests/q{number}/approve")
    both = await asyncio.gather(*(service.call("ana", "POST", f"{path}/requests/q{n}/approve") for n in (9, 10)))
    assert sorted(answer.status_code for answer in both) == [200, 409]
    promoted, left = await asyncio.gather(
        service.call("ana", "POST", f"{path}/participants/q0/promote"),
        service.call("q0", "DELETE", f"{path}/participants/me"),
    )
    assert left.status_code == 204 and promoted.status_code in (200, 404, 409)
    await service.settle()
    assert "q0" not in told(service)[0]
    assert (await service.ok("ana", "GET", f"{path}/participants"))["meta"]["free_seats"] == 1
