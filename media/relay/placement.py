"""Which relay a room and a session go to: pure decisions over how many sessions each relay holds."""

from collections.abc import Collection, Mapping

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
