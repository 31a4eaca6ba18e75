"""What a unit of work costs a core that never idles, from loads at which it still does.

Work that finds its core idle pays for waking it, and for caches that others have emptied. Of arrivals at random
the share that does so is the share of time in which the core is idle (Wolff, Poisson arrivals see time averages,
Operations Research 30, 1982). So the cost is a line over that share, and its start is the cost at the limit.
"""

from collections.abc import Sequence

import numpy as np

LEAST = 0.3
"""Of the smallest cost seen: less is no finding but noise."""


def cost_when_busy(costs: Sequence[float], busy: Sequence[float]) -> float:
    """Cost of a unit at a core that is always busy, in the unit of ``costs``.

    ``costs``: of a unit at each load; ``busy``: the share of the core's time that was used there, 0 to 1.
    """
    if len(costs) < 2 or max(busy) - min(busy) < 1e-6:
        return min(costs)
    slope, start = np.polyfit(1.0 - np.asarray(busy), costs, 1)
    return float(min(max(start, LEAST * min(costs)), min(costs))) if slope > 0 else float(np.mean(costs))
