"""Every restriction is told with reasons, whom it is about can read them, and the database is told of nobody."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from media.moderation.decision import Action
from media.moderation.errors import BadStatementError
from media.moderation.statement_form import faults_of
from media.server.appeals.schemas import StatementForm
from media.server.appeals.tables import STATEMENTS
from media.server.moderation.tables import DECISIONS
from tests.media.server.appeals.justice import REA, ROB, SETTLED, Court
from tests.media.server.service import Service, running


@pytest.fixture
async def court(tmp_path: Path, database: str) -> AsyncIterator[Court]:
    async with running(tmp_path, database=database) as service:
        court = Court(service)
        await court.room("ben")
        yield court


async def test_who_is_restricted_is_told_why_where_and_until_when_to_complain(court: Court) -> None:
    statement = await court.decided(Action.REMOVE, Action.SUSPEND)
    (told,) = await court.statements("ben")  # who is suspended, and reads it all the same
    assert (told["id"], told["user_id"], told["category"]) == (statement, "ben", "hate")
    assert told["actions"] == ["remove from the Space", "suspend"]
    assert "«Ana and Ben on Friday»" in told["reasons"]["facts"] and "eve" not in str(told)
    assert told["can_appeal"] and told["appeal"] is None
    assert "no recording" in told["redress"]["warning"] and "art. 21" in told["redress"]["means"]
    one = await court.service.ok("ben", "GET", f"/2/users/me/statements/{statement}")
    assert one["data"] == told


async def test_facts_for_the_user_and_for_the_database_are_kept_apart(court: Court) -> None:
    form = StatementForm(
        facts="Eve heard you call cem names.",
        public_facts="A participant was called names.",
        ground="law",
        rule="§ 185 StGB",
        keyword="KEYWORD_HATE_SPEECH",
        territories=["DE", "DE"],
    )
    await court.decided(Action.MUTE, form=form)
    (told,) = await court.statements("ben")
    assert told["reasons"]["facts"] == "Eve heard you call cem names." and told["reasons"]["ground"] == "law"
    (filed,) = await _filed(court)
    assert filed["decision_facts"] == "A participant was called names."
    assert filed["illegal_content_legal_ground"] == "§ 185 StGB" and filed["territorial_scope"] == ["DE"]
    assert faults_of(filed) == [] and not {"ben", "eve", "ana", "cem"} & set(str(filed).lower().split())


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"public_facts": "Ben shouted."}, "names 'ben'"),
        ({"explanation": "eve says so"}, "names 'eve'"),
        ({"keyword": "KEYWORD_PHISHING"}, "no keyword of hate"),
        ({"source_identity": "Somebody"}, "Only a trusted flagger"),
    ],
)
async def test_a_decision_whose_reasons_cannot_be_told_is_not_taken(
    court: Court, form: dict[str, Any], sentence: str
) -> None:
    number = await court.report()
    with pytest.raises(BadStatementError, match=sentence):
        await court.decide(number, Action.MUTE, form=StatementForm(**form))
    assert await _count(court, DECISIONS) == await _count(court, STATEMENTS) == 0
    participant = await court.service.ok("ben", "GET", f"{court.path}/participants/me")
    assert not participant["muted_by_admin"], "nothing has happened to them"


async def test_a_name_that_is_a_word_of_ours_protects_nobody(court: Court) -> None:
    for name in ("human", "reviewer", "conversation"):
        await court.room(name)
        number = await court.report(about=name)
        await court.decide(number, Action.MUTE)
        assert len(await court.statements(name)) == 1


async def test_a_decision_taken_back_is_told_no_more(court: Court) -> None:
    number = await court.report()
    await court.decide(number, Action.REMOVE)
    assert len(await court.statements("ben")) == 1, "told at once"
    await court.moderation.undo(number, REA)
    assert await court.statements("ben") == []
    await court.moderation.decide(number, REA, {Action.WARN}, "")
    await court.later(SETTLED)
    (told,) = await court.statements("ben")
    assert told["actions"] == ["warn"]
    assert await _filed(court) == [], "a warning restricts nothing"


async def test_no_violation_is_told_to_nobody(court: Court) -> None:
    await court.decide(await court.report(), Action.NO_VIOLATION)
    assert await court.statements("ben") == []


async def test_what_is_decided_about_a_space_is_told_to_its_host(court: Court) -> None:
    await court.decide(await court.report(about=None), Action.END_SPACE)
    (told,) = await court.statements("ana")
    assert "What was said in your Space" in told["reasons"]["facts"]


async def test_nobody_reads_what_another_was_told(court: Court) -> None:
    statement = await court.decided(Action.MUTE)
    for who in ("ana", "eve", "root", None):
        response = await court.service.call(who, "GET", f"/2/users/me/statements/{statement}")
        assert response.status_code == (401 if who is None else 404)
        assert "hate" not in response.text
    assert await court.statements("eve") == []


async def test_a_preview_shows_both_and_writes_nothing(court: Court) -> None:
    number = await court.report()
    path = f"/cases/{number:08d}/decision/preview"
    response = await court.as_reviewer(REA, "POST", path, json={"actions": ["suspend"]})
    shown = response.json()["data"]
    assert shown["database"]["decision_account"] == "DECISION_ACCOUNT_SUSPENDED"
    assert "Ana and Ben" in shown["reasons"]["facts"] and "Ana" not in shown["database"]["decision_facts"]
    warned = await court.as_reviewer(REA, "POST", path, json={"actions": ["warn"]})
    assert warned.json()["data"]["database"] is None
    for body, slug in (
        ({"actions": ["no violation"]}, "no-statement"),
        ({"actions": ["mute"], "statement": {"public_facts": "Ben did it."}}, "bad-statement"),
    ):
        refused = await court.as_reviewer(REA, "POST", path, json=body)
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (422, slug)
    assert await _count(court, STATEMENTS) == 0


async def test_who_may_see_a_preview(court: Court) -> None:
    number = await court.report(about="ben", by="rob")
    path = f"/2/moderation/cases/{number:08d}/decision/preview"
    assert (await court.service.call("ben", "POST", path, json={"actions": ["mute"]})).status_code == 403
    assert (await court.service.call(None, "POST", path, json={"actions": ["mute"]})).status_code == 401
    of_rob = await court.as_reviewer(ROB, "POST", path.removeprefix("/2/moderation"), json={"actions": ["mute"]})
    assert of_rob.json()["type"].endswith("not-this-reviewer"), "who reported does not decide"
    unknown = await court.as_reviewer(REA, "POST", "/cases/00000099/decision/preview", json={"actions": ["mute"]})
    assert unknown.status_code == 404


async def _count(court: Court, table: sa.Table) -> int:
    service: Service = court.service
    async with service.app.state.spaces.store.database.connect() as connection:
        return (await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar() or 0


async def _filed(court: Court) -> list[dict[str, Any]]:
    return (await court.service.ok("root", "GET", "/2/moderation/statements.json"))["statements"]
