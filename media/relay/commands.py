"""What the control plane may ask of a relay, done to its core: the texts of clients are read here.

Runs on the media thread, so that a command and its answer need no second thread; what a client may make it read
is bounded by :data:`media.rtc.sdp.LINES_MAX`.
"""

import time
from typing import Any

from media.relay.core import RelayCore
from media.relay.plane import OfferError
from media.relay.stats import RelayStats
from media.rtc.description import SdpError
from media.rtc.sdp import parse_sdp
from media.rtc.sdpfrag import parse_fragment

COMMANDS = (
    *("open_room", "close_room", "add_session", "restart_ice", "rename_session", "drop_session"),
    *("drop_participant", "let_talk", "mute", "record", "feed", "follow", "cut", "read_stats"),
)
"""By which name each may be asked for."""


class Commands:
    """Every method of :class:`media.relay.plane.RelayPlane` that does something, without the waiting."""

    def __init__(self, core: RelayCore) -> None:
        self._core = core

    def run(self, command: str, *arguments: Any) -> Any:
        """Do what is asked by name; what it raises is the caller's to hear."""
        if command not in COMMANDS:
            raise RuntimeError(f"There is no command {command!r}.")
        return getattr(self if hasattr(self, command) else self._core, command)(*arguments)

    def add_session(self, room: str, participant: str, session: str, offer: str) -> str:
        """Answer an SDP offer."""
        try:
            description = parse_sdp(offer)
            description.require_answerable()
        except SdpError as error:
            raise OfferError(str(error)) from error
        return self._core.add_session(room, participant, session, description, time.monotonic())

    def restart_ice(self, session: str, fragment: str) -> str:
        """Answer an ICE restart."""
        try:
            parsed = parse_fragment(fragment)
        except SdpError as error:
            raise OfferError(str(error)) from error
        return self._core.restart_ice(session, parsed, time.monotonic())

    def read_stats(self) -> RelayStats:
        """A copy of the counters."""
        return self._core.snapshot()
