"""What the readers of one Space are told, and when: changes at once, what changes all the time in pulses.

The crowd must not pay for its own size: however many react, join or talk over each other, a reader is sent at most
two pulses a second, and of stage, queue and attributes the newest state, at most ten times a second.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from media.server.events.channel import Channel
from media.server.events.frame import encode
from media.server.events.reader import Reader
from media.server.events.schema import EndedData, PulseData, YouData
from media.server.events.view import View, without_none

PULSE: Final = 0.5
"""Seconds between two pulses, at least."""
SETTLE: Final = 0.1
"""Seconds between two states of the same part, at least; the first after a quiet time is sent at once."""


class Broadcast:
    """The stream of a Space.  No I/O and no clock: driven by :class:`~media.server.events.hub.Hub`."""

    def __init__(self, view: View, now: float) -> None:
        """Begin with what the Space looks like now (Unix seconds)."""
        self.channel = Channel(now)
        self.channel.managers = view.managers
        self.speaking: dict[str, float] = {}
        """Who is audible, in dBov, as last told."""
        self.due: float | None = None
        """When :meth:`update` is to be called (Unix seconds); None if nothing has changed."""
        self._keys = view.keys
        self._updated = 0.0
        self._you: dict[str, YouData] = {}
        self._reactions: Counter[str] = Counter()
        self._pulse: PulseData | None = None

    def touch(self, now: float) -> None:
        """Note that something changed."""
        if self.due is None:
            self.due = max(now, self._updated + SETTLE)

    def update(self, view: View, now: float) -> None:
        """Tell what is different from the last time."""
        self.due, self._updated = None, now
        before, self._keys = self._keys, view.keys
        changed = {name for name, key in view.keys.items() if key != before[name]}
        new = view.managers - self.channel.managers
        self.channel.managers = view.managers
        publish = self.channel.publish
        if "space" in changed:
            publish("space", view.space, now)
        elif "stage" in changed:
            publish("stage", view.stage, now)
        if "pins" in changed and "space" not in changed:
            publish("pins", {"data": view.pins}, now)
        if "requests" in changed:
            publish("requests", view.requests, now, managers=True)
        elif new:
            publish("requests", view.requests, now, only=new)

    def tell(self, person: str, data: YouData, now: float) -> None:
        """Tell a person where they stand, if that is different from the last time."""
        if self._you.get(person) != data:
            self._you[person] = data
            self.channel.publish("you", without_none(data), now, only=(person,))

    def react(self, counts: Mapping[str, int]) -> None:
        """Keep reactions for the next pulse."""
        self._reactions.update(counts)

    def pulse(self, participants: int, listeners: int, now: float) -> None:
        """Tell counts, reactions since the last pulse, and who is audible, if any of it is different."""
        data = PulseData(
            participant_count=participants,
            listener_count=listeners,
            reactions=dict(self._reactions),
            speaking=self.speaking,
        )
        if data != self._pulse or self._reactions:
            self._reactions.clear()
            self._pulse = data.model_copy(update={"reactions": {}})
            self.channel.publish("pulse", data, now, remember=False)

    def end(self, data: EndedData, now: float) -> None:
        """Tell that the Space is over, and end every stream after that."""
        self.channel.publish("ended", data, now)
        for reader in list(self.channel):
            reader.finish()

    def greet(self, reader: Reader, view: View, where: YouData | None, after: int | None, now: float) -> None:
        """Bring a new reader up to date, and send it whatever comes from now on.

        :param where: where the person stands; None for somebody anonymous
        :param after: the last number that the reader has seen
        """
        channel = self.channel
        frames = None if after is None else channel.missed(after, reader.person)
        if frames is None:
            parts: list[tuple[str, object]] = [("space", view.space)]
            if reader.person in view.managers:
                parts.append(("requests", view.requests))
            if where is not None and reader.person is not None:
                parts.append(("you", without_none(where)))
            if self._pulse is not None:
                parts.append(("pulse", self._pulse))
            last = len(parts) - 1  # what is cut off before the end is to be sent anew: only the end has an id
            frames = [encode(*part, channel.last if n == last else None) for n, part in enumerate(parts)]
        elif self._pulse is not None:
            frames.append(encode("pulse", self._pulse))
        if where is not None and reader.person is not None:
            self._you.setdefault(reader.person, where)
        if frames:
            reader.put(b"".join(frames), now)
        channel.add(reader)

    def leave(self, reader: Reader) -> None:
        """Forget a reader."""
        self.channel.discard(reader)
        if reader.person is not None and reader.person not in self.channel.readers:
            self._you.pop(reader.person, None)
