"""The core of the streams, driven by hand: numbers, what is remembered, who sees what, what a pulse adds up to."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.server.events.broadcast import Broadcast
from media.server.events.channel import Channel, number_at
from media.server.events.frame import encode, parse_id
from media.server.events.reader import AGE, BEAT, Reader
from media.space.policy import SpeakPolicy
from media.space.reactions import Reaction
from media.space.space import Space
from tests.media.server.events.streaming import events_of


class Page:
    """A client in memory, which keeps what it reads and its last id, and can be cut off at any byte."""

    def __init__(self, person: str | None) -> None:
        self.person = person
        self.last: int | None = None
        self.seen: list[tuple[str, object]] = []
        self.reader = Reader(person)

    def read(self, share: float = 1.0) -> None:
        received = self.reader.take()
        whole = received[: int(len(received) * share)].rpartition(b"\n\n")[0]
        for number, name, data in events_of(whole):
            self.seen.append((name, data))
            if number is not None:
                assert self.last is None or number >= self.last
                self.last = number


steps = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.sampled_from(["all", "lea", "ben", "host", "moment"])),
        st.tuples(st.just("read"), st.just(None)),
        st.tuples(st.just("break"), st.floats(0, 1)),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 1e-7, 0.3, 2.0])),
    ),
    max_size=60,
)


@settings(max_examples=300)
@given(steps, st.integers(1, 12))
def test_whoever_comes_back_misses_nothing_and_reads_nothing_twice_or_is_told_to_begin_anew(
    script: list[tuple[str, object]], backlog: int
) -> None:
    now, count = 1_000.0, 0
    channel = Channel(now, backlog)
    channel.managers = frozenset({"ana"})
    page, expected = Page("lea"), list[object]()
    channel.add(page.reader)
    page.last = channel.last
    for what, how in [*script, ("break", 0.0)]:
        match what:
            case "publish":
                only = {"lea": ("lea",), "ben": ("ben",)}.get(str(how))
                managers, remember = how == "host", how != "moment"
                channel.publish("event", count, now, only=only, managers=managers, remember=remember)
                if how in ("all", "lea"):
                    expected.append(count)
                count += 1
            case "read":
                page.read()
            case "wait":
                now += float(str(how))
            case _:
                page.read(float(str(how)))
                channel.discard(page.reader)
                page.reader = Reader("lea")
                frames = channel.missed(page.last or 0, "lea")
                if frames is None:  # too long away: all that is shown is read anew, and counts from here on
                    page.seen.clear()
                    expected.clear()
                    page.last = channel.last
                else:
                    for frame in frames:
                        page.reader.put(frame, now)
                channel.add(page.reader)
    page.read()
    moments = {data for name, data in page.seen} - set(expected)
    assert [data for _, data in page.seen if data not in moments] == expected
    assert len(page.seen) == len({data for _, data in page.seen})


@given(st.floats(1.6e9, 2.5e9), st.integers(0, 300))
def test_a_number_from_before_a_restart_is_never_continued_from(at: float, published: int) -> None:
    before = Channel(at)
    for _ in range(published):
        before.publish("event", {}, at)
    after = Channel(at + 0.001)
    assert before.last < 2**53
    assert after.missed(before.last, None) is None
    assert after.missed(after.last + 1, None) is None, "nor one that this channel has not given out yet"


def test_the_encoded_event_is_one_object_for_all() -> None:
    channel = Channel(0.0)
    readers = [Reader(f"p{n}") for n in range(3)]
    for reader in readers:
        channel.add(reader)
    channel.publish("event", {"a": 1}, 0.0)
    frames = [reader.take() for reader in readers]
    assert frames[0] is frames[1] is frames[2]


def test_a_slow_reader_is_dropped_and_the_others_are_not() -> None:
    channel, cut = Channel(0.0), list[str]()
    slow, quick = Reader("slow", limit=1_000), Reader("quick", limit=1_000)
    slow.cut = lambda: cut.append("slow")
    quick.cut = lambda: cut.append("quick")
    channel.add(slow)
    channel.add(quick)
    read = 0
    for number in range(100):
        channel.publish("event", {"number": number}, 0.0)
        read += len(events_of(quick.take()))
    assert (read, cut, slow.dropped, slow.idle) == (100, ["slow"], True, True)
    late = Reader("late")
    late.put(b"x", 0.0)
    late.put(b"x", AGE)
    assert not late.dropped
    late.put(b"x", AGE + 0.1)
    assert late.dropped


def test_a_silent_reader_hears_a_comment_and_an_expired_one_the_end() -> None:
    reader = Reader("lea", until=100.0)
    reader.put(b"x", 0.0)
    reader.take()
    reader.tick(BEAT - 0.1)
    assert reader.idle
    reader.tick(BEAT)
    assert reader.take() == b":\n\n"
    reader.tick(99.9)
    assert not reader.finished
    reader.tick(100.0)
    assert reader.finished


@given(st.lists(st.tuples(st.sampled_from(list(Reaction)), st.sampled_from([0.0, 0.01, 0.2, 0.6])), max_size=200))
def test_pulses_add_up_to_every_reaction_and_are_at_most_two_a_second(
    reactions: list[tuple[Reaction, float]],
) -> None:
    now = 1_000.0
    space = _live(now)
    broadcast, page = Broadcast(space, now), Page("lea")
    broadcast.greet(page.reader, False, None, now)
    begun, due = now, now + 0.5
    for kind, wait in reactions:
        space.reactions.add(kind)
        now += wait
        while due <= now:
            broadcast.pulse(due)
            due += 0.5
    broadcast.pulse(due)
    page.read()
    pulses = [data for name, data in page.seen if name == "pulse"][1:]
    told = sum((Counter(dict(pulse)["reactions"]) for pulse in pulses), Counter())
    assert told == Counter(kind.value for kind, _ in reactions)
    assert len(pulses) <= 2 * (due - begun) + 1


def test_a_pulse_comes_only_if_something_is_different() -> None:
    now = 1_000.0
    space = _live(now)
    broadcast, page = Broadcast(space, now), Page(None)
    broadcast.greet(page.reader, False, None, now)
    page.read()

    def pulse() -> list[object]:
        nonlocal now
        now += 0.5
        page.seen.clear()
        broadcast.pulse(now)
        page.read()
        return [data for _, data in page.seen]

    assert pulse() == []
    space.arrive(now, 3)
    assert pulse() == [{"participant_count": 3, "listener_count": 3, "reactions": {}, "speaking": {}}]
    broadcast.hear({"ana": -20.04})
    broadcast.hear({})
    assert [dict(each)["speaking"] for each in pulse()] == [{"ana": -20.0}], "spoke, if only for a moment"
    assert [dict(each)["speaking"] for each in pulse()] == [{}]
    assert pulse() == []


def test_a_burst_of_changes_is_told_at_once_and_then_ten_times_a_second() -> None:
    now = 1_000.0
    space = _live(now)
    broadcast, page = Broadcast(space, now), Page("lea")
    broadcast.greet(page.reader, False, None, now)
    page.read()
    page.seen.clear()
    for _ in range(100):
        now += 0.01
        muted = space.people.named["ana"].muted_by_self
        broadcast.take(space.unmute("ana", "ana", now) if muted else space.mute("ana", "ana", now), now)
        if broadcast.due is not None and broadcast.due <= now:
            broadcast.update(now)
    broadcast.update(now + 1)
    page.read()
    assert 8 <= len(page.seen) <= 12
    last = dict(page.seen[-1][1])["data"][0]
    assert last["muted_by_self"] is space.people.named["ana"].muted_by_self


@pytest.mark.parametrize("text", [None, "", "-1", "1.0", "٣", "9" * 17, "1e3", " 1", "x"])
def test_what_is_no_number_of_ours_is_no_id(text: str | None) -> None:
    assert parse_id(text) is None


@given(st.text())
def test_whatever_is_written_is_one_line(text: str) -> None:
    [(number, name, data)] = events_of(encode("message", {"text": text}, 7))
    assert (number, name, data) == (7, "message", {"text": text})
    assert parse_id(str(number_at(1.7e9))) == number_at(1.7e9)


def _live(now: float) -> Space:
    space = Space("s", "ana", now)
    space.start("ana", now)
    return space


def test_a_cohost_named_while_away_is_told_of_the_queue_and_one_dropped_is_not() -> None:
    now = 1_000.0
    space = _live(now)
    space.set_speak_policy("ana", SpeakPolicy.EVERYONE, now)
    for person in ("ben", "cem"):
        space.ask(person, now, present=False)
    space.set_speak_policy("ana", SpeakPolicy.INVITED, now)
    space.promote("ana", "cem", now)
    space.ask("dan", now, present=False)
    broadcast, pages = Broadcast(space, now), [Page("ben"), Page("cem")]
    for page in pages:
        broadcast.greet(page.reader, False, None, now)
        page.read()
        broadcast.leave(page.reader)
    broadcast.take(space.demote("ana", "cem", now + 1), now + 1)
    broadcast.take(space.promote("ana", "ben", now + 2), now + 2)
    broadcast.take(space.ask("eva", now + 3, present=False), now + 3)
    for page in pages:
        page.seen.clear()
        page.reader = Reader(page.person)
        broadcast.greet(page.reader, False, page.last, now + 4)
        page.read()
    queues = [[len(dict(data)["data"]) for name, data in page.seen if name == "requests"] for page in pages]
    assert queues == [[1, 2], []]


def test_a_space_that_ends_ends_its_streams_and_nothing_follows() -> None:
    now = 1_000.0
    space = _live(now)
    broadcast, page = Broadcast(space, now), Page("lea")
    broadcast.greet(page.reader, False, None, now)
    broadcast.take(space.end("ana", now + 1), now + 1)
    space.reactions.add(Reaction.CLAP)
    broadcast.pulse(now + 2)
    page.read()
    assert [name for name, _ in page.seen] == ["space", "you", "pulse", "ended"]
    assert page.reader.finished and page.last is not None and page.last >= number_at(now + 1)
