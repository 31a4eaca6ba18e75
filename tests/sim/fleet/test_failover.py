"""A killed relay: who is silent for how long, and where they go."""

import numpy as np
import pytest

from media.relay.restarts import BACKOFF
from sim.fleet.failover import Failover, Outage, Retry, fail_over
from sim.fleet.join_path import TICK_S, JoinPath
from sim.fleet.spreading import Spreading
from sim.fleet.units import FleetError

PATH = JoinPath(server_s=0.002, relay_s=0.001, relays=3)


def killed(relay: int, outage: Outage | None = None, path: JoinPath = PATH, failures: int = 0) -> Failover:
    space = Spreading(3, 100)
    space.join(300)
    return fail_over(space, relay, path, outage or Outage(), Retry(), seed=1, failures=failures)


def test_silence_is_patience_and_a_turn_in_the_join_path() -> None:
    found = killed(2)
    assert len(found.silence_s) == 100 == found.attempts == sum(found.placed.values())
    assert found.others_s == 0
    assert 1.0 < found.silence_s.min() < 1.0 + 0.003 + 2 * TICK_S + 0.002
    assert found.silence_s.max() == pytest.approx(1.0 + 100 * 0.002, abs=3 * TICK_S)
    assert found.p50_s == pytest.approx(1.0 + 50 * 0.002, abs=3 * TICK_S)


def test_the_sessions_go_to_the_relays_that_live() -> None:
    found = killed(2)
    assert set(found.placed) == {0, 1}
    assert abs(found.placed[0] - found.placed[1]) <= 1


def test_who_joins_before_the_server_knows_tries_again_as_the_page_does() -> None:
    found = killed(2, Outage(patience_s=0.1, noticed_s=0.3))
    assert found.attempts == 200
    assert found.silence_s.min() > 0.1 + 0.25
    waits = [Retry().wait(tries, draw) for tries in range(10) for draw in (0.0, 0.999)]
    assert max(waits) == 15.0 and min(waits) == pytest.approx(0.25, abs=0.001)


def test_all_are_silent_until_a_space_that_lost_its_home_is_mixed_elsewhere() -> None:
    assert killed(0, Outage(noticed_s=0.05, moved_s=0.2)).others_s == pytest.approx(0.25)


def test_a_relay_that_keeps_ending_is_back_later() -> None:
    outage = Outage(noticed_s=0.1, start_s=1.0)
    assert killed(1, outage).back_s == pytest.approx(1.1)
    assert killed(1, outage, failures=4).back_s == pytest.approx(1.1 + BACKOFF[4])


def test_one_relay_alone_serves_nobody_until_it_is_back() -> None:
    space = Spreading(1, 100)
    space.join(50)
    found = fail_over(space, 0, JoinPath(), Outage(patience_s=0.5, start_s=2.0), Retry(), seed=2)
    assert (found.silence_s > found.back_s).all()
    assert found.placed == {0: 50}


def test_a_smaller_share_of_a_slower_path_is_never_quicker() -> None:
    slow = killed(2, path=JoinPath(server_s=0.004, relay_s=0.001, relays=3))
    assert (np.sort(slow.silence_s) >= np.sort(killed(2).silence_s) - 1e-9).all()
    with pytest.raises(FleetError, match="0 or more seconds"):
        Outage(patience_s=-1)
