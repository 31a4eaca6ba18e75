"""Who is told what, and each once: against a naive listener who keeps a diary, over schedules that change."""

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from media.space.policy import DAY
from media.space.reminders import LEAD, Notice, Plan, Reminder
from media.space.space import Space
from media.space.states import State

HOUR = 3600.0


@dataclass
class Listener:
    """Asks again and again, as a driver does after every restart."""

    reminder: Reminder | None
    diary: list[tuple[Notice, float]] = field(default_factory=list)

    def ask(self, space: Space, now: float) -> None:
        plan = Plan.of(space)
        for _ in range(3):
            if self.reminder is not None and (notice := self.reminder.due(plan, now)) is not None:
                self.diary.append((notice, now))
                self.reminder = self.reminder.told(notice, plan, now)


def scheduled(start: float) -> Space:
    space = Space("s", "ana", 0.0)
    space.schedule("ana", start, 0.0)
    return space


def test_half_an_hour_before_and_at_the_start() -> None:
    space, listener = scheduled(2 * HOUR), Listener(Reminder(0.0, 2 * HOUR))
    assert Plan.of(space).next_due(0.0) == 2 * HOUR - LEAD
    for now in (1.0, 2 * HOUR - LEAD - 1, 2 * HOUR - LEAD, 2 * HOUR - 1):
        listener.ask(space, now)
    space.start("ana", 2 * HOUR + 60)
    listener.ask(space, 2 * HOUR + 60)
    listener.ask(space, 3 * HOUR)
    assert listener.diary == [(Notice.SOON, 2 * HOUR - LEAD), (Notice.STARTED, 2 * HOUR + 60)]


def test_who_asks_late_is_told_of_the_start_alone() -> None:
    space, listener = scheduled(HOUR), Listener(Reminder(HOUR - LEAD, HOUR))
    for now in (HOUR - LEAD, HOUR - 1, HOUR):
        listener.ask(space, now)
    space.start("ana", HOUR)
    listener.ask(space, HOUR)
    assert listener.diary == [(Notice.STARTED, HOUR)]


def test_a_driver_that_was_away_does_not_say_soon_after_the_time() -> None:
    space, listener = scheduled(HOUR), Listener(Reminder(0.0, HOUR))
    listener.ask(space, HOUR)
    assert listener.diary == []


def test_another_time_is_told_and_reminded_of() -> None:
    space, listener = scheduled(HOUR), Listener(Reminder(0.0, HOUR))
    listener.ask(space, HOUR - LEAD)
    space.schedule("ana", 5 * HOUR, HOUR - 60)
    for now in (HOUR - 60, HOUR, 5 * HOUR - LEAD, 5 * HOUR - 1):
        listener.ask(space, now)
    told = [Notice.SOON, Notice.MOVED, Notice.SOON]
    assert listener.diary == list(zip(told, [HOUR - LEAD, HOUR - 60, 5 * HOUR - LEAD], strict=True))


def test_a_move_to_within_half_an_hour_is_reminder_enough() -> None:
    space, listener = scheduled(5 * HOUR), Listener(Reminder(0.0, 5 * HOUR))
    space.schedule("ana", HOUR + 600, HOUR)
    listener.ask(space, HOUR)
    listener.ask(space, HOUR + 300)
    assert listener.diary == [(Notice.MOVED, HOUR)]


def test_what_is_over_needs_no_reminder() -> None:
    space = scheduled(HOUR)
    space.start("ana", HOUR)
    space.end("ana", HOUR + 1)
    assert Plan.of(space).over
    assert Reminder(0.0, HOUR).due(Plan.of(space), HOUR + 2) is None


STEPS = st.lists(
    st.tuples(st.sampled_from(["wait", "wait", "move", "ask", "ask"]), st.floats(1.0, DAY)), max_size=25
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(asked=st.floats(0.0, DAY), steps=STEPS, ending=st.sampled_from(["start", "cancel"]))
def test_each_once_whatever_happens(asked: float, steps: list[tuple[str, float]], ending: str) -> None:
    now, start = asked, asked + 2 * DAY
    space = Space("s", "ana", now)
    space.schedule("ana", start, now)
    listener, times = Listener(Reminder(now, start)), [start]
    for what, amount in steps:
        if what == "move":
            start = now + amount
            space.schedule("ana", start, now)
            times.append(start)
        elif what == "wait":
            due = Plan.of(space).next_due(now)
            if due is not None and due <= now + amount:
                listener.ask(space, due)  # a driver that keeps the appointment
            now += amount
        else:
            listener.ask(space, now)
    if ending == "start":
        space.start("ana", now)
    else:
        space.cancel("ana", now)
    listener.ask(space, now)
    listener.ask(space, now + DAY)
    kinds = [notice for notice, _ in listener.diary]
    last = Notice.STARTED if ending == "start" else Notice.CANCELED
    assert kinds.count(last) == 1 and kinds[-1] is last and listener.reminder is None
    assert (Notice.CANCELED in kinds) is (space.state is State.CANCELED)
    assert kinds.count(Notice.SOON) <= len(times)
    assert kinds.count(Notice.MOVED) <= len(times) - 1
    for before, after in pairwise(kinds):
        assert not (before is Notice.SOON and after is Notice.SOON), "once for each time to start"
    assert all(any(t - LEAD <= at < t for t in times) for n, at in listener.diary if n is Notice.SOON)
