"""When a relay that has ended is started again: at once the first time, later and later if it does not last."""

BACKOFF = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a relay that ended is started again, by how often it has ended in a row; then always the last."""
STEADY = 60.0
"""Seconds a relay must have lived for its next end to count as the first."""


def restart_delay(failures: int) -> float:
    """Seconds to wait before the next start of a relay that has ended ``failures`` times before, 0 or more."""
    return BACKOFF[min(failures, len(BACKOFF) - 1)]
