"""A bad network, in numbers: which packets of a path are lost, and when the others arrive.

Pure: time goes in and comes out, and the same seed treats the same packets the same way. What carries the packets
(:mod:`loadtest.engine.probe`) keeps each until the time said here, so no privileges and no kernel modules are
needed. It is named after Linux's tc-netem, whose models of loss and jitter these are.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Loss(Protocol):
    """Decides about one packet after the other."""

    def lost(self, rng: np.random.Generator) -> bool:
        """The next packet is lost."""
        ...


@dataclass
class UniformLoss:
    """Each packet is lost with the same probability, whatever became of the others."""

    share: float
    """Of all packets, 0 to 1."""

    def lost(self, rng: np.random.Generator) -> bool:
        """The next packet is lost."""
        return bool(rng.random() < self.share)


class BurstLoss:
    """Losses that come in bursts: Gilbert's model, a two-state chain whose bad state loses everything.

    Elliott's extension, loss within the good state and survivors within the bad, is left at 0 and 1: two numbers
    that can be stated, the share and the mean burst, then say it all. A burst's length is geometric.
    """

    def __init__(self, share: float, burst: float = 3.0) -> None:
        """``share`` of all packets is lost (0 to below 1), in bursts of ``burst`` packets in the mean (1 or more).

        :raises ValueError: bursts so short cannot lose so much.
        """
        self._recover = 1.0 / burst
        self._fail = share * self._recover / (1.0 - share)  # so that the share of the bad state is ``share``
        if burst < 1.0 or self._fail > 1.0:
            raise ValueError(f"bursts of {burst:g} packets in the mean cannot lose {share:.0%} of all packets")
        self._share = share
        self._bad: bool | None = None

    def lost(self, rng: np.random.Generator) -> bool:
        """The next packet is lost."""
        draw = rng.random()
        if self._bad is None:  # the first packet meets the chain somewhere in its course
            self._bad = bool(draw < self._share)
        elif self._bad:
            self._bad = bool(draw >= self._recover)
        else:
            self._bad = bool(draw < self._fail)
        return self._bad


NO_LOSS = UniformLoss(0.0)


class Netem:
    """One direction of one path; driven with each packet that is sent into it.

    ``delay`` is what every packet takes, ``jitter`` the most that is added to it, evenly distributed and anew for
    each packet; both in seconds. Without ``reorders`` nobody overtakes, as in a queue: who would have been faster
    arrives together with the one before. All may be changed while packets are under way.
    """

    def __init__(
        self,
        seed: int,
        loss: Loss = NO_LOSS,
        delay: float = 0.0,
        jitter: float = 0.0,
        reorders: bool = False,
    ) -> None:
        self._rng = np.random.default_rng(seed)
        self.loss = loss
        self.delay = delay
        self.jitter = jitter
        self.reorders = reorders
        self.sent = 0
        self.lost = 0
        self._latest = float("-inf")

    def send(self, now: float) -> float | None:
        """When a packet that is sent at ``now`` arrives, in seconds on the same clock; None if it is lost."""
        self.sent += 1
        if self.loss.lost(self._rng):
            self.lost += 1
            return None
        arrival = now + self.delay + (self.jitter * self._rng.random() if self.jitter else 0.0)
        if not self.reorders:
            arrival = max(arrival, self._latest)
        self._latest = max(arrival, self._latest)
        return arrival
