"""Listeners' reports: from the wire to the metrics and to the encoders."""

import numpy as np
import pytest

from media.audio.batch import Batch
from media.audio.opus import FRAME, has_fec
from media.relay.core import RelayCore
from media.relay.metrics import families
from media.relay.reception import reception, worst_losses
from media.relay.stats import RelayStats, total
from media.relay.stream import LOSS_MAX, LOSS_MIN, Stream
from media.rtc.crowd import Crowd
from media.rtc.peers import PEER
from media.rtc.rtcp import ReportBlock, build_receiver_report
from media.rtc.sdp import parse_sdp
from tests.media.audio.conftest import voice
from tests.media.relay.world import Member, World


def table(rows: list[tuple[int, float, float, float]]) -> np.ndarray:
    """Records of (group, loss, jitter, round trip), with some in between of peers who have not reported."""
    records = np.zeros(3 * len(rows) + 2, PEER)
    for place, (group, loss, jitter, trip) in enumerate(rows):
        record = records[3 * place + 1]
        record["reports"], record["group"], record["fraction"] = 1, group, loss
        record["jitter"], record["round_trip"] = jitter, trip
    return records


def says(world: World, member: Member, loss: float) -> None:
    """A listener reports on the stream it is sent."""
    transport = member.client.transport
    answer = world.core._peers[member.name].session.answer
    assert transport and transport.sender
    block = ReportBlock(parse_sdp(answer).audio.ssrc or 0, loss, 1, 1, 480, 0, 0)
    report = build_receiver_report(member.client.ssrc, (block,), "x")
    member.client.outbox.append(transport.sender.protect_rtcp(report))


def test_histograms_have_one_value_of_each_who_reported():
    found = reception(table([(1, 0.0, 0.001, np.nan), (1, 0.5, 0.003, 0.05), (2, 1.0, 2.0, 0.07)]))
    assert {name: sum(histogram.counts) for name, histogram in found.items()} == {
        "loss_ratio": 3,
        "jitter_seconds": 3,
        "round_trip_seconds": 2,
    }
    assert dict(found["loss_ratio"].cumulative())[0.5] == 2
    assert found["round_trip_seconds"].total == pytest.approx(0.12)


def test_nobody_has_reported():
    assert worst_losses(table([])) == {}
    assert sum(reception(table([]))["jitter_seconds"].counts) == 0


def test_worst_loss_is_the_ninetieth_percentile_of_each_group():
    rows = [(7, number / 100, 0.0, 0.0) for number in range(101)] + [(9, 0.25, 0.0, 0.0)]
    np.random.default_rng(1).shuffle(rows)
    assert worst_losses(table([(int(group), *rest) for group, *rest in rows])) == pytest.approx({7: 0.9, 9: 0.25})


def test_reports_show_in_the_metrics_of_listeners_who_are_there(world: World):
    world.speaker("ana", 440.0)
    listeners = [world.join(f"lea {number}", "recvonly") for number in range(3)]
    for _ in range(2):  # the first says where the others will come from
        for listener in listeners:
            says(world, listener, 0.25)
        world.run(0.04)
    assert world.core.snapshot().reports == 3
    stats = RelayStats(reception=world.core.snapshot().reception)
    samples = {
        (sample.name, sample.labels.get("le")): sample.value
        for family in families(stats)
        for sample in family.samples
        if sample.name.startswith("spaces_relay_listener_")
    }
    assert samples["spaces_relay_listener_loss_ratio_count", None] == 3
    assert samples["spaces_relay_listener_loss_ratio_sum", None] == pytest.approx(0.75)
    assert samples["spaces_relay_listener_jitter_seconds_bucket", "0.01"] == 3
    assert samples["spaces_relay_listener_round_trip_seconds_count", None] == 0
    world.core.drop_session(listeners[0].name)
    assert sum(world.core.snapshot().reception["loss_ratio"].counts) == 2


def test_several_relays_are_added_up_and_one_that_ended_is_not():
    stats = RelayStats(reception=reception(table([(1, 0.5, 0.01, 0.1)])))
    assert sum(total([stats, stats]).reception["loss_ratio"].counts) == 2
    assert sum(stats.past().reception["loss_ratio"].counts) == 0


def losses(core: RelayCore) -> dict[str, float]:
    """What each room's encoders reckon with; those of a silent room are not made yet."""
    return {name: room._full.open().expected_loss for name, room in core._rooms.items()}


def test_speech_gets_spare_copies_from_the_first_percent_of_loss_on():
    crowd = Crowd()
    batch = Batch()
    stream = Stream(crowd, batch)
    said = voice(4.0).reshape(-1, FRAME)

    def copies() -> int:
        sent = 0
        for tick, pcm in enumerate(said):
            stream.speak(pcm, FRAME * tick, None)
            rows, sizes = batch.run(crowd.payloads)
            sent += has_fec(bytes(crowd.payloads[rows[0], : sizes[0]]))
        return sent

    assert copies() == 0
    stream.expect_loss(1.0)
    assert copies() > 50
    stream.close()


def test_encoders_of_a_room_reckon_with_what_its_listeners_lose(world: World):
    world.core.open_room("other")
    speakers = [world.speaker("ana", 440.0), world.speaker("ben", 660.0)]
    listener = world.join("lea", "recvonly")
    assert losses(world.core) == {"room": 0.0, "other": 0.0}
    for loss, expected in ((0.125, 0.125), (0.125, 0.125), (0.02, LOSS_MIN), (0.9, LOSS_MAX), (0.0, 0.0)):
        for _ in range(2):
            says(world, listener, loss)
            world.run(0.02)
        world.run(1.0)
        assert losses(world.core) == pytest.approx({"room": expected, "other": 0.0}, abs=0.004)
        since = world.now + 0.1
        world.run(0.4)
        spare = [has_fec(packet.payload) for time, packet in listener.packets if time > since]
        assert any(spare) == (expected > 0), "copies for those who lose, and for nobody else"
    voice = world.core._rooms["room"]._voices[speakers[0].participant]
    assert voice.minus and voice.minus.open().expected_loss == 0.0
