"""What the readers of one Space are told, and when: changes at once, what changes all the time in pulses.

The crowd must not pay for its own size: however many react, join or talk over each other, a reader is sent at most
two pulses a second, and of stage, queue and attributes the newest state, at most ten times a second.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from media.server.events.channel import Channel
from media.server.events.frame import encode
from media.server.events.reader import Reader
from media.server.events.schema import EndedData, MessageData, PulseData, SharedData, YouData
from media.server.events.view import View, without_none, you
from media.space.events import Events, MessageSent, PostShared, SpaceCanceled, SpaceEnded
from media.space.space import Space
from media.space.states import State

PULSE: Final = 0.5
"""Seconds between two pulses, at least."""
SETTLE: Final = 0.1
"""Seconds between two states of the same part, at least; the first after a quiet time is sent at once."""


class Broadcast:
    """The stream of a Space.  No I/O and no clock: driven by :class:`~media.server.events.hub.Hub`."""

    def __init__(self, space: Space, now: float) -> None:
        """Begin with what the Space looks like now (Unix seconds)."""
        self.space = space
        self.channel = Channel(now)
        self.due: float | None = None
        """When :meth:`update` is to be called (Unix seconds); None if nothing has changed."""
        self._view = View(space)
        self.channel.managers = self._view.managers
        self._updated = 0.0
        self._you: dict[str, YouData] = {}
        self._reactions: Counter[str] = Counter()
        self._levels: Mapping[str, float] = {}
        self._heard: dict[str, float] = {}
        self._pulse = self._reading()

    def take(self, events: Events, now: float) -> None:
        """Tell what happened, except what is due to be told a moment later."""
        for event in events:
            at = datetime.fromtimestamp(event.at, UTC)
            match event:
                case MessageSent(person=person, number=number, text=text):
                    data = MessageData(id=str(number), user_id=person, text=text, created_at=at)
                    self.channel.publish("message", data, now)
                case PostShared(person=person, post_id=post_id):
                    self.channel.publish("shared", SharedData(post_id=post_id, user_id=person, created_at=at), now)
                case SpaceEnded() | SpaceCanceled():
                    self.channel.publish("ended", _ended(self.space), now)
                    for reader in self.channel:
                        reader.finish()
                    return
                case _:
                    if self.due is None:
                        self.due = max(now, self._updated + SETTLE)
        if self.due is not None and self.due <= now:
            self.update(now)

    def update(self, now: float) -> None:
        """Tell what is different from the last time."""
        before, view = self._view, View(self.space)
        self.due, self._updated, self._view = None, now, view
        changed = {name for name, key in view.keys.items() if key != before.keys[name]}
        new = view.managers - self.channel.managers
        self.channel.managers = view.managers
        publish = self.channel.publish
        if "space" in changed:
            publish("space", view.space, now)
        else:
            if "stage" in changed:
                publish("stage", view.stage, now)
            if "pins" in changed:
                publish("pins", view.pins, now)
        if "requests" in changed:
            publish("requests", view.requests, now, managers=True)
        elif new:
            publish("requests", view.requests, now, only=new)
        if not self.space.anonymous_listening:
            for reader in self.channel.of((None,)):
                reader.finish()

    def tell(self, person: str, present: bool, now: float) -> None:
        """Tell a person where they stand, if they read and it is different from the last time."""
        if person in self.channel.readers:
            data = you(self.space, person, present)
            if self._you.get(person) != data:
                self._you[person] = data
                self.channel.publish("you", without_none(data), now, only=(person,))

    def hear(self, levels: Mapping[str, float]) -> None:
        """Take who is audible now, and how loud (dBov)."""
        self._levels = {person: round(level, 1) for person, level in levels.items()}
        for person, level in self._levels.items():
            self._heard[person] = max(level, self._heard.get(person, level))

    def pulse(self, now: float) -> None:
        """Tell counts, reactions since the last pulse, and who was audible since, if any of it is different."""
        self._reactions.update(self.space.reactions.take(now))
        data = self._reading()
        if data != self._pulse:
            self.channel.publish("pulse", data, now, remember=False)
        self._reactions.clear()
        self._heard = dict(self._levels)
        self._pulse = data.model_copy(update={"reactions": {}})

    def greet(self, reader: Reader, present: bool, after: int | None, now: float) -> None:
        """Bring a new reader up to date, and send it whatever comes from now on.

        :param present: whether the person is connected to the sound
        :param after: the last number that the reader has seen
        """
        channel, person = self.channel, reader.person
        if not channel.readers:  # nobody was told what came while nobody was here
            self.space.reactions.take(now)
            self._pulse = self._reading()
        if self.due is not None:
            self.update(now)
        where = None if person is None else you(self.space, person, present)
        if person is not None and where is not None:
            self._you.setdefault(person, where)
        frames = None if after is None else channel.missed(after, person)
        if frames is None:
            self._view.space.participant_count = self.space.participant_count
            self._view.space.listener_count = self.space.listener_count
            parts: list[tuple[str, object]] = [("space", self._view.space)]
            if person in channel.managers:
                parts.append(("requests", self._view.requests))
            if where is not None:
                parts.append(("you", without_none(where)))
            frames = [encode(*part) for part in parts]
        # The id comes last: what is cut off in the middle is sent anew, from the beginning.
        frames.append(encode("pulse", self._reading(), channel.last))
        reader.put(b"".join(frames), now)
        channel.add(reader)

    def leave(self, reader: Reader) -> None:
        """Forget a reader."""
        self.channel.discard(reader)
        if reader.person is not None and reader.person not in self.channel.readers:
            self._you.pop(reader.person, None)

    def _reading(self) -> PulseData:
        return PulseData(
            participant_count=self.space.participant_count,
            listener_count=self.space.listener_count,
            reactions=dict(self._reactions),
            speaking=dict(self._heard),
        )


def farewell(space: Space, reader: Reader, number: int, now: float) -> None:
    """Show a Space that is over to somebody who comes late."""
    reader.put(encode("space", View(space).space) + encode("ended", _ended(space), number), now)
    reader.finish()


def _ended(space: Space) -> EndedData:
    called_off = space.state is State.CANCELED and space.end_reason not in ("not started", "enforcement")
    return EndedData(state=space.state, reason="canceled" if called_off else space.end_reason)
