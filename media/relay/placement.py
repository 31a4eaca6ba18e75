"""Which relay a room and a session go to, and which cascade links a room needs: pure decisions.

The server's :class:`media.relay.pool.RelayPool` and the planner's model of a fleet call the same functions.
"""

from collections.abc import Collection, Mapping

Way = tuple[int, str]
"""The relay that a cascade link leads to, and the participant it is for, empty for everyone."""

LISTENERS_PER_RELAY = 1500
"""Sessions until a room is spread to one more relay. A relay has one core for its media thread; `python -m
loadtest.bench fanout` says what a packet costs, and each listener gets 50 packets a second."""


def place_room(loads: Mapping[int, int], rooms: Mapping[int, int]) -> int | None:
    """The relay that is to mix a new room: the one with the fewest sessions, then rooms; None if there is none.

    ``loads``: relay to its sessions, of those that live. ``rooms``: relay to the rooms it mixes.
    """
    return min(loads, key=lambda relay: (loads[relay], rooms.get(relay, 0), relay), default=None)


def place_listener(home: int, having: Collection[int], loads: Mapping[int, int], limit: int) -> int:
    """The relay for one more listener of a room: its home until that is full, then the emptiest.

    A relay that has the room already comes before one that would have to be linked; beyond ``limit`` everywhere,
    the least loaded takes it. ``having``: relays that have the room, home included.
    """
    if loads[home] < limit:
        return home
    emptiest_with = min(having, key=lambda relay: (loads[relay], relay))
    if loads[emptiest_with] < limit:
        return emptiest_with
    emptiest = min(loads, key=lambda relay: (loads[relay], relay))
    return emptiest if loads[emptiest] < loads[emptiest_with] else emptiest_with


def move_room(sessions: Mapping[int, int], loads: Mapping[int, int], rooms: Mapping[int, int]) -> int | None:
    """The new home of a room whose relay was lost: where most of its sessions are, else as for a new room.

    ``sessions``: living relay to the room's sessions there. ``loads``, ``rooms``: see :func:`place_room`.
    """
    most = max(sessions, key=lambda relay: (sessions[relay], -relay), default=None)
    return place_room(loads, rooms) if most is None or not sessions[most] else most


def links_wanted(
    home: int | None, sessions: Mapping[Way, int], living: Collection[int], talkers: Collection[str]
) -> set[Way]:
    """The cascade links that a room needs: one to each other relay with sessions, one for each talker there.

    ``sessions``: how many there are by relay and participant. ``talkers``: participants who may talk.
    """
    if home is None:
        return set()
    elsewhere = {way for way, count in sessions.items() if count > 0 and way[0] != home and way[0] in living}
    return {(relay, "") for relay, _ in elsewhere} | {way for way in elsewhere if way[1] in talkers}
