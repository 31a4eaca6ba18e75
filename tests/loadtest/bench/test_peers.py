"""The rivals of the peers benchmark: stock aiortc, and Debian's Janus in a network of its own."""

import asyncio
import subprocess
import sys

from rich.progress import Progress

from loadtest.bench.rivals import stock
from loadtest.bench.rivals.streaming import as_answer
from loadtest.bench.stand import join_at
from media.rtc.client import Client
from media.rtc.sdp import parse_sdp
from tests.media.rtc.pair import identity


async def test_aiortc_sends_every_listener_fifty_packets_a_second_and_is_billed_for_it():
    async with stock.stage() as stage:
        with Progress(disable=True) as progress:
            timings = await join_at(stage.engine, [stage.whep], 2, 20.0, progress)
        before = stage.cpu_seconds()
        assert all(each.first_packet_ms > 0 for each in timings)
        while stage.engine.totals()["received"] < 150:  # three members; the test's own timeout ends it else
            await asyncio.sleep(0.05)
        assert stage.cpu_seconds() > before
        assert stage.engine.totals()["rejected"] == 0


def test_offer_becomes_the_answer_to_a_server_that_offers_itself():
    own, theirs = Client(identity(1), "recvonly"), Client(identity(0), "sendrecv")
    answer = as_answer(
        own.offer, theirs.offer.replace("a=mid:0", "a=mid:sound").replace("BUNDLE 0", "BUNDLE sound")
    )
    described, offered = parse_sdp(answer), parse_sdp(own.offer)
    assert described.audio.setup == "active" and described.audio.direction == "recvonly"
    assert described.audio.mid == "sound" and described.bundle == ["sound"]
    assert described.audio.pwd == offered.audio.pwd
    assert described.audio.fingerprints == offered.audio.fingerprints


def test_missing_janus_is_one_sentence_that_says_how_to_get_it(tmp_path):
    command = [sys.executable, "-m", "loadtest.bench", "peers", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("janus is not installed: apt-get install")
    assert done.stdout == ""
