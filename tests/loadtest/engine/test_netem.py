"""A bad network loses and delays what it is told to, and with the same seed always the same packets."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.engine.netem import BurstLoss, Loss, Netem, UniformLoss

MANY = 100_000


def fates(loss: Loss, seed: int = 1, count: int = MANY) -> list[bool]:
    rng = np.random.default_rng(seed)
    return [loss.lost(rng) for _ in range(count)]


def bursts(lost: list[bool]) -> list[int]:
    return [len(list(run)) for bad, run in groupby(lost) if bad]


@pytest.mark.parametrize("share", [0.01, 0.03, 0.05, 0.1, 0.3])
def test_uniform_loss_loses_its_share_one_by_one(share: float):
    lost = fates(UniformLoss(share))
    assert np.mean(lost) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / MANY))
    assert np.mean(bursts(lost)) == pytest.approx(1 / (1 - share), rel=0.05)


@pytest.mark.parametrize("share", [0.01, 0.03, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("burst", [1.5, 3.0, 8.0])
def test_burst_loss_loses_its_share_in_bursts_of_geometric_length(share: float, burst: float):
    lost = fates(BurstLoss(share, burst))
    lengths = bursts(lost)
    spread = np.sqrt(burst * (burst - 1) + burst**2)  # of a renewal reward: each burst brings its own length
    assert np.mean(lost) == pytest.approx(share, abs=5 * spread * np.sqrt(share / burst / MANY))
    assert np.mean(lengths) == pytest.approx(burst, rel=5 / np.sqrt(len(lengths)))
    longer = np.mean([length > 1 for length in lengths])
    assert longer == pytest.approx(1 - 1 / burst, abs=5 * 0.5 / np.sqrt(len(lengths)))


def test_bursts_too_short_for_their_share_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"bursts of 1 packets in the mean cannot lose 60% of all packets"):
        BurstLoss(0.6, 1.0)


def arrivals(path: Netem, count: int = 500) -> list[float | None]:
    return [path.send(0.02 * number) for number in range(count)]


def test_same_seed_same_network():
    def make(seed: int) -> list[float | None]:
        return arrivals(Netem(seed, BurstLoss(0.1), delay=0.03, jitter=0.05))

    assert make(7) == make(7) != make(8)


def test_no_loss_no_delay_no_jitter_passes_everything_at_once():
    assert arrivals(Netem(1)) == [0.02 * number for number in range(500)]


@given(
    seed=st.integers(0, 1 << 32),
    delay=st.floats(0, 0.5),
    jitter=st.floats(0, 0.5),
    gaps=st.lists(st.floats(0, 0.1), min_size=1, max_size=50),
    reorders=st.booleans(),
)
def test_each_packet_takes_the_delay_and_at_most_the_jitter(
    seed: int, delay: float, jitter: float, gaps: list[float], reorders: bool
):
    path, now, latest = Netem(seed, delay=delay, jitter=jitter, reorders=reorders), 0.0, 0.0
    for gap in gaps:
        now += gap
        arrival = path.send(now)
        assert arrival is not None
        assert now + delay <= arrival + 1e-9
        assert arrival <= max(now + delay + jitter, 0.0 if reorders else latest) + 1e-9
        if not reorders:
            assert arrival >= latest, "nobody overtakes"
        latest = max(latest, arrival)
    assert path.sent == len(gaps)
    assert path.lost == 0


def test_jitter_is_spread_evenly_and_reorders_if_it_may():
    path = Netem(3, delay=0.01, jitter=0.1, reorders=True)
    times = [(path.send(0.02 * number) or 0.0) for number in range(20_000)]
    extra = np.array(times) - 0.02 * np.arange(20_000) - 0.01
    assert np.quantile(extra, [0.25, 0.5, 0.75]) == pytest.approx([0.025, 0.05, 0.075], abs=0.003)
    assert np.mean(np.diff(times) < 0) == pytest.approx(0.32, abs=0.02)  # (0.1 − 0.02)² / (2 · 0.1²)


def test_what_a_network_does_may_change_while_packets_are_under_way():
    path = Netem(1, jitter=0.2)
    before = path.send(1.0)
    assert before is not None
    path.jitter = 0.0
    assert path.send(1.001) == max(before, 1.001), "behind the one that is still on its way"
    path.reorders = True
    assert path.send(1.002) == 1.002
    path.loss = UniformLoss(1.0)
    assert path.send(1.003) is None
    assert (path.sent, path.lost) == (4, 1)
