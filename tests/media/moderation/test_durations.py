"""Medians and percentiles that a report states."""

import statistics

from hypothesis import given
from hypothesis import strategies as st

from media.moderation.durations import median, summary


def test_none_of_nothing() -> None:
    assert summary([]).median is None and median([]) is None and summary([]).count == 0


@given(st.lists(st.floats(0, 1e7), min_size=1))
def test_as_the_standard_library_says(durations: list[float]) -> None:
    found = summary(durations)
    assert found.median == statistics.median(durations) and found.longest == max(durations)
    assert found.p95 in durations
    assert sum(each <= found.p95 for each in durations) >= 0.95 * len(durations)
