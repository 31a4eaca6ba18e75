"""A person's own news, over a real connection."""

from datetime import UTC, datetime, timedelta

from tests.media.server.events.streaming import Streaming


async def test_invitations_and_answers_reach_who_is_elsewhere(service: Streaming) -> None:
    path = await service.live(title="Launch")
    space = path.rpartition("/")[2]
    about = {"space_id": space, "title": "Launch"}
    async with service.stream("ben", "/users/me/events") as stream:
        assert await stream.next() == ("ready", {"resumed": False})
        await service.ok("ana", "POST", f"{path}/invitations", json={"user_id": "ben", "via": "message"})
        assert await stream.next() == ("invited", {**about, "by": "ana", "role": "speaker", "via": "message"})
        await service.ok("ben", "POST", f"{path}/invitations/me/decline")
        await service.ok("ben", "POST", f"{path}/requests")
        await service.ok("ana", "POST", f"{path}/requests/ben/deny")
        name, denied = await stream.next()
        assert (name, denied.pop("retry_at")[:2]) == ("request", "20")
        assert denied == {**about, "status": "denied"}
        service.clock.ahead = 61
        await service.ok("ben", "POST", f"{path}/requests")
        await service.ok("ana", "POST", f"{path}/requests/ben/approve")
        assert await stream.next() == ("request", {**about, "status": "approved"})
        await service.ok("ana", "DELETE", f"{path}/participants/ben")
        assert await stream.next() == ("removed", about)


async def test_a_bubble_rises_when_somebody_followed_hosts_or_speaks(service: Streaming) -> None:
    for name in ("ana", "ben", "lea", "cem"):
        await service.ok(name, "POST", "/users", json={})
    await service.ok("lea", "POST", "/users/me/following", json={"target_user_id": "ana"})
    await service.ok("cem", "POST", "/users/me/following", json={"target_user_id": "ben"})
    async with service.stream("lea", "/users/me/events") as lea, service.stream("cem", "/users/me/events") as cem:
        await lea.next("ready")
        await cem.next("ready")
        path = await service.live(title="Launch", speak_policy="everyone")
        bubble = {"space_id": path.rpartition("/")[2], "title": "Launch", "state": "live", "creator_id": "ana"}
        assert await lea.next() == ("bubble", {**bubble, "user_ids": ["ana"]})
        await service.ok("ben", "POST", f"{path}/requests")
        assert await cem.next() == ("bubble", {**bubble, "user_ids": ["ben"]})
        await service.ok("ana", "POST", f"{path}/end")
        for stream in (lea, cem):
            assert await stream.next() == ("bubble", {**bubble, "state": "ended", "user_ids": []})


async def test_who_is_blocked_hears_no_more_of_what_they_waited_for(service: Streaming) -> None:
    for name in ("ana", "ben", "cem", "dag"):
        await service.ok(name, "POST", "/users", json={})
    start = (datetime.now(UTC) + timedelta(minutes=40)).isoformat()
    space = await service.ok("ana", "POST", "/spaces", json={"title": "Tides", "scheduled_start": start})
    path = f"/spaces/{space['id']}"
    for name in ("ben", "cem"):
        await service.ok(name, "POST", "/users/me/following", json={"target_user_id": "dag"})
        await service.ok(name, "PUT", f"/users/me/reminders/{space['id']}")
    await service.ok("ana", "POST", f"{path}/invitations", json={"user_id": "dag"})
    await service.ok("ana", "POST", "/users/me/blocking", json={"target_user_id": "ben"})
    assert (await service.ok("ben", "GET", "/users/me/reminders"))["data"] == []
    assert "Tides" not in (await service.ok("ben", "GET", "/users/me/calendar.ics")).text
    assert len((await service.ok("cem", "GET", "/users/me/reminders"))["data"]) == 1
    async with service.stream("ben", "/users/me/events") as ben, service.stream("cem", "/users/me/events") as cem:
        await ben.next("ready")
        await cem.next("ready")
        await service.ok("ana", "POST", f"{path}/start")
        await service.ok("dag", "POST", f"{path}/invitations/me/accept")
        assert {(await cem.next())[0] for _ in range(2)} == {"reminder", "bubble"}
        assert service.app.state.hub.publish_to_user("ben", "reminder", {"title": "Another"})
        assert await ben.next() == ("reminder", {"title": "Another"}), "and nothing of this one before it"


async def test_news_that_came_in_between_are_sent_to_who_comes_back(service: Streaming) -> None:
    hub = service.app.state.events.hub
    assert hub.publish_to_user("lea", "reminder", {}) is False
    async with service.stream("lea", "/users/me/events") as one, service.stream("lea", "/users/me/events") as two:
        await one.next("ready")
        await two.next("ready")
        assert hub.publish_to_user("lea", "reminder", {"number": 1}) is True
        for stream in (one, two):
            assert await stream.next() == ("reminder", {"number": 1})
    hub.publish_to_user("lea", "reminder", {"number": 2})
    async with service.stream("lea", "/users/me/events", one.last_id) as stream:
        assert await stream.next() == ("ready", {"resumed": True})
        assert await stream.next() == ("reminder", {"number": 2})
    async with service.stream("lea", "/users/me/events", "1") as stream:
        assert await stream.next() == ("ready", {"resumed": False})
    assert (await service.call(None, "GET", "/users/me/events")).status_code == 401
