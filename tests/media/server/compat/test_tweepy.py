"""The stock tweepy client of X, with no change but its base address, on a real HTTP server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import tweepy
from requests.adapters import HTTPAdapter

from tests.media.server.served import served
from tests.media.server.service import Service, running
from tests.media.server.tickets.selling import CARD, DECLINED, selling

X = "https://api.twitter.com"


class Elsewhere(HTTPAdapter):
    """Sends what is meant for X to another base address."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: Any, *rest: Any, **more: Any) -> Any:
        request.url = self._base + request.url.removeprefix(X)
        return super().send(request, *rest, **more)


class Lab:
    """A server, and tweepy clients of people."""

    def __init__(self, service: Service, base: str) -> None:
        self.service, self._base = service, base

    async def __call__(self, name: str, method: str, *arguments: Any, **more: Any) -> Any:
        client = tweepy.Client(self.service.token(name))
        client.session.mount(X, Elsewhere(self._base))
        call: Callable[..., Any] = getattr(client, method)
        return await asyncio.to_thread(call, *arguments, **more)


@pytest.fixture
async def lab(tmp_path: Path, database: str) -> AsyncIterator[Lab]:
    async with running(tmp_path, database=database) as service, served(service) as base:
        yield Lab(service, base)


async def space_of(lab: Lab, **body: Any) -> str:
    return (await lab.service.live(**body)).rpartition("/")[2]


async def test_a_space_has_id_and_state_unless_more_is_asked_for(lab: Lab) -> None:
    space_id = await space_of(lab, title="Launch", topic_ids=["rockets"], lang="de")
    found = await lab("ben", "get_space", space_id)
    assert dict(found.data) == {"id": space_id, "state": "live"}
    assert (found.includes, found.errors, found.meta) == ({}, [], {})
    space = (await lab("ben", "get_space", space_id, space_fields=tweepy.space.SPACE_FIELDS)).data
    assert (space.title, space.lang, space.topic_ids) == ("Launch", "de", ["rockets"])
    assert space.is_ticketed is False and space.participant_count == 0
    assert (
        abs(space.started_at - datetime.now(UTC)) < timedelta(minutes=1) > abs(space.created_at - space.started_at)
    )
    assert space.ended_at is None and space.scheduled_start is None, "what it has not is left out"
    assert space.host_ids == space.speaker_ids == [str(space.creator_id)] and space.creator_id > 0
    assert space.subscriber_count is None, "its creator alone sees that"
    mine = await lab("ana", "get_space", space_id, space_fields="subscriber_count")
    assert mine.data.subscriber_count == 0


async def test_people_of_a_space_are_expanded_and_found_by_their_numbers(lab: Lab) -> None:
    await lab.service.ok("ana", "POST", "/users", json={"name": "Ana Łuczak"})
    await lab.service.ok("44196397", "POST", "/users", json={"username": "taken_over"})
    space_id = await space_of(lab, topic_ids=["rockets"])
    await lab.service.ok("ana", "POST", f"/spaces/{space_id}/invitations", json={"user_id": "44196397"})
    await lab.service.ok("ana", "POST", f"/spaces/{space_id}/invitations", json={"user_id": "no-profile"})
    found = await lab(
        "ben",
        "get_space",
        space_id,
        expansions=["creator_id", "host_ids", "invited_user_ids", "topic_ids"],
        user_fields=["created_at", "public_metrics", "protected"],
    )
    users = found.includes["users"]
    assert [user.username for user in users] == ["ana", "taken_over", "no-profile"], "each once"
    assert users[0].name == "Ana Łuczak" and users[0].protected is False and users[0].verified is None
    assert users[0].public_metrics["followers_count"] == 0 and users[0].created_at.tzinfo is not None
    assert users[1].id == 44196397 and users[2].created_at is None
    assert found.includes["topics"] == [{"id": "rockets", "name": "rockets"}]
    ids = [user.id for user in users]
    again = await lab("ben", "get_users", ids=[*ids, 12345])
    assert [user.id for user in again.data] == ids
    assert [error["resource_id"] for error in again.errors] == ["12345"]
    mine = await lab("ben", "get_spaces", user_ids=ids)
    assert [space.id for space in mine.data] == [space_id] and mine.meta == {"result_count": 1}


async def test_some_spaces_and_errors_beside_them(lab: Lab) -> None:
    one, two = await space_of(lab, title="one"), await space_of(lab, title="two")
    draft = (await lab.service.ok("ana", "POST", "/spaces", json={}))["id"]
    found = await lab("ben", "get_spaces", ids=[two, "1DXxyRYNejbKM", one, draft], space_fields="title")
    assert [space.title for space in found.data] == ["two", "one"]
    assert found.errors[0] == {
        "value": "1DXxyRYNejbKM",
        "detail": "Could not find space with ids: [1DXxyRYNejbKM].",
        "title": "Not Found Error",
        "resource_type": "space",
        "parameter": "ids",
        "resource_id": "1DXxyRYNejbKM",
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    }
    assert found.errors[1]["resource_id"] == draft, "X knows no drafts"
    nothing = await lab("ben", "get_space", "1DXxyRYNejbKM")
    assert nothing.data is None and nothing.errors[0]["parameter"] == "id"


async def test_search_by_words_of_the_title_and_state(lab: Lab) -> None:
    live = await space_of(lab, title="What we LEARNED from the launch")
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    later = await lab.service.ok("ana", "POST", "/spaces", json={"title": "Launch day", "scheduled_start": soon})
    over = await space_of(lab, title="launch of before")
    await lab.service.ok("ana", "POST", f"/spaces/{over}/end")

    async def ids(query: str, **more: Any) -> list[str]:
        found = await lab("ben", "search_spaces", query, **more)
        assert found.meta["result_count"] == len(found.data or [])
        return [space.id for space in found.data or []]

    assert await ids("launch") == [later["id"], live], "youngest first, and none that is over"
    assert await ids("launch learned") == [live]
    assert await ids("launch", state="scheduled") == [later["id"]]
    assert await ids("launch", max_results=1, space_fields=["scheduled_start"]) == [later["id"]]
    assert await ids("lunch") == []


async def test_users_by_id_and_name(lab: Lab) -> None:
    await lab.service.ok("ana", "POST", "/users", json={"username": "Ana_L", "protected": True})
    ana = (await lab("ben", "get_user", username="ana_l", user_fields=["protected", "verified"])).data
    assert (ana.username, ana.protected, ana.verified, ana.created_at) == ("Ana_L", True, False, None)
    assert (await lab("ben", "get_user", id=ana.id)).data.id == ana.id
    assert (await lab("ana", "get_me", user_auth=False)).data.id == ana.id
    assert (await lab("new", "get_me", user_auth=False)).data.username == "new"
    found = await lab("ben", "get_users", usernames=["nobody", "ana_l"])
    assert [user.id for user in found.data] == [ana.id] and found.errors[0]["parameter"] == "usernames"
    assert (await lab("ben", "get_user", id=9_999_999_999_999_999_999)).errors[0]["resource_type"] == "user"


async def test_posts_and_buyers_of_a_space(lab: Lab) -> None:
    space_id = await space_of(lab)
    assert (await lab("ana", "get_space_buyers", space_id)).meta == {"result_count": 0}
    with pytest.raises(tweepy.Forbidden, match="creator"):
        await lab("ben", "get_space_buyers", space_id)
    assert (await lab("ben", "get_space_tweets", space_id)).meta == {"result_count": 0}
    post = await lab.service.ok("ana", "POST", "/posts", json={"text": "Come and listen"})
    for post_id in (post["id"], "1396580169512140802"):
        await lab.service.ok("ana", "POST", f"/spaces/{space_id}/shared", json={"post_id": post_id})
    found = await lab(
        "ben", "get_space_tweets", space_id, tweet_fields="author_id,created_at", expansions="author_id"
    )
    assert [(tweet.text, tweet.author_id) for tweet in found.data] == [
        ("Come and listen", found.includes["users"][0].id)
    ]
    assert found.data[0].created_at.tzinfo is not None and found.data[0].edit_history_tweet_ids == [
        found.data[0].id
    ]
    assert found.errors[0]["resource_id"] == "1396580169512140802", (
        "a post of elsewhere, whose text nobody here has"
    )


async def test_refusals_reach_the_client_as_its_own_exceptions(lab: Lab) -> None:
    with pytest.raises(tweepy.BadRequest) as error:
        await lab("ben", "get_space", "1DXxyRYNejbKM", space_fields="title,nonsense")
    assert "space.fields` query parameter value [nonsense] is not one of [created_at," in str(error.value)
    assert error.value.api_errors[0]["parameters"] == {"space.fields": ["title,nonsense"]}
    for arguments in ({"ids": [str(n) for n in range(101)]}, {"ids": ["not-an-id"]}, {"user_ids": ["ana"]}):
        with pytest.raises(tweepy.BadRequest):
            await lab("ben", "get_spaces", **arguments)
    with pytest.raises(tweepy.BadRequest, match="max_results"):
        await lab("ben", "search_spaces", "launch", max_results=101)
    with pytest.raises(tweepy.BadRequest):
        await lab("ben", "get_space", "not-an-id")
    with pytest.raises(tweepy.Unauthorized, match="get a new one"):
        await asyncio.to_thread(_with_token(lab, "nonsense").get_space, "1DXxyRYNejbKM")


def _with_token(lab: Lab, token: str) -> tweepy.Client:
    client = tweepy.Client(token)
    client.session.mount(X, Elsewhere(lab._base))
    return client


async def test_buyers_are_listed_page_by_page_to_the_creator(tmp_path: Path, database: str) -> None:
    async with selling(tmp_path, database) as shop, served(shop.service) as base:
        lab = Lab(shop.service, base)
        await shop.host()
        path = await shop.space()
        await lab.service.ok("ben", "POST", "/users", json={"name": "Ben"})
        for name, card in (("dag", CARD), ("ben", CARD), ("cem", DECLINED)):
            await shop.buy(name, path, card)
        space_id = path.rpartition("/")[2]
        found = await lab("ana", "get_space_buyers", space_id, user_fields="public_metrics")
        assert [(user.username, user.name) for user in found.data] == [("ben", "Ben"), ("dag", "dag")]
        assert found.data[0].public_metrics["followers_count"] == 0 and found.meta == {"result_count": 2}
        first = await lab("ana", "get_space_buyers", space_id, max_results=1)
        assert [user.username for user in first.data] == ["ben"]
        headers = {"Authorization": f"Bearer {lab.service.token('ana')}"}
        query = {"max_results": "1", "pagination_token": first.meta["next_token"]}
        second = await lab.service.http.get(f"/2/spaces/{space_id}/buyers", params=query, headers=headers)
        assert [user["username"] for user in second.json()["data"]] == ["dag"]
        assert second.json()["meta"] == {"result_count": 1}
        wrong = await lab.service.http.get(
            f"/2/spaces/{space_id}/buyers", params={"pagination_token": "x"}, headers=headers
        )
        assert wrong.status_code == 400 and wrong.json()["title"] == "Invalid Request"
        with pytest.raises(tweepy.Forbidden, match="creator"):
            await lab("ben", "get_space_buyers", space_id)


async def test_blocked_people_do_not_find_each_other_s_spaces_by_their_creators(lab: Lab) -> None:
    await lab.service.ok("1234", "POST", "/users", json={})
    await lab.service.ok("1234", "POST", "/spaces", json={"scheduled_start": tomorrow()})
    assert len((await lab("ben", "get_spaces", user_ids=[1234])).data) == 1
    await lab.service.ok("1234", "POST", "/users/me/blocking", json={"target_user_id": "ben"})
    assert (await lab("ben", "get_spaces", user_ids=[1234])).meta == {"result_count": 0}


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()
