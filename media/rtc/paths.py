"""The addresses of a session, and how much may be sent to each.

A check proves who made it and not where: its source can be forged, or somebody may have overheard it and sent it
again. So an address is sent at most :data:`AMPLIFICATION_MAX` times the bytes that came from it, until it has
proven that what is sent there arrives: by the answer to a check of ours, whose transaction nobody else can know,
or by the end of a handshake whose flights went nowhere else. A check that is sent again moves nothing.
"""

import secrets
from collections.abc import Iterator

from media.rtc.stun import Address

ADDRESSES_MAX = 8
"""Paths remembered for one session: someone who walks from network to network uses two or three at a time."""
AMPLIFICATION_MAX = 3
"""Bytes sent to an address for each that came from it, while it has proven nothing (RFC 9147 §5.1)."""
CHALLENGES_KEPT = 4
"""Transactions of our own that an answer from one address may still name."""
CHALLENGE_RETRIES = (0.2, 0.5, 1.5)
"""Seconds until a check of ours that has not been answered is sent again."""


class Path:
    """One address."""

    __slots__ = ("nominated", "proven", "received", "retries", "retry_at", "sent", "transactions")

    def __init__(self) -> None:
        self.received = self.sent = 0
        """Bytes; counted until it is proven."""
        self.proven = self.nominated = False
        self.transactions: list[bytes] = []
        self.retries = 0
        self.retry_at = float("inf")


class Paths:
    """All addresses of one session, the one used last at the end."""

    def __init__(self) -> None:
        self._paths: dict[Address, Path] = {}

    def __contains__(self, address: Address) -> bool:
        return address in self._paths

    def __iter__(self) -> Iterator[Address]:
        return iter([*self._paths])

    def __len__(self) -> int:
        return len(self._paths)

    def learn(self, address: Address, current: Address | None) -> Address | None:
        """Put a path last; returns the one that made room for it, if one had to.

        That is the oldest that has proven nothing, so that no forged source takes the place of a proven one.
        """
        path = self._paths.pop(address, None)
        self._paths[address] = path or Path()
        if path or len(self._paths) <= ADDRESSES_MAX:
            return None
        others = [each for each in self._paths if each not in (current, address)]
        oldest = next((each for each in others if not self._paths[each].proven), others[0])
        del self._paths[oldest]
        return oldest

    def receive(self, address: Address, size: int) -> None:
        """That many bytes came from there."""
        if path := self._paths.get(address):
            path.received += size

    def admit(self, address: Address, size: int) -> bool:
        """Whether that many bytes may be sent there now; they are then counted."""
        path = self._paths.get(address)
        if path is None:
            return False
        if not path.proven and path.sent + size > AMPLIFICATION_MAX * path.received:
            return False
        path.sent += size
        return True

    def proven(self, address: Address | None) -> bool:
        """What is sent there arrives."""
        path = self._paths.get(address) if address else None
        return path is not None and path.proven

    def prove(self, address: Address) -> None:
        """What was sent there has been answered."""
        if path := self._paths.get(address):
            path.proven, path.retry_at = True, float("inf")

    def nominate(self, address: Address) -> None:
        """The peer wants to be sent to there: what it proved some time ago it has to prove again.

        Otherwise a nomination that was overheard would move the sound back to where the peer has left.
        """
        path = self._paths[address]
        if not path.nominated:
            path.nominated, path.proven = True, False

    def elect(self, address: Address) -> bool:
        """Whether the path that has just answered was nominated."""
        path = self._paths[address]
        nominated, path.nominated = path.nominated, False
        return nominated

    def challenge(self, address: Address) -> bytes:
        """The transaction of a new check of ours."""
        transaction = secrets.token_bytes(12)
        path = self._paths[address]
        path.transactions = [*path.transactions[1 - CHALLENGES_KEPT :], transaction]
        return transaction

    def expect(self, address: Address, now: float, anew: bool) -> None:
        """Say when the check that was just sent is to be sent again; ``anew``: it is the first of several."""
        path = self._paths[address]
        path.retries = 0 if anew else path.retries + 1
        more = not path.proven and path.retries < len(CHALLENGE_RETRIES)
        path.retry_at = now + CHALLENGE_RETRIES[path.retries] if more else float("inf")

    def due(self, now: float) -> list[Address]:
        """Where a check of ours is to be sent again."""
        return [address for address, path in self._paths.items() if path.retry_at <= now]

    @property
    def next_retry(self) -> float:
        """When :meth:`due` has something."""
        return min((path.retry_at for path in self._paths.values()), default=float("inf"))

    def answered(self, address: Address, transaction: bytes) -> bool:
        """Whether an authentic answer from there is one to a check of ours; the path is then proven."""
        path = self._paths.get(address)
        if path is None or transaction not in path.transactions:
            return False
        path.transactions.clear()
        self.prove(address)
        return True
