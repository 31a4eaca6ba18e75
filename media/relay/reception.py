"""What a crowd's receiver reports say together, from the table in which the door notes them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from media.relay.stats import BUCKETS, Histogram

WORST = 0.9
"""Encoders reckon with the loss that this share of a room's listeners stay below."""


def reception(records: NDArray[Any]) -> dict[str, Histogram]:
    """Histograms over the :data:`media.rtc.peers.PEER` who have reported, by the names of ``RECEPTION``."""
    heard = records["reports"] > 0
    trips = records["round_trip"][heard]
    return {
        "loss_ratio": _histogram(records["fraction"][heard]),
        "jitter_seconds": _histogram(records["jitter"][heard]),
        "round_trip_seconds": _histogram(trips[~np.isnan(trips)]),
    }


def worst_losses(records: NDArray[Any]) -> dict[int, float]:
    """For each group with reports, the share of packets that all but its worst tenth lose less than, or just."""
    heard = records["reports"] > 0
    losses, groups = records["fraction"][heard], records["group"][heard]
    order = np.lexsort((losses, groups))
    present, first, count = np.unique(groups[order], return_index=True, return_counts=True)
    worst = losses[order][first + (WORST * (count - 1)).astype(np.int64)]
    return dict(zip(present.tolist(), worst.tolist(), strict=True))


def _histogram(values: NDArray[np.float32]) -> Histogram:
    places = np.searchsorted(np.array(BUCKETS, np.float32), values)
    counts = np.bincount(places, minlength=len(BUCKETS) + 1)
    return Histogram(counts.tolist(), float(values.sum(dtype=np.float64)))
