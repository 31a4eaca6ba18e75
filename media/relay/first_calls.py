"""The kernels that Python calls for one session, packet or voice, called once before anybody waits for them.

Where they are not compiled yet, the first join, the first packet or the first link would take the media thread
seconds, in which no tick runs and the relay seems to hang.
"""

from media.audio.speaker import Speakers
from media.relay.voice import Voice
from media.rtc.addresses import AddressTable
from media.rtc.rtp import RtpPacket, build_rtp, parse_rtp
from media.rtc.uplink import Uplink


def warm_first_calls() -> None:
    """Compile or load them."""
    addresses = AddressTable()
    addresses.put(1, 1)
    addresses.remove(1)
    Uplink().note(parse_rtp(build_rtp(RtpPacket(0, 0, 0, 0, b"\xf8"))), 0.0)
    voice = Voice(Speakers(1))
    _ = voice.asleep
    voice.close()
