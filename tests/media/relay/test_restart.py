"""ICE restarts: the listener walks to another network, and DTLS, SRTP and its place in the crowd stay."""

import pytest

from media.relay.plane import PlaneError
from media.rtc.freshness import LIFE_TIMEOUT
from media.rtc.inbox import key_of
from media.rtc.sdpfrag import parse_fragment, write_fragment
from media.rtc.stun import USE_CANDIDATE
from tests.media.relay.test_hostile import answers, check
from tests.media.relay.world import Member, World, hears


@pytest.fixture
def listener(world: World) -> Member:
    world.speaker("ana", 440.0)
    member = world.join("lea", "recvonly")
    world.run(0.5)
    return member


def restart(world: World, member: Member) -> str:
    """The client takes new credentials, the relay answers."""
    fragment = parse_fragment(member.client.restart())
    answer = world.core.restart_ice(member.name, fragment, world.now)
    assert answer
    return answer


def roam(member: Member) -> Member:
    """Put the client on another socket; returns who stands where it was."""
    other = Member("elsewhere", "nobody", "recvonly")
    member.socket, other.socket = other.socket, member.socket
    member.address, other.address = other.address, member.address
    return other


def test_sound_follows_to_another_network(world: World, listener: Member):
    transport, place = listener.client.transport, world.core._peers[listener.name].place
    old = roam(listener)
    world.run(0.3)
    answer = restart(world, listener)
    listener.client.accept_restart(answer, world.now)
    world.run(0.1)
    since = world.now
    world.run(0.5)
    assert hears(listener, 440.0, since)
    assert listener.client.transport is transport
    assert world.core._peers[listener.name].place == place
    old.socket.close()
    world.run(40.0)
    assert not world.downs()
    assert world.core.snapshot().checks > 5, "checks with the new credentials are answered at the door"


def test_old_credentials_are_good_until_the_new_ones_nominate(world: World, listener: Member):
    session = world.core._peers[listener.name].session
    (ufrag, password), before = session.credentials, world.core.snapshot().checks
    restart(world, listener)
    new_ufrag, new_password = session._credentials[1]
    assert len(answers(world, [check(new_ufrag, new_password)], ("203.0.113.1", 1))) == 1, "without nomination"
    assert len(answers(world, [check(ufrag, password)], ("203.0.113.1", 1))) == 1
    assert session.address == listener.address
    world.deliver(check(ufrag, password), listener.address)
    world.run(0.02)
    assert world.core.snapshot().checks == before + 1
    nomination = check(new_ufrag, new_password, (USE_CANDIDATE, b""))
    assert len(answers(world, [nomination], ("203.0.113.1", 2))) == 2, "an answer, and a check in return"
    assert session.credentials == (new_ufrag, new_password)
    assert session.address == listener.address, "until the new one has answered"
    assert answers(world, [check(ufrag, password)], ("203.0.113.1", 1)) == []
    assert world.core.snapshot().dropped["STUN for no session"] == 1


def test_fragment_of_the_same_ice_session_restarts_nothing(world: World, listener: Member):
    client = listener.client
    trickled = parse_fragment(write_fragment(client._ufrag, client._pwd, "0", 111))
    assert world.core.restart_ice(listener.name, trickled, world.now) == ""
    restarted = parse_fragment(client.restart())
    assert world.core.restart_ice(listener.name, restarted, world.now)
    assert world.core.restart_ice(listener.name, restarted, world.now) == ""


def test_restart_that_is_never_used_changes_nothing(world: World, listener: Member):
    fragment = parse_fragment(write_fragment("never", "u" * 22, "0", 111))
    for number in range(3):
        other = parse_fragment(write_fragment(f"never{number}", "u" * 22, "0", 111))
        assert world.core.restart_ice(listener.name, other, world.now)
    assert world.core.restart_ice(listener.name, fragment, world.now)
    assert world.core._demux.fragments == 3, "one of the speaker, two of the listener"
    since = world.now
    world.run(30.0)
    assert hears(listener, 440.0, since)
    world.core.drop_session(listener.name)
    assert world.core._demux.fragments == world.core._demux.paths == 1


def test_restart_gives_a_lost_client_time_to_come_back(world: World, listener: Member):
    listener.gone = True
    world.run(LIFE_TIMEOUT - 7.0)
    answer = restart(world, listener)
    world.run(LIFE_TIMEOUT - 2.0)
    assert world.downs() == []
    listener.gone = False
    listener.client._deadline = world.now + LIFE_TIMEOUT
    listener.client.accept_restart(answer, world.now)
    world.run(30.0)
    assert world.downs() == []


def test_session_that_has_ended_cannot_be_restarted(world: World, listener: Member):
    fragment = parse_fragment(listener.client.restart())
    world.core.drop_session(listener.name)
    with pytest.raises(PlaneError, match="not on this relay"):
        world.core.restart_ice(listener.name, fragment, world.now)
    assert world.core._demux.at(key_of(listener.address)) is None
