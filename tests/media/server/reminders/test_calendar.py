"""Calendar files as another library's parser reads them, and as RFC 5545 asks for them byte by byte."""

from datetime import UTC, datetime, timedelta

from icalendar import Calendar

from tests.media.server.service import Service

TITLE = "Ask; us, anything\\ " + "é🎙" * 20


async def calendar(service: Service, name: str, path: str) -> tuple[Calendar, bytes]:
    response = await service.call(name, "GET", path)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(response.content), response.content


async def scheduled(service: Service, title: str = TITLE) -> tuple[str, datetime]:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    body = {"scheduled_start": start.isoformat(), "title": title[:70]}
    return (await service.ok("ana", "POST", "/spaces", json=body))["id"], start


async def test_a_space_as_an_entry(service: Service) -> None:
    space, start = await scheduled(service)
    read, raw = await calendar(service, "ben", f"/spaces/{space}/calendar.ics")
    (event,) = read.walk("VEVENT")
    assert (read["METHOD"], read["VERSION"], event["STATUS"], event["SEQUENCE"]) == (
        "PUBLISH",
        "2.0",
        "CONFIRMED",
        0,
    )
    assert event["UID"] == f"{space}@spaces-lab"
    assert event["SUMMARY"] == TITLE[:70]
    assert event.decoded("DTSTART") == start
    assert str(event["URL"]).endswith(f"/s/{space}")
    (alarm,) = event.walk("VALARM")
    assert (alarm["ACTION"], alarm.decoded("TRIGGER")) == ("DISPLAY", timedelta(minutes=-30))
    assert raw.endswith(b"END:VCALENDAR\r\n") and b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 75, "octets of a line, RFC 5545 section 3.1"
    unfolded = raw.replace(b"\r\n ", b"")
    assert b"SUMMARY:Ask\\; us\\, anything\\\\ " in unfolded, "TEXT escaped, section 3.3.11"
    assert b"TRIGGER:-PT30M" in unfolded


async def test_a_moved_and_a_canceled_space_change_the_entry(service: Service) -> None:
    space, start = await scheduled(service, "Launch")
    later = start + timedelta(days=1)
    await service.ok("ana", "POST", f"/spaces/{space}/schedule", json={"scheduled_start": later.isoformat()})
    read, _ = await calendar(service, "ben", f"/spaces/{space}/calendar.ics")
    (event,) = read.walk("VEVENT")
    assert (event["SEQUENCE"], event.decoded("DTSTART")) == (1, later)
    await service.ok("ana", "POST", f"/spaces/{space}/cancel")
    read, _ = await calendar(service, "ben", f"/spaces/{space}/calendar.ics")
    (event,) = read.walk("VEVENT")
    assert (read["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 2)
    assert event["UID"] == f"{space}@spaces-lab" and not event.walk("VALARM")


async def test_ones_own_calendar(service: Service) -> None:
    wanted, _ = await scheduled(service, "wanted")
    await scheduled(service, "another")
    await service.ok("ben", "PUT", f"/users/me/reminders/{wanted}")
    assert titles((await calendar(service, "ben", "/users/me/calendar.ics"))[0]) == {"wanted"}
    assert titles((await calendar(service, "ana", "/users/me/calendar.ics"))[0]) == {"wanted", "another"}
    assert titles((await calendar(service, "cem", "/users/me/calendar.ics"))[0]) == set()


async def test_what_has_no_time_has_no_entry(service: Service) -> None:
    draft = (await service.ok("ana", "POST", "/spaces", json={}))["id"]
    assert (await service.call("ana", "GET", f"/spaces/{draft}/calendar.ics")).status_code == 409
    assert (await service.call("ana", "GET", "/spaces/nowhere/calendar.ics")).status_code == 404
    assert (await service.call(None, "GET", f"/spaces/{draft}/calendar.ics")).status_code == 401


def titles(calendar: Calendar) -> set[str]:
    return {str(event["SUMMARY"]) for event in calendar.walk("VEVENT")}
