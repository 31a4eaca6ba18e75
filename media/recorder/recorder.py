"""What a recorder does with what relays and the server say: no clock, no socket, files alone.

The server says which Space is to be recorded, where and under which key; the rings say who was heard. What is
heard in a Space that the server has not named is kept nowhere.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from media.recorder.space_recorder import SpaceRecorder
from media.recording.ring import MIX, Gone, Heard, Named, Ring, name_frame, packet_frame, read_frames

UNKNOWN_US: Final = 10_000_000
"""Microseconds for which a packet of nobody known is kept: longer than it takes to start another recorder."""

NOBODY: Final = "-"
"""In place of a Space, of a number that is free: no Space has that id."""


class Recorder:
    """Driven by :meth:`read`, by the server's messages and by time (microseconds, monotonic)."""

    def __init__(self, rings: Sequence[Ring], captions: Ring | None = None) -> None:
        """Take the rings of all relays, and the one of whoever writes captions."""
        self._rings, self._captions = rings, captions
        self._rooms: list[dict[int, str]] = [{} for _ in rings]
        self._speakers: list[dict[int, str]] = [{} for _ in rings]
        self._spaces: dict[str, SpaceRecorder] = {}
        self._captioned: dict[tuple[str, str], int] = {}
        """Number in the ring of captions of each speaker who consented."""
        self._numbers = 0
        self._unknown: list[tuple[int, Heard]] = []
        """Packets, with their ring, of which it is not known yet of whom they are."""

    def read(self) -> None:
        """Take what the relays have written."""
        for number, ring in enumerate(self._rings):
            if ring.unread:
                self._take(number, ring.read())

    def obey(self, message: dict[str, Any]) -> dict[str, Any]:
        """Do what the server asks, and answer."""
        space = str(message["space"])
        match message["do"]:
            case "begin":
                key = bytes.fromhex(message["key"])
                self._spaces[space] = SpaceRecorder(Path(message["folder"]), key, message["origin_us"])
            case "end":
                self.read()
                if recorder := self._spaces.pop(space, None):
                    recorder.end()
                self._captioned = {key: number for key, number in self._captioned.items() if key[0] != space}
            case "caption":
                self._caption(space, str(message["user"]), on=bool(message["on"]))
            case unknown:
                raise ValueError(f"There is no message {unknown!r}.")
        return {"done": message["number"]}

    def handle_timer(self, now_us: int) -> None:
        """Write what has waited long enough."""
        for recorder in self._spaces.values():
            recorder.handle_timer(now_us)

    @property
    def faults(self) -> dict[str, str]:
        """Why something is not written, by Space."""
        return {space: each.fault for space, each in self._spaces.items() if each.fault is not None}

    def end(self) -> None:
        """Write everything and close the files."""
        self.read()
        for recorder in self._spaces.values():
            recorder.end()
        self._spaces.clear()

    def _take(self, ring: int, data: bytes) -> None:
        rooms, speakers = self._rooms[ring], self._speakers[ring]
        for each in read_frames(data):
            match each:
                case Heard():
                    if not self._hear(ring, each):
                        self._unknown.append((ring, each))
                case Named(room=room, speaker=speaker, name=name):
                    (rooms if speaker == MIX else speakers)[room if speaker == MIX else speaker] = name
                    self._look_again()
                case Gone(room=room):
                    rooms[room] = NOBODY
                    self._unknown = [(n, h) for n, h in self._unknown if (n, h.room) != (ring, room)]
        if self._unknown:
            newest = self._unknown[-1][1].us
            self._unknown = [each for each in self._unknown if each[1].us > newest - UNKNOWN_US]

    def _hear(self, ring: int, heard: Heard) -> bool:
        """Take a packet; False if it is not known of whom it is."""
        space = self._rooms[ring].get(heard.room, "")
        if space == NOBODY:
            return True
        recorder = self._spaces.get(space)
        user_id = None if heard.speaker == MIX else self._speakers[ring].get(heard.speaker)
        if recorder is None or (user_id is None and heard.speaker != MIX):
            return False
        recorder.packet(user_id, heard)
        if user_id is not None and (space, user_id) in self._captioned:
            self._forward(space, user_id, heard)
        return True

    def _look_again(self) -> None:
        """Take what a recorder before this one has left in a ring, once this one knows of whom it is."""
        if self._unknown:
            self._unknown = [(ring, heard) for ring, heard in self._unknown if not self._hear(ring, heard)]

    def _caption(self, space: str, user: str, *, on: bool) -> None:
        if self._captions is None or not on:
            self._captioned.pop((space, user), None)
        elif (space, user) not in self._captioned:
            self._numbers = (self._numbers + 1) % MIX
            self._captioned[space, user] = self._numbers
            self._captions.write(name_frame(0, self._numbers, f"{space} {user}"))

    def _forward(self, space: str, user: str, heard: Heard) -> None:
        assert self._captions is not None
        self._captions.write(packet_frame(heard._replace(room=0, speaker=self._captioned[space, user])))
