"""``python -m loadtest.bench NAME [--json]``: run a benchmark; ``--json`` makes the last line one JSON object.

Without a name it lists them all.
"""

import argparse
import asyncio
import gc
import sys

import httpx
from rich.console import Console

from loadtest.bench import (
    api,
    attack,
    bottlenecks,
    captions,
    codec,
    delay,
    doorman,
    end_all,
    events,
    fanout,
    fleet,
    forward,
    join,
    memory,
    mix,
    moderation,
    peers,
    ptime,
    raid,
    recording,
    relays,
    revoke,
    seal,
    sound,
    start,
    triage,
)
from loadtest.bench.caller import CallError
from loadtest.bench.result import Result
from loadtest.engine.member import JoinError
from loadtest.lab import LabError
from loadtest.venue import VenueError

BENCHES = {
    "fanout": fanout,
    "ptime": ptime,
    "join": join,
    "memory": memory,
    "delay": delay,
    "sound": sound,
    "doorman": doorman,
    "events": events,
    "seal": seal,
    "peers": peers,
    "mix": mix,
    "relays": relays,
    "revoke": revoke,
    "end_all": end_all,
    "codec": codec,
    "forward": forward,
    "api": api,
    "attack": attack,
    "start": start,
    "recording": recording,
    "raid": raid,
    "captions": captions,
    "triage": triage,
    "moderation": moderation,
    "fleet": fleet,
    "bottlenecks": bottlenecks,
}


def main() -> int:
    """Run what the command line names; returns 1 if it could not be run, 0 whatever it found."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench", description=__doc__)
    names = parser.add_subparsers(dest="name", metavar="NAME")
    for name, bench in BENCHES.items():
        one = names.add_parser(name, help=bench.__doc__, description=bench.__doc__)
        one.add_argument("--json", action="store_true", help="print one JSON object on the last line")
        bench.options(one)
    chosen = parser.parse_args()
    if chosen.name is None:
        for name, bench in BENCHES.items():
            print(f"{name:10} {(bench.__doc__ or '').splitlines()[0]}")
        return 0
    bench = BENCHES[chosen.name]
    gc.freeze()
    try:
        figures = asyncio.run(bench.run(chosen))
    except (LabError, VenueError, JoinError, CallError, OSError, httpx.HTTPError) as error:
        print(str(error) or type(error).__name__, file=sys.stderr)
        return 1
    command = ["python", "-m", "loadtest.bench", *sys.argv[1:]]
    peers_found = bench.versions() if hasattr(bench, "versions") else {}
    result = Result(chosen.name, command, figures, bench.TARGETS, peers_found)
    result.show(Console(stderr=chosen.json))
    if chosen.json:
        print(result.to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
