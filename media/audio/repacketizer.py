"""Several encoded frames in one Opus packet (RFC 6716 §3.2), without decoding or encoding anything.

A listener who takes packets of 40 or 60 ms costs the relay a half or a third of the sends. The frames are those
that everyone else gets, so a room is still encoded once, whatever its listeners asked for.
"""

from collections.abc import Sequence

LARGEST = 1_276
"""Bytes of a joined packet at most: what a row of the crowd holds, and an Ethernet frame besides."""


def joinable(first: bytes, second: bytes) -> bool:
    """Whether two packets of one frame each may share a packet: mode, bandwidth, length and channels agree."""
    return first[0] == second[0] and first[0] & 3 == 0


def join(packets: Sequence[bytes]) -> bytes:
    """One packet with the frames of all, which are pairwise ``joinable``; a single packet is returned as it is."""
    if len(packets) == 1:
        return packets[0]
    if len(packets) == 2 and len(packets[0]) == len(packets[1]):
        return b"".join((bytes((packets[0][0] | 1,)), packets[0][1:], packets[1][1:]))
    head = bytearray((packets[0][0] | 3, 0x80 | len(packets)))  # code 3, frames of any length
    for packet in packets[:-1]:
        size = len(packet) - 1
        head += bytes((size,)) if size < 252 else bytes((252 + (size & 3), (size - 252 - (size & 3)) // 4))
    return bytes(head) + b"".join(packet[1:] for packet in packets)
