"""A busy relay encodes cheaply before its ticks are late, and well again when it has time."""

import pytest

from media.audio.batch import Batch
from media.relay.stream import FEC_LEAST, LEAST, Stream, Streams
from media.relay.thrift import BUSY, EASY, Thrift
from media.rtc.crowd import Crowd
from tests.media.relay.world import World


def test_saving_begins_when_busy_and_ends_when_there_is_ample_time():
    thrift, cpu = Thrift(), 100.0
    thrift.look(cpu, 1.0)
    saving = []
    for share in (0.5, BUSY - 0.01, BUSY + 0.01, EASY + 0.01, 1.2, EASY - 0.01, BUSY - 0.01):
        cpu += share
        thrift.look(cpu, 1.0)
        saving.append(thrift.saving)
    assert saving == [False, False, True, True, True, False, False]


@pytest.mark.parametrize("loss", [0.0, 5.0])
def test_every_encoder_is_as_cheap_as_it_should_be_whenever_it_is_made(loss: float):
    crowd, batch, streams = Crowd(), Batch(), Streams()
    made = [Stream(crowd, batch, *each, streams) for each in ((2, 6), (0, 1))]
    for stream in made:
        stream.expect_loss(loss)
    usual, least = ([6, 1], [FEC_LEAST] * 2) if loss else ([2, 0], [LEAST] * 2)
    assert [stream.open().complexity for stream in made] == usual
    streams.save(True)
    made.append(Stream(crowd, batch, 2, 6, streams))
    made[-1].expect_loss(loss)
    assert [stream.open().complexity for stream in made] == [*least, least[0]]
    streams.save(False)
    assert [stream.open().complexity for stream in made] == [*usual, usual[0]]
    for stream in made:
        stream.close()


def test_relay_saves_by_its_own_cpu_time_and_is_heard_all_the_same(world: World):
    world.speaker("ana", 440.0)
    listener = world.join("lea", "recvonly")
    full = world.core._rooms["room"]._full
    full.expect_loss(5.0)
    complexities = []
    for share in (0.3, 0.9, 0.9, 0.7, 0.4, 0.4):
        for _ in range(50):
            world.core.stats.cpu_seconds += share * 0.02
            world.run(0.02)
        complexities.append(full.open().complexity)
    assert complexities[:1] + complexities[2:4] + complexities[-1:] == [6, FEC_LEAST, FEC_LEAST, 6]
    since = world.now - 3.0
    assert len([time for time, _ in listener.packets if time > since]) >= 148
