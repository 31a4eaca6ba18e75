"""The stream of a Space over a real connection: what comes, in which order, and to whom."""

import pytest

from tests.media.server.events.streaming import Streaming


async def test_a_listener_is_told_of_everything_that_everyone_may_know(service: Streaming) -> None:
    path = await service.live(title="Launch")
    async with service.stream("lea", f"{path}/events") as stream:
        assert stream.response.headers["Content-Type"] == "text/event-stream"
        assert stream.response.headers["Cache-Control"] == "no-store"
        assert stream.response.headers["X-Accel-Buffering"] == "no"
        name, space = await stream.next()
        assert (name, space["title"], space["state"]) == ("space", "Launch", "live")
        assert [p["user_id"] for p in space["stage"]] == ["ana"]
        assert stream.retry == 2000
        assert await stream.next("you") == (
            "you",
            {"standing": "outside", "muted_by_self": False, "muted_by_admin": False, "hand_raised": False},
        )
        await service.connect("lea", path)
        assert (await stream.next("you"))[1]["standing"] == "listener"
        _, pulse = await stream.next("pulse")
        while pulse["listener_count"] != 1:
            _, pulse = await stream.next("pulse")
        assert pulse == {"participant_count": 1, "listener_count": 1, "reactions": {}, "speaking": {}}
        await service.ok("ana", "POST", f"{path}/participants/me/unmute")
        assert (await stream.next("stage"))[1]["data"][0]["muted_by_self"] is False
        await service.ok("lea", "POST", f"{path}/requests")
        assert (await stream.next("you"))[1]["standing"] == "requested"
        await service.ok("ana", "POST", f"{path}/end")
        assert (await stream.next("ended", "requests")) == ("ended", {"state": "ended", "reason": "host"})
        assert await stream.rest() == []


async def test_the_queue_is_for_host_and_cohosts(service: Streaming) -> None:
    path = await service.live(speak_policy="everyone")
    async with service.stream("ana", f"{path}/events") as host, service.stream("ben", f"{path}/events") as ben:
        assert (await host.next("requests"))[1] == {"data": []}
        await ben.next("you")
        await service.ok("ben", "POST", f"{path}/requests")
        assert (await ben.next("you"))[1]["standing"] == "speaker"
        await service.ok("ana", "PATCH", path, json={"speak_policy": "invited"})
        assert (await ben.next("space"))[1]["speak_policy"] == "invited"
        await service.ok("cem", "POST", f"{path}/requests")
        assert [r["user_id"] for r in (await host.next("requests"))[1]["data"]] == ["cem"]
        await service.ok("ana", "POST", f"{path}/participants/ben/promote")
        assert [r["user_id"] for r in (await ben.next("requests"))[1]["data"]] == ["cem"]


async def test_who_is_removed_hears_that_and_no_more(service: Streaming) -> None:
    path = await service.live()
    await service.connect("lea", path)
    async with service.stream("lea", f"{path}/events") as stream:
        await stream.next("you")
        await service.ok("ana", "DELETE", f"{path}/participants/lea")
        assert (await stream.next("you"))[1]["standing"] == "removed"
        assert await stream.rest() == []
    refused = await service.call("lea", "GET", f"{path}/events")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:spaces-lab:problem:removed")


@pytest.mark.parametrize("name", ["lea", None])
async def test_a_space_that_is_over_says_so_and_ends(service: Streaming, name: str | None) -> None:
    path = await service.live(anonymous_listening=True)
    async with service.stream(name, f"{path}/events") as stream:
        await service.ok("ana", "POST", f"{path}/end")
        assert (await stream.rest())[-1] == "ended"
    async with service.stream("lea", f"{path}/events") as stream:
        assert await stream.rest() == ["space", "ended"]


async def test_who_may_not_follow(service: Streaming) -> None:
    path = await service.live()
    assert (await service.call(None, "GET", f"{path}/events")).status_code == 401
    assert (await service.call("lea", "GET", "/spaces/none/events")).status_code == 404
    await service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "lea"})
    assert (await service.call("lea", "GET", f"{path}/events")).json()["type"].endswith(":blocked")


async def test_what_was_missed_is_sent_after_coming_back(service: Streaming) -> None:
    path = await service.live()
    async with service.stream("lea", f"{path}/events") as stream:
        await stream.next("pulse")
        last = stream.last_id
    await service.ok("ana", "POST", f"{path}/participants/me/unmute")
    async with service.stream("lea", f"{path}/events", last) as stream:
        name, data = await stream.next()
        assert (name, data["data"][0]["muted_by_self"]) == ("stage", False)
    async with service.stream("lea", f"{path}/events", "17") as stream:
        assert (await stream.next())[0] == "space"
