"""Erlang's formulas: what a queue does in the long run, without simulating it.

M/M/c: Poisson arrivals, exponential service, c servers, first come first served (A. K. Erlang, 1917). Used beside
the simulation of reviewers, and as its oracle where both assume the same.
"""

import math


def erlang_b(load: float, servers: int) -> float:
    """Probability that an arrival finds all servers busy and is lost; ``load`` in Erlang (arrivals × service)."""
    _check(load, servers)
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(load: float, servers: int) -> float:
    """Probability that an arrival has to wait; 1 where the load is not below the servers."""
    blocked = erlang_b(load, servers)
    return 1.0 if load >= servers else blocked / (1 - load / servers * (1 - blocked))


def mean_wait(load: float, servers: int, service_s: float) -> float:
    """Mean wait of all arrivals in seconds; infinite where the load is not below the servers."""
    return math.inf if load >= servers else erlang_c(load, servers) * service_s / (servers - load)


def wait_quantile(load: float, servers: int, service_s: float, q: float) -> float:
    """Wait in seconds that a share ``q`` of arrivals does not exceed."""
    if load >= servers:
        return math.inf
    waiting = erlang_c(load, servers)
    return 0.0 if waiting <= 1 - q else math.log(waiting / (1 - q)) * service_s / (servers - load)


def servers_for(load: float, service_s: float, wait_s: float, q: float = 0.95) -> int:
    """Fewest servers with which a share ``q`` of arrivals waits no longer than ``wait_s`` seconds."""
    servers = max(1, math.floor(load) + 1)
    while wait_quantile(load, servers, service_s, q) > wait_s:
        servers += 1
    return servers


def _check(load: float, servers: int) -> None:
    if load < 0 or servers < 1:
        raise ValueError(f"a load of {load} Erlang on {servers} servers is none; take 0 or more, and 1 or more")
