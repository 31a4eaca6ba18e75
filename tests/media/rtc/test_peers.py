"""Records of the peers of a port."""

from media.rtc.inbox import key_of
from media.rtc.peers import Peers
from media.rtc.srtp import AES_128_GCM, SrtpContext

ADDRESS = ("127.0.0.9", 4000)
KEY = key_of(ADDRESS)


class Holder:
    entry = -1


def test_a_link_is_known_until_it_is_not():
    peers = Peers()
    peers.link(KEY)
    assert peers.records[peers.addresses.get(KEY)]["linked"]
    peers.unlink(KEY)
    assert peers.addresses.get(KEY) == -1
    assert not peers.records["used"].any()


def test_a_link_from_the_address_of_a_peer_leaves_the_peer_alone():
    peers, holder = Peers(), Holder()
    context = SrtpContext(AES_128_GCM, bytes(28))
    peers.expect(holder, ("fragment", "a password of some length"))
    peers.admit(holder, ADDRESS, context, ssrc=7, talks=False, now=1.0)
    peers.link(KEY)
    peers.unlink(KEY)
    assert peers.addresses.get(KEY) == holder.entry
    assert peers.records[holder.entry]["ssrc"] == 7
    context.close()
