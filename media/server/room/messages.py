"""Messages: what is written while people speak."""

from typing import Final

from fastapi import APIRouter

from media.server.auth import Named
from media.server.paging import Paged
from media.server.profiles import PageMeta
from media.server.room.readers import Readable
from media.server.room.shapes import MessageList, MessageOut, NewMessage
from media.server.routes import SEEN, SessionsHere, SpacesHere, problems
from media.space.notes import Message
from media.space.space import Events, Space

router: Final = APIRouter(prefix="/spaces/{space_id}", tags=["In the room"])


@router.post("/messages", status_code=201, responses=problems(403, 404, 409, 422, 429), dependencies=[*SEEN])
async def send_message(
    space_id: str, body: NewMessage, who: Named, spaces: SpacesHere, sessions: SessionsHere
) -> MessageOut:
    """Write to everyone who is there; whoever is connected under a name may.

    A Space takes 20 messages a second (429 with `Retry-After`), and keeps the last 100.
    """
    sent: list[Message] = []

    def step(space: Space, now: float) -> Events:
        events = space.say(who.name, body.text, now, present=sessions.present(space.id, who.name))
        sent.append(space.notes.messages[-1])
        return events

    await spaces.act(space_id, step)
    return MessageOut.of(sent[0])


@router.get("/messages", responses=problems(403, 404, 422))
async def list_messages(space: Readable, page: Paged) -> MessageList:
    """List the last messages, newest first, for whoever may listen."""
    before = page.after_number()
    found = [m for m in reversed(space.notes.messages) if before is None or m.number < before]
    shown, following = page.cut(found, [m.number for m in found])
    return MessageList(
        data=[MessageOut.of(m) for m in shown], meta=PageMeta(result_count=len(shown), next_token=following)
    )
