"""Reminders over HTTP, and Spaces as calendar files."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from media.server.addresses import base_of
from media.server.auth import Named
from media.server.paging import Paged
from media.server.profiles import PageMeta
from media.server.reminders.calendar import MEDIA_TYPE, calendar_of, calendar_with, entry_of
from media.server.reminders.ledger import Ledger
from media.server.reminders.service import Reminders
from media.server.reminders.shapes import ReminderList, ReminderOut
from media.server.routes import SEEN, GuardHere, SpacesHere, VisibilityHere, problems
from media.space.errors import WrongStateError
from media.space.reminders import LEAD, Reminder
from media.space.space import Space
from media.space.states import State

router: Final = APIRouter(tags=["Reminders"], dependencies=[*SEEN])
FEED: Final = 1000
"""Spaces in a person's calendar, at most."""
_CALENDAR: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A calendar (RFC 5545).", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
}


async def _reminders(request: Request) -> Reminders:
    return request.app.state.reminders


async def _ledger(request: Request) -> Ledger:
    return request.app.state.ledger


RemindersHere = Annotated[Reminders, Depends(_reminders)]
LedgerHere = Annotated[Ledger, Depends(_ledger)]


@router.put("/users/me/reminders/{space_id}", responses=problems(403, 404, 409))
async def set_reminder(
    space_id: str, who: Named, spaces: SpacesHere, guard: GuardHere, reminders: RemindersHere
) -> ReminderOut:
    """Be reminded of a scheduled Space: half an hour before it is to start, and when it starts.

    Also when it is given another time, and when it is canceled. It is told as event `reminder` on
    `GET /users/me/events`, and by Web Push to the browsers of `POST /users/me/push-subscriptions`.
    """
    space = await spaces.get(space_id)
    await guard.know(space.host)
    guard.check_entry(space, who.name)
    return _show(space, await reminders.add(space, who.name))


@router.delete("/users/me/reminders/{space_id}", status_code=204, responses=problems(404))
async def delete_reminder(space_id: str, who: Named, spaces: SpacesHere, reminders: RemindersHere) -> None:
    """Do not be reminded of a Space; one that there is no reminder of is as well."""
    await reminders.discard(await spaces.get(space_id), who.name)


@router.get("/users/me/reminders", responses=problems(422))
async def list_reminders(
    who: Named, page: Paged, spaces: SpacesHere, visibility: VisibilityHere, ledger: LedgerHere
) -> ReminderList:
    """List one's own reminders, the earliest Space first; those of Spaces that have started are gone.

    Of Spaces whose host has blocked the caller nothing is said, here or when their time comes.
    """
    found = await ledger.of_user(who.name, page.after_time(), page.limit)
    shown, following = page.cut(found, [f"{reminder.start!r} {space_id}" for space_id, reminder in found])
    wishes = dict(shown)
    there = await visibility.shown([await spaces.get(space_id) for space_id in wishes], who.name)
    data = [_show(space, wishes[space.id]) for space in there]
    return ReminderList(data=data, meta=PageMeta(result_count=len(data), next_token=following))


@router.get("/users/me/calendar.ics", response_class=Response, responses=problems() | _CALENDAR)
async def my_calendar(
    who: Named, request: Request, spaces: SpacesHere, visibility: VisibilityHere, ledger: LedgerHere
) -> Response:
    """Show the scheduled Spaces that one hosts or wants to be reminded of, as a calendar."""
    reminders = await ledger.of_user(who.name, None, FEED)
    wanted = await visibility.shown([await spaces.get(space_id) for space_id, _ in reminders], who.name)
    hosted = [s for s in spaces.in_memory if s.host == who.name and s.state is State.SCHEDULED]
    both = {space.id: space for space in (*wanted, *hosted)}
    entry = partial(entry_of, base=base_of(request), now=spaces.clock())
    return _file(calendar_with(await spaces.slices.map(entry, both.values())), "spaces")


@router.get(
    "/spaces/{space_id}/calendar.ics",
    response_class=Response,
    responses=problems(404, 409) | _CALENDAR,
)
async def space_calendar(space_id: str, request: Request, spaces: SpacesHere) -> Response:
    """Show a Space as an entry for calendars, with an alarm half an hour before.

    Fetched again after it was given another time, or canceled, it changes the entry that a calendar has.
    """
    space = await spaces.get(space_id)
    if space.scheduled_start is None:
        raise WrongStateError("This Space has no time to start, and so no place in a calendar.")
    return _file(calendar_of(space, base_of(request), spaces.clock()), space.id)


def _show(space: Space, reminder: Reminder) -> ReminderOut:
    start = space.scheduled_start
    return ReminderOut.of(space, reminder, None if start is None else start - LEAD)


def _file(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.ics"', "Cache-Control": "no-cache"}
    return Response(content, media_type=f"{MEDIA_TYPE}; charset=utf-8", headers=headers)
