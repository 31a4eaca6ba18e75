"""What every 20 ms bring: each room is mixed, then everyone is sent what is theirs."""

import logging
from collections.abc import Callable
from time import perf_counter

from media.audio.opus import FRAME
from media.relay.mixing import Mixing
from media.relay.plane import Levels, PlaneEvent
from media.relay.reception import worst_losses
from media.relay.room import Room
from media.relay.stats import RelayStats
from media.relay.thrift import Thrift
from media.rtc.peers import Peers
from media.rtc.rtp import CLOCK_RATE, ntp_time

logger = logging.getLogger(__name__)

TICK = 0.02
"""Seconds; one Opus frame of 960 samples at 48 kHz."""
LOSS_INTERVAL = 50
"""Ticks between two looks at what listeners lose, and at the time that is left: 1 s."""


class Ticker:
    """Driven by the media thread, with all rooms of the relay."""

    def __init__(
        self,
        rooms: dict[str, Room],
        mixing: Mixing,
        peers: Peers,
        stats: RelayStats,
        notify: Callable[[PlaneEvent], None],
    ) -> None:
        self._rooms, self._mixing, self._crowd, self._peers = rooms, mixing, mixing.crowd, peers
        self._stats, self._notify = stats, notify
        self._timestamp = 0
        self._thrift = Thrift()

    def tick(self, fd: int, now: float, wall: float) -> None:
        """Mix every room and fan out through the socket ``fd``.

        ``now`` is when this tick was due, which is what jitter buffers go by; ``wall`` is the Unix time.
        """
        start = perf_counter()
        self._mixing.hearing.hear(now, self._stats)
        needs = self._mixing.hearing.rooms["needs"].tolist()
        for room in self._rooms.values():
            self._attend(room, now, needs[room.place])
        self._stats.stages["decode"].observe(perf_counter() - start)
        self._mixing.mix(self._timestamp, self._stats)
        self._mixing.encode(self._timestamp, self._stats)
        mixed = perf_counter()
        self._crowd.send(fd)
        sent = perf_counter()
        late = sent - start  # both clocks of the sender reports go on while the crowd is served
        rtp_time = self._timestamp + int(late * CLOCK_RATE) & 0xFFFF_FFFF
        self._crowd.report(fd, ntp_time(wall + late), rtp_time)
        self._mixing.record(now, self._stats)
        for room in self._rooms.values():
            levels = room.levels()
            if levels is not None:
                self._notify(Levels(room.name, levels))
        self._timestamp += FRAME
        self._stats.ticks += 1
        if self._stats.ticks % LOSS_INTERVAL == 0:
            self._tell_losses()
            self._save()
        self._stats.stages["fan-out"].observe(sent - mixed)
        self._stats.stages["tick"].observe(perf_counter() - start)

    def _attend(self, room: Room, now: float, needs: int) -> None:
        """One room's part of a tick; a fault in it must not silence the others."""
        try:
            room.tick(now, self._timestamp, needs, self._stats)
        except Exception:
            self._stats.faults += 1
            logger.exception("room %s could not be mixed in this tick", room.name)
            room.silence()  # else the packets of the tick before would go out again, and sound like a buzzer

    def _save(self) -> None:
        """Spend less on encoding while there is little time, or as much as is good again."""
        if self._thrift.look(self._stats.cpu_seconds, LOSS_INTERVAL * TICK):
            self._mixing.streams.save(self._thrift.saving)
            logger.info("encoders take %s", "less time from now on" if self._thrift.saving else "their time again")

    def _tell_losses(self) -> None:
        """Let every room's encoders reckon with what its worst tenth of listeners lose."""
        losses = worst_losses(self._peers.records)
        for room in self._rooms.values():
            room.expect_loss(100 * losses.get(room.number, 0.0))
