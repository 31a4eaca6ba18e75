"""The stream of a Space over a real connection: what comes, in which order, and to whom."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.media.server.events.streaming import Stream, Streaming


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


async def test_what_is_shown_in_the_room_is_told(service: Streaming) -> None:
    path = await service.live()
    await service.connect("lea", path)
    async with service.stream("lea", f"{path}/events") as stream:
        await stream.next("pulse")
        await service.ok("ana", "PUT", f"{path}/pins/p1")
        pins = (await stream.next())[1]["data"]
        assert [(pin["post_id"], pin["user_id"]) for pin in pins] == [("p1", "ana")]
        await service.ok("ana", "POST", f"{path}/shared", json={"post_id": "p2"})
        assert (await stream.next("shared"))[1]["post_id"] == "p2"
        await service.ok("lea", "POST", f"{path}/messages", json={"text": "hello\nyou"})
        message = (await stream.next("message"))[1]
        assert (message["id"], message["user_id"], message["text"]) == ("1", "lea", "hello\nyou")
        await service.ok("ana", "PUT", f"{path}/participants/me/hand")
        assert (await stream.next("stage"))[1]["data"][0]["hand_raised"] is True
        for _ in range(3):
            await service.ok("lea", "POST", f"{path}/reactions", json={"kind": "clap"})
        told = 0
        while told < 3:
            told += (await stream.next("pulse"))[1]["reactions"].get("clap", 0)
        assert told == 3
        service.plane.speak(path.rpartition("/")[2], {"ana": -20.0})
        assert (await stream.next("pulse"))[1]["speaking"] == {"ana": -20.0}


async def test_suspension_and_blocks_end_streams_at_once(service: Streaming) -> None:
    path = await service.live()
    for name, method, url, body in (
        ("ana", "POST", "/users/me/blocking", {"target_user_id": "lea"}),
        ("root", "PUT", "/users/ben/suspension", {"reason": "noise"}),
    ):
        person = "lea" if name == "ana" else "ben"
        async with (
            service.stream(person, f"{path}/events") as stream,
            service.stream("cem", f"{path}/events") as other,
        ):
            await stream.next("pulse")
            await service.ok(name, method, url, json=body)
            assert await stream.rest() == []
            await other.next("pulse")
    async with service.stream("eva", "/users/me/events") as mine:
        assert await mine.next() == ("ready", {"resumed": False})
        await service.ok("root", "PUT", "/users/eva/suspension", json={"reason": "noise"})
        assert await mine.rest() == []


async def test_anonymous_streams_end_when_anonymous_listening_does(service: Streaming) -> None:
    path = await service.live(anonymous_listening=True)
    async with service.stream(None, f"{path}/events") as stream:
        assert [name for name, _ in [await stream.next(), await stream.next()]] == ["space", "pulse"]
        space = path.rpartition("/")[2]
        await service.app.state.spaces.act(space, lambda s, now: s.edit("ana", now, anonymous_listening=False))
        assert await stream.rest() == ["space"]


async def test_a_stream_ends_with_its_token(service: Streaming) -> None:
    path = await service.live()
    await service.connect("ana", path, "whip")  # else the Space would be over by then
    async with service.stream("lea", f"{path}/events") as stream:
        await stream.next("pulse")
        service.clock.ahead = 13 * 3600
        assert await stream.rest() == []


async def test_one_person_has_ten_streams_at_most(service: Streaming) -> None:
    path = await service.live()
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(service.stream("lea", f"{path}/events")) for _ in range(10)]
        for stream in streams:
            await stream.next("pulse")
        refused = await service.call("lea", "GET", f"{path}/events")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
        assert refused.json()["type"].endswith(":too-many-streams")
        async with service.stream("ben", f"{path}/events") as other:
            await other.next("pulse")
    async with asyncio.timeout(30):
        while service.app.state.events.hub.readers()["space"]:
            await asyncio.sleep(0.01)
    async with service.stream("lea", f"{path}/events") as again:
        await again.next("pulse")


async def test_those_without_a_name_behind_an_unnamed_proxy_share_the_bound_of_one_address(
    service: Streaming, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(service.app.state.events.places._limits, "address", 2)
    path = f"{await service.live(anonymous_listening=True)}/events"
    open_: list[Stream] = []  # one that nobody holds is closed
    async with AsyncExitStack() as stack:

        async def follow(name: str | None, **headers: str) -> None:
            open_.append(await stack.enter_async_context(service.stream(name, path, **headers)))
            await open_[-1].next("pulse")

        for number in range(2):
            await follow(None, Via=f"1.1 proxy{number}")
        for forged in ({"Via": "1.1 other"}, {"X-Forwarded-For": "198.51.100.7"}):
            refused = await service.call(None, "GET", path, headers=forged)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
            assert "2 event streams from your address" in refused.json()["detail"]
        await follow("lea", Via="1.1 proxy")
        for _ in range(3):
            await follow(None)


async def test_who_has_read_that_it_is_over_is_told_to_give_up(service: Streaming) -> None:
    path = await service.live()
    async with service.stream("lea", f"{path}/events") as stream:
        await service.ok("ana", "POST", f"{path}/end")
        await stream.rest()
    headers = {"Last-Event-ID": str(stream.last_id)}
    assert (await service.call("lea", "GET", f"{path}/events", headers=headers)).status_code == 204
    service.app.state.events.hub._broadcasts.clear()
    assert (await service.call("lea", "GET", f"{path}/events", headers=headers)).status_code == 204
    async with service.stream("lea", f"{path}/events", "17") as stream:
        assert await stream.rest() == ["space", "ended"]


async def test_metrics_count_streams(service: Streaming) -> None:
    path = await service.live()
    async with service.stream("lea", f"{path}/events") as stream:
        await stream.next("pulse")
        await service.ok("ana", "POST", f"{path}/participants/me/unmute")
        await stream.next("stage")
        text = (await service.call(None, "GET", "/metrics")).text
    assert 'spaces_event_readers{of="space"} 1.0' in text
    assert "spaces_events_sent_total 1.0" in text
    assert "spaces_event_readers_dropped_total 0.0" in text
    assert 'spaces_event_delivery_seconds_bucket{le="+Inf"}' in text


async def test_taps_of_a_moment_come_together_and_add_up(service: Streaming) -> None:
    path = await service.live()
    await service.connect("lea", path)
    async with service.stream("lea", f"{path}/events") as stream:
        await stream.next("pulse")
        for count in (10, 1, 4):
            await service.ok("lea", "POST", f"{path}/reactions", json={"kind": "heart", "count": count})
        told = 0
        while told < 15:
            told += (await stream.next("pulse"))[1]["reactions"].get("heart", 0)
        assert told == 15
    for count in (0, 11, -1):
        refused = await service.call("lea", "POST", f"{path}/reactions", json={"kind": "heart", "count": count})
        assert refused.status_code == 422


async def test_a_quiet_stream_has_a_heartbeat(service: Streaming) -> None:
    space = await service.ok("ana", "POST", "/spaces", json={})
    async with service.stream("ana", f"/spaces/{space['id']}/events") as stream:
        await stream.next("pulse")
        service.clock.ahead = 16
        async with asyncio.timeout(30):
            while await anext(stream.lines) != ":":
                pass
