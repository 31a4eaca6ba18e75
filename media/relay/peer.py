"""One session in its room, as the relay's core keeps it."""

from media.relay.plane import DownReason
from media.relay.room import Room
from media.rtc.session import Session


class Peer:
    """What belongs to one session; ``entry`` and ``place`` are kept up to date by door and crowd."""

    __slots__ = (
        *("due", "entry", "frames", "name", "over", "participant"),
        *("place", "room", "session", "since", "up"),
    )

    def __init__(self, name: str, participant: str, room: Room, session: Session, now: float) -> None:
        self.name = name
        self.participant = participant
        self.room = room
        self.session = session
        self.since = now
        self.over: DownReason | None = None
        """Why it takes no command and no datagram any more, while it waits to be brought to its end."""
        self.frames = session.frames
        self.place = -1
        """Among those who are sent to, -1 for who hears nothing."""
        self.entry = -1
        """At the door."""
        self.up = False
        """The handshake is done."""
        self.due = float("inf")
        """The earliest entry of this peer in the timer queue."""
