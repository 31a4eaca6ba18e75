"""Posts, the people behind them, invitations to them and who came: over HTTP, on both databases."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from media.relay.plane import Levels
from media.server.finding import campaigns
from tests.media.server.service import Service, running

PEOPLE = ("ana", "ben", "cem", "dag", "eve")


@pytest.fixture
async def here(database: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, database=database) as one:
        for name in PEOPLE:
            await one.ok(name, "POST", "/users", json={})
        yield one


async def post(service: Service, who: str, text: str, **more: Any) -> str:
    return (await service.ok(who, "POST", "/posts", json={"text": text} | more))["id"]


async def found(service: Service, who: str, *terms: str, **more: Any) -> list[str]:
    people = (await service.ok(who, "GET", "/people/search", params={"terms": list(terms)} | more))["data"]
    for person in people:
        assert person["score"] == pytest.approx(sum(r["contribution"] for r in person["reasons"]), abs=1e-9)
    return [person["user"]["id"] for person in people]


async def feed(service: Service, who: str, query: str = "") -> list[str]:
    return [p["text"] for p in (await service.ok(who, "GET", f"/posts{query}"))["data"]]


async def test_posts_are_written_read_paged_and_taken_back(here: Service) -> None:
    ids = [await post(here, "ana", f"post {n} \U0001f399") for n in range(3)]
    await post(here, "ben", "another")
    assert await feed(here, "cem") == ["another", *(f"post {n} \U0001f399" for n in (2, 1, 0))]
    assert await feed(here, "cem", "?author_id=ben") == ["another"]
    page = await here.ok("cem", "GET", "/posts?max_results=3")
    rest = await here.ok("cem", "GET", f"/posts?max_results=3&pagination_token={page['meta']['next_token']}")
    assert [p["text"] for p in rest["data"]] == ["post 0 \U0001f399"]
    assert (await here.ok("cem", "GET", f"/posts/{ids[0]}"))["author_id"] == "ana"
    assert (await here.call("ben", "DELETE", f"/posts/{ids[0]}")).status_code == 403
    await here.ok("ana", "DELETE", f"/posts/{ids[0]}")
    await here.ok("root", "DELETE", f"/posts/{ids[1]}")
    assert (await here.call("cem", "GET", f"/posts/{ids[0]}")).status_code == 404
    assert await found(here, "cem", "post") == ["ana"], "the third is left"


@pytest.mark.parametrize(
    "body", [{"text": " "}, {"text": "a\0b"}, {"text": "x" * 4_001}, {}, {"text": "x", "by": "me"}]
)
async def test_what_is_no_post(here: Service, body: dict[str, str]) -> None:
    assert (await here.call("ana", "POST", "/posts", json=body)).status_code == 422


async def test_a_protected_person_is_read_by_followers_and_found_by_nobody(here: Service) -> None:
    await here.ok("dag", "POST", "/users/me/following", json={"target_user_id": "ben"})
    await here.ok("ben", "PATCH", "/users/me", json={"protected": True})
    await post(here, "ben", "acme in private")
    assert await feed(here, "dag") == await feed(here, "ben") == ["acme in private"]
    assert await feed(here, "cem") == []
    assert await found(here, "dag", "acme") == []


async def test_a_block_hides_posts_and_people_both_ways(here: Service) -> None:
    await post(here, "ben", "about acme")
    for blocker, blocked in (("ben", "ana"), ("ana", "ben")):
        assert await found(here, "ana", "acme") == ["ben"]
        await here.ok(blocker, "POST", "/users/me/blocking", json={"target_user_id": blocked})
        assert await found(here, "ana", "acme") == await feed(here, "ana") == []
        await here.ok(blocker, "DELETE", f"/users/me/blocking/{blocked}")


async def test_people_are_found_by_relevance_and_reach_with_their_posts(here: Service) -> None:
    await post(here, "ben", "The #AcmeLaunch was fun")
    await post(here, "cem", "acmelaunch acmelaunch acmelaunch, what else")
    await post(here, "dag", "of something else")
    await post(here, "ana", "my own acmelaunch")
    for fan in ("dag", "eve", "ana"):
        await here.ok(fan, "POST", "/users/me/following", json={"target_user_id": "ben"})
    assert await found(here, "ana", "AcmeLaunch") == ["cem", "ben"]
    assert await found(here, "ana", "AcmeLaunch", reach=1) == ["ben", "cem"]
    assert await found(here, "ana", "#acmelaunch") == ["ben"]
    assert await found(here, "ana", "what else") == ["cem"]
    assert await found(here, "ana", "else what") == []
    assert await found(here, "ana", "something else", "#acmelaunch") == ["ben", "dag"]
    assert await found(here, "ana", "acmelaunch", lang="de") == []
    answer = await here.ok("ana", "GET", "/people/search?terms=acmelaunch&max_results=1")
    assert answer["meta"] == {"result_count": 1, "found_count": 2}
    cem = answer["data"][0]
    assert (cem["mention_count"], [p["text"][:10] for p in cem["posts"]]) == (3, ["acmelaunch"])
    here.clock.ahead += 14 * 86_400
    await post(here, "ben", "acmelaunch")
    assert await found(here, "ana", "AcmeLaunch", reach=0) == ["ben", "cem"], (
        "three of long ago against one of now"
    )
    await here.ok("cem", "PUT", "/users/me/campaign-opt-out")
    assert await found(here, "ana", "AcmeLaunch") == ["ben"]
    await here.ok("root", "PUT", "/users/ben/suspension", json={})
    assert await found(here, "ana", "AcmeLaunch") == []


@pytest.mark.parametrize("query", ["", "?terms=", "?terms=!", "?terms=a&reach=2", "?terms=a&half_life_days=0"])
async def test_what_cannot_be_looked_for(here: Service, query: str) -> None:
    assert (await here.call("ana", "GET", f"/people/search{query}")).status_code == 422


async def campaign(service: Service, path: str, who: str = "ana", **body: Any) -> Any:
    return await service.ok(who, "POST", f"{path}/campaigns", json=body)


async def test_a_campaign_from_finding_to_who_came(here: Service) -> None:
    path = await here.live()
    space_id = path.rpartition("/")[2]
    for name in ("ben", "cem", "dag"):
        await post(here, name, "I like acme")
    sent = await campaign(here, path, terms=["acme"], message="Talk to us")
    assert sorted(sent["invited"]) == ["ben", "cem", "dag"] and sent["passed_over"] == []
    address = f"{path}/campaigns/{sent['id']}"
    mine = (await here.ok("cem", "GET", "/users/me/campaign-invitations"))["data"]
    assert [(i["campaign_id"], i["space_id"], i["message"]) for i in mine] == [
        (sent["id"], space_id, "Talk to us")
    ]
    assert (await here.ok("eve", "GET", "/users/me/campaign-invitations"))["data"] == []
    await here.ok("cem", "POST", f"/users/me/campaign-invitations/{sent['id']}/open")
    assert (await here.call("eve", "POST", f"/users/me/campaign-invitations/{sent['id']}/open")).status_code == 404
    session = await here.connect("ben", path)
    await here.connect("eve", path)
    here.plane._tell(Levels(space_id, {"ben": -20.0, "eve": -20.0}))
    here.clock.ahead += 60
    here.lose(session)
    await here.settle()
    here.clock.ahead += 100
    report = await here.ok("ana", "GET", address)
    assert report["turnout"] == {
        "invited": 3,
        "opened": 2,
        "joined": 1,
        "spoke": 1,
        "mean_stay_seconds": pytest.approx(60, abs=1),
        "median_stay_seconds": pytest.approx(60, abs=1),
    }
    ben = next(g for g in report["guests"] if g["user_id"] == "ben")
    assert ben["score"] > 0 and ben["spoke_at"] is not None
    await here.connect("ben", path)
    here.clock.ahead += 30
    assert (await here.ok("ana", "GET", address))["turnout"]["mean_stay_seconds"] == pytest.approx(90, abs=1)
    await here.ok("ana", "POST", f"{path}/end")
    await here.settle()
    here.clock.ahead += 500
    assert (await here.ok("ana", "GET", address))["turnout"]["mean_stay_seconds"] == pytest.approx(90, abs=1)
    assert [c["turnout"]["joined"] for c in (await here.ok("root", "GET", f"{path}/campaigns"))["data"]] == [1]
    for name in ("ben", "eve"):
        assert (await here.call(name, "GET", address)).status_code == 403


async def test_who_cannot_be_invited_is_passed_over(here: Service) -> None:
    path = await here.live()
    await here.ok("ben", "PUT", "/users/me/campaign-opt-out")
    assert (await here.ok("ben", "GET", "/users/me/campaign-opt-out"))["opted_out"] is True
    await here.ok("cem", "POST", "/users/me/blocking", json={"target_user_id": "ana"})
    people = ["ben", "cem", "dag", "dag", "nobody", "ana"]
    sent = await campaign(here, path, people=people)
    assert sent["invited"] == ["dag"]
    assert {p["user_id"]: p["why"] for p in sent["passed_over"]} == {
        "ben": "unreachable",
        "cem": "unreachable",
        "nobody": "unreachable",
        "ana": "not now",
    }
    again = await campaign(here, path, people=["dag", "eve"], role="speaker")
    assert again["invited"] == ["eve"]
    assert [(p["user_id"], p["why"]) for p in again["passed_over"]] == [("dag", "invited already")]
    assert (await here.ok("eve", "GET", f"{path}/participants/me"))["standing"] == "invited"
    await here.ok("ben", "DELETE", "/users/me/campaign-opt-out")
    assert (await campaign(here, path, people=["ben"]))["invited"] == ["ben"]


async def test_only_host_and_cohosts_send_and_not_without_end(
    here: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await here.live()
    for body, who, status in (
        ({"people": ["ben"]}, "cem", 403),
        ({"people": ["ben"]}, "root", 403),
        ({}, "ana", 422),
        ({"terms": ["!"]}, "ana", 422),
        ({"people": ["me"]}, "ana", 422),
        ({"people": [f"u{n}" for n in range(501)]}, "ana", 422),
    ):
        assert (await here.call(who, "POST", f"{path}/campaigns", json=body)).status_code == status, body
    monkeypatch.setattr(campaigns, "DAILY_MAX", 2)
    assert (await campaign(here, path, people=["ben"]))["invited"] == ["ben"]
    refused = await here.call("ana", "POST", f"{path}/campaigns", json={"people": ["cem", "dag"]})
    assert refused.status_code == 429 and 0 < int(refused.headers["Retry-After"]) <= 86_400
    here.clock.ahead += 86_401
    assert (await campaign(here, path, people=["cem", "dag"]))["invited"] == ["cem", "dag"]
    await here.ok("ana", "POST", f"{path}/end")
    assert (await here.call("ana", "POST", f"{path}/campaigns", json={"people": ["ben"]})).status_code == 409


async def pages(service: Service, who: str, path: str, size: int) -> list[list[Any]]:
    """Every page of a list, as somebody is shown it."""
    found: list[list[Any]] = []
    query: dict[str, Any] = {"max_results": size}
    while query:
        page = await service.ok(who, "GET", path, params=query)
        assert page["meta"]["result_count"] == len(page["data"])
        found.append(page["data"])
        token = page["meta"]["next_token"]
        query = {"max_results": size, "pagination_token": token} if token else {}
    return found


async def test_campaigns_and_invitations_come_in_pages(here: Service) -> None:
    here.clock.stop()  # those of the same moment are told apart
    path = await here.live()
    sent = [await campaign(here, path, people=[name]) for name in ("ben", "cem", "dag")]
    here.clock.ahead += 60
    sent.append(await campaign(here, path, people=["eve"]))
    listed = await pages(here, "ana", f"{path}/campaigns", 2)
    assert [len(page) for page in listed] == [2, 2]
    assert [c["turnout"]["invited"] for page in listed for c in page] == [1] * 4
    ids = [c["id"] for page in listed for c in page]
    assert ids[0] == sent[3]["id"] and sorted(ids[1:]) == sorted(c["id"] for c in sent[:3])
    others = [await campaign(here, await here.live(), people=["ben"]) for _ in range(3)]
    mine = await pages(here, "ben", "/users/me/campaign-invitations", 3)
    assert [len(page) for page in mine] == [3, 1]
    ids = [i["campaign_id"] for page in mine for i in page]
    assert sorted(ids[:3]) == sorted(c["id"] for c in others) and ids[3] == sent[0]["id"]
    await here.ok("ben", "POST", f"/users/me/campaign-invitations/{ids[3]}/open")
    assert (await here.ok("ben", "GET", "/users/me/campaign-invitations?max_results=1"))["meta"]["next_token"]
    for wrong in ("pagination_token=bm8=", "pagination_token=!", "max_results=0"):
        for list_ in (f"{path}/campaigns", "/users/me/campaign-invitations"):
            assert (await here.call("ana", "GET", f"{list_}?{wrong}")).status_code == 422
    assert (await here.call("ana", "GET", f"{path}/campaigns?max_results=101")).status_code == 422


async def test_nobody_gets_too_many(here: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaigns, "WEEKLY_MAX", 2)
    for invited in (["ben"], ["ben"], []):
        path = await here.live()
        assert (await campaign(here, path, people=["ben"]))["invited"] == invited
    here.clock.ahead += 7 * 86_400 + 1
    assert (await campaign(here, await here.live(), people=["ben"]))["invited"] == ["ben"]


async def test_after_a_restart_it_is_known_who_was_invited(database: str, tmp_path: Path) -> None:
    async with running(tmp_path, database=database) as before:
        for name in PEOPLE:
            await before.ok(name, "POST", "/users", json={})
        path = await before.live()
        sent = await campaign(before, path, people=["ben"])
        await before.connect("ben", path)
        before.clock.ahead += 20
    async with running(tmp_path, database=database) as after:
        await after.connect("ben", path)
        after.clock.ahead += 20
        report = await after.ok("ana", "GET", f"{path}/campaigns/{sent['id']}")
        assert report["guests"][0]["stay_seconds"] == pytest.approx(40, abs=1)
        assert (await campaign(after, path, people=["ben"]))["passed_over"][0]["why"] == "invited already"


async def test_a_campaign_fills_a_space_before_it_starts(here: Service) -> None:
    start = datetime.fromtimestamp(here.clock() + 3_600, UTC).isoformat()
    space_id = (await here.ok("ana", "POST", "/spaces", json={"scheduled_start": start}))["id"]
    path = f"/spaces/{space_id}"
    sent = await campaign(here, path, people=["ben", "cem"])
    assert sent["invited"] == ["ben", "cem"]
    await here.ok("ana", "POST", f"{path}/start")
    await here.connect("ben", path)
    report = await here.ok("ana", "GET", f"{path}/campaigns/{sent['id']}")
    assert (report["turnout"]["invited"], report["turnout"]["joined"]) == (2, 1)
