"""Token buckets against what they promise: never more than a bucket and what has dripped into it since."""

from hypothesis import given
from hypothesis import strategies as st

from media.server.limits.buckets import Buckets, Rate
from media.server.limits.rates import kind_of, rates

steps = st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3)), max_size=60)


@given(steps, st.floats(0.1, 20), st.integers(1, 10))
def test_against_a_bucket_that_is_filled_and_emptied(
    asked: list[tuple[str, float]], per_second: float, burst: int
) -> None:
    rate, buckets, now = Rate("reads", per_second, burst), Buckets(), 100.0
    level = dict.fromkeys("ab", float(burst))
    for who, pause in asked:
        now += pause
        level = {each: min(burst, tokens + pause * per_second) for each, tokens in level.items()}
        verdict = buckets.take(who, rate, now)
        if abs(level[who] - 1) < 1e-6:  # whether there was one is a matter of the last digit
            level[who] -= verdict.retry == 0
            continue
        assert (verdict.retry == 0) == (level[who] > 1)
        if verdict.retry:
            assert abs(verdict.retry - (1 - level[who]) / per_second) < 1e-6
        else:
            level[who] -= 1
            assert abs(verdict.remaining - level[who]) < 1 + 1e-6
            assert abs(verdict.reset - (burst - level[who]) / per_second) < 1e-6


def test_who_waits_as_long_as_told_is_served() -> None:
    rate, buckets = Rate("writes", 3.0, 5), Buckets()
    verdicts = [buckets.take("ana", rate, 0.0) for _ in range(6)]
    assert [v.remaining for v in verdicts] == [4, 3, 2, 1, 0, 0] and not verdicts[4].retry
    assert buckets.take("ben", rate, 0.0).retry == 0, "each has a bucket of their own"
    assert buckets.take("ana", rate, verdicts[5].retry - 0.01).retry > 0
    assert buckets.take("ana", rate, verdicts[5].retry).retry == 0
    buckets.give_back("ana", rate)
    assert buckets.take("ana", rate, verdicts[5].retry).retry == 0


def test_what_is_remembered_is_bounded() -> None:
    rate, buckets = Rate("reads", 1.0, 4), Buckets(most=100)
    for number in range(1000):
        buckets.take(number, rate, 0.0)
    assert len(buckets) == 100
    for number in range(60):
        buckets.take("one", rate, 10.0 + number)
    assert len(buckets) == 1, "those that are full again are forgotten"


def test_kinds_of_requests() -> None:
    assert kind_of("GET", "/spaces/x") == kind_of("HEAD", "/tokens") == "reads"
    assert (
        kind_of("GET", "/spaces") == kind_of("HEAD", "/spaces/search") == kind_of("GET", "/2/spaces") == "lookups"
    )
    assert kind_of("GET", "/people/search") == kind_of("POST", "/spaces/x/campaigns") == "searches"
    assert kind_of("GET", "/spaces/x/campaigns") == "reads"
    assert kind_of("POST", "/spaces/x/whep") == "joins" and kind_of("DELETE", "/spaces/x/whep/1") == "writes"
    assert kind_of("GET", "/users/search") == "lookups" and kind_of("GET", "/users/ana") == "reads"
    assert kind_of("POST", "/spaces/x/reactions") == "reactions"
    assert kind_of("POST", "/tokens/refresh") == "tokens" and kind_of("PUT", "/users/me/suspension") == "writes"
    person, address = rates(50)
    assert all(address[kind].per_second > rate.per_second > 0 for kind, rate in person.items())
