"""The ring between relay and recorder against a queue: nothing lost, nothing torn, whatever the sizes."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from media.recording.ring import (
    HEAD,
    MIX,
    PACKET,
    PAGE,
    TICK,
    TICK_HEAD,
    Gone,
    Heard,
    Named,
    Ring,
    gone_frame,
    name_frame,
    read_frames,
)


def tick(us: int, *packets: Heard) -> bytes:
    body = b"".join(
        PACKET.pack(p.room, p.speaker, p.samples, len(p.payload), p.level) + p.payload for p in packets
    )
    return TICK_HEAD.pack(TICK_HEAD.size + len(body), TICK, us) + body


payloads = st.binary(min_size=1, max_size=60)
numbers = st.integers(0, 0xFFFE)
packets = st.builds(lambda *of: Heard(of[0], of[1], 0, of[2], of[3], of[4]), numbers, numbers | st.just(MIX),
                    st.integers(120, 5_760), st.integers(0, 127), payloads)  # fmt: skip


@given(st.lists(st.one_of(st.lists(packets, max_size=4), st.just("read")), max_size=60), st.integers(60, 700))
def test_a_ring_is_a_queue_that_refuses_what_does_not_fit(steps: list[list[Heard] | str], size: int) -> None:
    memory = memoryview(bytearray(PAGE + size))
    relay, recorder = Ring(memory), Ring(memory)
    waiting: deque[bytes] = deque()
    for us, step in enumerate(steps):
        if isinstance(step, str):
            assert recorder.read() == b"".join(waiting)
            waiting.clear()
            continue
        frame = tick(us, *step)
        room = size - sum(map(len, waiting))
        assert relay.write(frame) == (len(frame) <= room)
        if len(frame) <= room:
            waiting.append(frame)
        assert recorder.unread == sum(map(len, waiting))
    assert recorder.read() == b"".join(waiting)


@given(st.lists(packets, max_size=5), st.integers(0, 2**62), st.text(max_size=64), numbers)
def test_frames_say_what_they_were_made_of(said: list[Heard], us: int, name: str, room: int) -> None:
    data = name_frame(room, MIX, name) + tick(us, *said) + gone_frame(room)
    expected = [Named(room, MIX, name), *(heard._replace(us=us) for heard in said), Gone(room)]
    assert list(read_frames(data)) == expected


def test_another_recorder_goes_on_where_the_last_one_was() -> None:
    memory = memoryview(bytearray(PAGE + 500))
    relay = Ring(memory)
    assert relay.write(gone_frame(1)) and Ring(memory).read() == gone_frame(1)
    assert relay.write(gone_frame(2)) and Ring(memory).read() == gone_frame(2)
    assert Ring(memory).unread == 0 and HEAD.size == 8
