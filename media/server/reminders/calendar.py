"""Spaces as iCalendar (RFC 5545), for calendars that people have already.

A canceled Space is said with the method CANCEL and a higher SEQUENCE, by which a calendar finds what it holds
under the same UID and strikes it out (RFC 5546, section 3.2.5).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from icalendar import Alarm, Calendar, Event, vCalAddress

from media.space.reminders import LEAD
from media.space.space import Space
from media.space.states import State

MEDIA_TYPE: Final = "text/calendar"
LENGTH: Final = timedelta(hours=1)
"""What a calendar is told of how long a Space lasts, which nobody knows; the median is 50 minutes."""

_STATUS: Final = {State.CANCELED: "CANCELLED"}


def calendar_of(space: Space, base: str, now: float) -> bytes:
    """Write a Space that has a time to start; ``base``: the address of this server, ending with a slash."""
    method = "CANCEL" if space.state is State.CANCELED else "PUBLISH"
    return calendar_with([entry_of(space, base, now)], method)


def calendar_with(entries: Iterable[bytes], method: Literal["PUBLISH", "CANCEL"] = "PUBLISH") -> bytes:
    """Write a calendar of entries as :func:`entry_of` writes them."""
    calendar = Calendar()
    calendar.add("prodid", "-//Spaces Lab//Spaces//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    head, end, tail = calendar.to_ical().partition(b"END:VCALENDAR")
    return b"".join((head, *entries, end, tail))


def entry_of(space: Space, base: str, now: float) -> bytes:
    """Write the entry of a Space; empty for one that has no time to start."""
    start = space.scheduled_start
    if start is None:
        return b""
    event = Event()
    event.add("uid", f"{space.id}@spaces-lab")
    event.add("dtstamp", _time(now))
    event.add("sequence", space.sequence)
    event.add("dtstart", _time(start))
    event.add("duration", LENGTH)
    event.add("summary", space.title or f"Space of {space.host}")
    event.add("url", f"{base}s/{space.id}")
    event.add("status", _STATUS.get(space.state, "CONFIRMED"))
    organizer = vCalAddress(f"{base}users/{space.host}")
    organizer.params["CN"] = space.host
    event.add("organizer", organizer)
    if space.state is State.SCHEDULED:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", space.title or f"Space of {space.host}")
        alarm.add("trigger", timedelta(seconds=-LEAD))
        event.add_component(alarm)
    return event.to_ical()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
