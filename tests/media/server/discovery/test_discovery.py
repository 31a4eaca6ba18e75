"""Who finds which Space, and why: over HTTP, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from media.server.discovery.topics import TOPICS
from tests.media.server.service import Service, running

TECHNOLOGY = "848920371311001600"


@pytest.fixture
async def here(database: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, database=database) as one:
        for name in ("ana", "ben", "cem", "dag"):
            await one.ok(name, "POST", "/users", json={"name": f"{name.title()} Łuk"})
        yield one


async def follow(service: Service, who: str, *whom: str) -> None:
    for other in whom:
        await service.ok(who, "POST", "/users/me/following", json={"target_user_id": other})


async def space(service: Service, host: str, *, start: bool = True, **body: Any) -> str:
    space_id = (await service.ok(host, "POST", "/spaces", json=body))["id"]
    if start:
        await service.ok(host, "POST", f"/spaces/{space_id}/start")
    return space_id


async def bubbles(service: Service, who: str, query: str = "") -> dict[str, list[tuple[str, str]]]:
    found = (await service.ok(who, "GET", f"/users/me/bubbles{query}"))["data"]
    for entry in found:
        assert entry["score"] == pytest.approx(sum(r["contribution"] for r in entry["reasons"]), abs=1e-9)
    return {e["space"]["id"]: [(p["user_id"], p["role"]) for p in e["people"]] for e in found}


async def search(service: Service, who: str, **parameters: Any) -> list[str]:
    found = await service.ok(who, "GET", "/spaces/search", params=parameters)
    return [entry["space"]["id"] for entry in found["data"]]


async def put_on_stage(service: Service, space_id: str, host: str, person: str) -> None:
    await service.connect(person, f"/spaces/{space_id}")
    await service.ok(person, "POST", f"/spaces/{space_id}/requests")
    await service.ok(host, "POST", f"/spaces/{space_id}/requests/{person}/approve")


async def test_a_bubble_appears_while_somebody_followed_hosts_or_speaks(here: Service) -> None:
    assert await bubbles(here, "dag") == {}
    await follow(here, "dag", "ana", "ben")
    one = await space(here, "cem", title="of a stranger")
    assert await bubbles(here, "dag") == {}
    await put_on_stage(here, one, "cem", "ben")
    assert await bubbles(here, "dag") == {one: [("ben", "speaker")]}
    other = await space(here, "ana")
    assert await bubbles(here, "dag") == {other: [("ana", "host")], one: [("ben", "speaker")]}, "hosts come first"
    await here.ok("cem", "POST", f"/spaces/{one}/participants/ben/promote")
    assert (await bubbles(here, "dag"))[one] == [("ben", "cohost")]
    await here.ok("ben", "POST", f"/spaces/{one}/participants/me/step-down")
    assert await bubbles(here, "dag") == {other: [("ana", "host")]}
    await here.ok("ana", "POST", f"/spaces/{other}/end")
    assert await bubbles(here, "dag") == {}


async def test_a_bubble_follows_what_one_follows_and_blocks(here: Service) -> None:
    one = await space(here, "ana", title="launch")
    await follow(here, "dag", "ana")
    assert list(await bubbles(here, "dag")) == [one]
    await here.ok("dag", "DELETE", "/users/me/following/ana")
    assert await bubbles(here, "dag") == {}
    await put_on_stage(here, one, "ana", "ben")
    await follow(here, "dag", "ben")
    for blocker, blocked in (("ana", "dag"), ("dag", "ana")):
        assert list(await bubbles(here, "dag")) == await search(here, "dag", query="launch") == [one]
        await here.ok(blocker, "POST", "/users/me/blocking", json={"target_user_id": blocked})
        assert await bubbles(here, "dag") == {}, "either block hides a Space, also from who follows a speaker"
        assert await search(here, "dag", query="launch") == []
        assert await search(here, "cem", query="launch") == [one]
        await here.ok(blocker, "DELETE", f"/users/me/blocking/{blocked}")


async def test_a_listener_makes_no_bubble_and_is_named_nowhere(here: Service) -> None:
    one = await space(here, "cem", anonymous_listening=True)
    await follow(here, "dag", "ben")
    await here.connect("ben", f"/spaces/{one}")
    await here.connect(None, f"/spaces/{one}")
    assert await bubbles(here, "dag") == {}
    answer = await here.call("dag", "GET", "/spaces/search")
    assert '"ben"' not in answer.text
    assert answer.json()["data"][0]["space"]["participant_count"] == 2


async def test_search_finds_all_words_in_title_topics_and_hosts(here: Service) -> None:
    launch = await space(here, "ana", title="Résumé of the Product launch", topic_ids=[TECHNOLOGY])
    later = await space(
        here,
        "ben",
        start=False,
        title="Launch party",
        scheduled_start=_in_an_hour(here),
    )
    await space(here, "cem", start=False, title="A draft of a launch")
    assert await search(here, "dag", query="LAUNCH") == [launch, later]
    assert await search(here, "dag", query="resume laun") == [launch]
    assert await search(here, "dag", query="launch", state="scheduled") == [later]
    assert await search(here, "dag", query="launch", state="live") == [launch]
    assert await search(here, "dag", query="technology") == [launch]
    assert await search(here, "dag", query="ben łuk") == [later]
    assert await search(here, "dag", query="@Ana") == [launch]
    assert await search(here, "dag", query="launch nowhere") == await search(here, "dag", query="!!") == []
    assert set(await search(here, "dag")) == {launch, later}
    assert await search(here, "dag", topic=TECHNOLOGY) == [launch]
    assert await search(here, "dag", topic="nothing") == []
    assert await search(here, "dag", max_results=1) == [launch]


def _in_an_hour(service: Service) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(service.clock() + 3600, UTC).isoformat()


async def test_every_entry_says_why(here: Service) -> None:
    await follow(here, "dag", "ana")
    one = await space(here, "ana", title="launch", topic_ids=[TECHNOLOGY], lang="de-AT")
    parameters = {"query": "launch", "prefer": TECHNOLOGY}
    headers = {"Accept-Language": "de, en;q=0.5"}
    answer = await here.ok("dag", "GET", "/spaces/search", params=parameters, headers=headers)
    assert answer["meta"] == {"result_count": 1, "found_count": 1, "next_token": None}
    entry = answer["data"][0]
    assert entry["share_url"] == f"http://spaces/s/{one}"
    assert entry["people"] == [{"user_id": "ana", "role": "host"}]
    assert {r["signal"]: r["value"] for r in entry["reasons"]} == pytest.approx(
        {"match": 1, "follows_host": 0.5, "live": 1, "topic": 0.5, "language": 1, "freshness": 1}, abs=0.01
    )


@pytest.mark.parametrize(
    "query",
    [
        "state=draft",
        "max_results=0",
        "query=" + "x" * 201,
        "query=%00",
        "topic=" + "x" * 41,
        "lang=x&max_results=x",
    ],
)
async def test_what_cannot_be_asked(here: Service, query: str) -> None:
    assert (await here.call("dag", "GET", f"/spaces/search?{query}")).status_code == 422


async def test_a_change_of_name_is_found_soon(here: Service) -> None:
    one = await space(here, "ana")
    assert await search(here, "dag", query="zoe") == []
    await here.ok("ana", "PATCH", "/users/me", json={"name": "Zoë"})
    here.clock.ahead += 16
    assert await search(here, "dag", query="zoe") == [one]


async def test_topics_with_the_number_of_live_spaces(here: Service) -> None:
    await space(here, "ana", topic_ids=[TECHNOLOGY, "knitting"])
    await space(here, "ben", start=False, topic_ids=[TECHNOLOGY])
    topics = (await here.ok("dag", "GET", "/topics"))["data"]
    assert [t["id"] for t in topics] == [*TOPICS, "knitting"]
    assert {t["name"]: t["live_count"] for t in topics if t["live_count"]} == {"Technology": 1, "knitting": 1}


async def test_a_link_describes_itself_to_anybody(here: Service) -> None:
    one = await space(here, "ana", title="launch")
    card = await here.ok(None, "GET", "/oembed", params={"url": f"https://elsewhere/s/{one}?x=y"})
    assert (card["type"], card["title"], card["author_name"]) == ("link", "launch", "Ana Łuk")
    assert card["description"] == "Ana Łuk is hosting a Space; 0 people are there now."
    draft = await space(here, "ana", start=False)
    for url in (
        f"http://spaces/s/{draft}",
        "http://spaces/",
        "http://[/s/x",
        f"http://spaces/s/{one}/x",
        "/s/a%00",
    ):
        assert (await here.call(None, "GET", "/oembed", params={"url": url})).status_code == 404
    answer = await here.call(None, "GET", "/oembed", params={"url": f"http://spaces/s/{one}", "format": "xml"})
    assert answer.status_code == 422


async def test_after_a_restart_bubbles_are_there(tmp_path: Path) -> None:
    async with running(tmp_path) as before:
        for name in ("ana", "dag"):
            await before.ok(name, "POST", "/users", json={})
        await follow(before, "dag", "ana")
        one = await space(before, "ana")
    async with running(tmp_path) as after:
        assert await bubbles(after, "dag") == {one: [("ana", "host")]}


@pytest.mark.parametrize("where", ["/spaces/search", "/users/me/bubbles"])
async def test_ranked_lists_come_in_pages_that_are_of_one_moment(here: Service, where: str) -> None:
    await follow(here, "dag", "ana", "ben", "cem")
    here.clock.stop()
    made: list[str] = []
    for number in range(7):
        here.clock.ahead += 10  # a Space without anybody in it ends after 120 s
        made.append(await space(here, ("ana", "ben", "cem")[number % 3], title=f"Talk {number}"))
    whole = await here.ok("dag", "GET", where)
    assert len(whole["data"]) == 7 and whole["meta"]["next_token"] is None
    found: list[str] = []
    page: dict[str, Any] = {"max_results": 3}
    while True:
        shown = await here.ok("dag", "GET", where, params=page)
        found += [entry["space"]["id"] for entry in shown["data"]]
        assert shown["meta"]["found_count"] == len(made)
        if shown["meta"]["next_token"] is None:
            break
        page["pagination_token"] = shown["meta"]["next_token"]
        here.clock.ahead += 10
    assert found == [entry["space"]["id"] for entry in whole["data"]]
    for token in ("x", "Mg==", "YSBiIGMgZA=="):
        refused = await here.call("dag", "GET", where, params={"pagination_token": token})
        assert refused.status_code == 422 and "pagination_token" in refused.json()["detail"]


async def test_what_has_ended_is_found_when_it_is_asked_for(here: Service) -> None:
    for host, title in (("ana", "Old launch"), ("ben", "Other talk"), ("cem", "Launch party")):
        space_id = await space(here, host, title=title)
        await here.ok(host, "POST", f"/spaces/{space_id}/end")
    live = await space(here, "ana", title="New launch")
    assert await search(here, "dag", query="launch") == [live]
    found = await here.ok("dag", "GET", "/spaces/search", params={"query": "launch", "state": "ended"})
    assert [entry["space"]["title"] for entry in found["data"]] == ["Launch party", "Old launch"]
    assert {entry["space"]["state"] for entry in found["data"]} == {"ended"}
    await here.ok("cem", "POST", "/users/me/blocking", json={"target_user_id": "dag"})
    assert len(await search(here, "dag", state="ended")) == 2
