"""Whether a measured run may be believed: a generator that was itself the bottleneck measures itself.

The verdict looks at the load generator's health and at whether there is anything to judge. It does not look
at how well the relay did: a slow relay is a result, a slow generator is a broken instrument.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits of a healthy generator."""

    cpu: float = 0.9
    """A second with more than this fraction of a core used by an engine counts as saturated."""
    saturated_share: float = 0.05
    """Share of saturated seconds that is tolerated."""
    loop_lag_p99_ms: float = 50.0
    """99th percentile of the engine's loop lag: two and a half packet intervals of 20 ms.

    In a run of less than 100 rows that is the second largest: one stall alone condemns no run."""
    unaccounted_share: float = 0.05
    """Share of the relay's packets that may be neither received nor counted as lost (joining, leaving)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Valid, or why not: each reason is one sentence."""

    valid: bool
    reasons: tuple[str, ...] = ()


DEFAULT = Thresholds()


def judge(clients: pl.DataFrame, relay: pl.DataFrame, limits: Thresholds = DEFAULT) -> Verdict:
    """Judge a measured run from its ``clients`` and ``relay`` tables (columns as in ``sim.schema``)."""
    if clients.is_empty() or relay.is_empty():
        empty = "generator" if clients.is_empty() else "relay"
        return Verdict(False, (f"the {empty} left no data",))
    received = int(clients["packets"].sum())
    if received == 0:
        return Verdict(False, ("no packet reached the generator",))
    reasons = [*_engine(clients, limits), *_buffers(clients), *_unaccounted(clients, relay, limits)]
    return Verdict(not reasons, tuple(reasons))


def _engine(clients: pl.DataFrame, limits: Thresholds) -> list[str]:
    reasons: list[str] = []
    saturated = float(np.mean(clients["generator_cpu"].to_numpy() > limits.cpu))
    if saturated > limits.saturated_share:
        reasons.append(
            f"the generator used more than {limits.cpu:.0%} of its core in {saturated:.0%} of the seconds "
            f"(limit {limits.saturated_share:.0%}): use more workers or fewer listeners"
        )
    lag = float(np.quantile(clients["loop_lag_ms"].to_numpy(), 0.99, method="lower"))
    if lag > limits.loop_lag_p99_ms:
        reasons.append(
            f"the generator's loop lagged {lag:.0f} ms at the 99th percentile "
            f"(limit {limits.loop_lag_p99_ms:.0f} ms)"
        )
    return reasons


def _buffers(clients: pl.DataFrame) -> list[str]:
    dropped = int(clients["rcvbuf_errors"].sum())
    if dropped == 0:
        return []
    return [f"{dropped} datagrams were lost in the generator's own receive buffers"]


def _unaccounted(clients: pl.DataFrame, relay: pl.DataFrame, limits: Thresholds) -> list[str]:
    """Compare what the relay sent with what the generator received or missed, over the time both cover."""
    times = clients["t"].to_numpy()
    sent = relay.filter(pl.col("t").is_between(times.min(), times.max()))["packets"].to_numpy()
    total = int(sent.sum())
    seen = int(clients["packets"].sum()) + int(clients["lost"].sum())
    slack = 2 * int(sent.max(initial=0))  # the two clocks cut seconds differently
    if total - seen <= limits.unaccounted_share * total + slack:
        return []
    return [f"the relay sent {total} packets and the generator accounts for only {seen} of them"]
