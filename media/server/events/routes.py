"""Streams over HTTP: who may follow a Space or their own news, and from where on."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request, Response

from media.server.auth import Caller, Named, NamedOrNobody
from media.server.client_address import counted_address
from media.server.events.document import OVER, PERSON_EVENTS, SPACE_EVENTS, stream
from media.server.events.frame import parse_id
from media.server.events.reader import Reader
from media.server.events.service import EventService
from media.server.events.stream import HEADERS, EventStream
from media.server.room.readers import Readable
from media.server.routes import problems

router: Final = APIRouter(tags=["Events"])


class Desk:
    """What a stream needs beside its events; one for each request."""

    def __init__(self, request: Request) -> None:
        service: EventService = request.app.state.events
        self.hub, self._places, self._counters = service.hub, service.places, service.counters
        self._scope = request.scope
        self._only_head = request.method == "HEAD"

    def reader(self, who: Caller | None) -> Reader:
        """Make the reader of a caller."""
        return Reader(None) if who is None else Reader(who.name, until=who.until)

    def answer(self, reader: Reader, begin: Callable[[], bool], end: Callable[[Reader], None]) -> Response:
        """Answer with a stream, which ``begin`` fills and ``end`` is told of; 204 if there is none.

        :raises Problem: 429, there are too many
        """
        if self._only_head:
            response = Response(headers=HEADERS)
            del response.headers["content-length"]  # there is no telling
            return response
        address = counted_address(self._scope, named=reader.person is not None)
        keys = self._places.take(reader.person, address)
        if not begin():
            self._places.give(keys)
            return Response(status_code=204)

        def done(reader: Reader) -> None:
            self._places.give(keys)
            if reader.dropped:
                self._counters.dropped.inc()
            end(reader)

        return EventStream(reader, self._observe, done)

    def _observe(self, since: float) -> None:
        self._counters.delivery.observe(self.hub.age(since))


DeskHere = Annotated[Desk, Depends(Desk)]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="the `id` of the last event that was read: what came after it is sent, or all anew",
    ),
]


@router.get(
    "/spaces/{space_id}/events",
    response_class=Response,
    responses=problems(402, 403, 404, 422, 429) | stream(SPACE_EVENTS) | OVER,
)
async def follow_space(
    space: Readable, who: NamedOrNobody, desk: DeskHere, last_event_id: LastEventId = None
) -> Response:
    """Follow a Space by Server-Sent Events; without a token where it has `anonymous_listening`.

    The first event is `space`, then come `requests` to host and co-hosts, `you`, and `pulse`; after that, whatever
    changes. With `Last-Event-ID` only what was missed comes, if that is still known. The stream ends when the
    Space does, when the reader is removed, blocked or suspended, when the token expires, and for readers too slow
    to keep up. Reactions are sums, and the crowd is a number: nobody is told more for there being more people.
    """
    reader, after = desk.reader(who), parse_id(last_event_id)
    return desk.answer(
        reader,
        lambda: desk.hub.follow(space, reader, after),
        lambda reader: desk.hub.unfollow(space.id, reader),
    )


@router.get(
    "/users/me/events",
    response_class=Response,
    responses=problems(403, 422, 429) | stream(PERSON_EVENTS),
)
async def attend(who: Named, desk: DeskHere, last_event_id: LastEventId = None) -> Response:
    """Follow one's own news by Server-Sent Events: invitations, answers, reminders, and who is live.

    The first event is `ready`. News are stored by nobody: who was away for more than a minute reads the lists.
    """
    reader, after = desk.reader(who), parse_id(last_event_id)

    def begin() -> bool:
        desk.hub.attend(reader, after)
        return True

    return desk.answer(reader, begin, desk.hub.unattend)
