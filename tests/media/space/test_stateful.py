"""A Space under random inputs, compared with a reference that knows every face and nothing about speed.

The reference keeps one plain entry per person, the crowd included, and states the rules once more in the most
naive way. After every step the Space must agree with it about who is there, who may speak and who waits.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from media.space.errors import SpaceError
from media.space.events import MuteChanged, RightGranted, RightRevoked, SpaceEnded
from media.space.policy import Policy, SpeakPolicy
from media.space.record import from_record, to_record
from media.space.space import Events, Space
from media.space.states import State

POLICY = Policy(
    "test", speaker_seats=2, cohost_seats=1, grace=30, host_grace=100, empty_grace=70, denial_cooldown=60
)
NAMES = ["ana", "ben", "cem", "dag", "eve"]
person = st.sampled_from(NAMES)


@dataclass
class Face:
    here: bool = False
    role: str = ""
    """One of "", requested, invited, speaker, cohost, removed."""
    turn: int = 0
    followed: bool = False
    by_self: bool = False
    by_admin: bool = False
    lost: float | None = None
    denied_until: float = 0.0


class SpaceMachine(RuleBasedStateMachine):
    @initialize(speak_policy=st.sampled_from(SpeakPolicy))
    def begin(self, speak_policy: SpeakPolicy) -> None:
        self.now = 1_000.0
        self.space = Space("s", "host", self.now, policy=POLICY, speak_policy=speak_policy)
        self.faces = {name: Face() for name in NAMES}
        self.host_here = False
        self.unattended: float | None = self.now
        self.empty: float | None = self.now
        self.turn = 0
        self.ended = False
        self.talking: set[str] = set()
        self.silent: dict[str, bool] = {}
        self.hear(self.space.start("host", self.now))

    # What the outside learns from events alone must be the truth

    def hear(self, events: Events) -> None:
        for event in events:
            match event:
                case RightGranted(person=name):
                    assert name not in self.talking
                    self.talking.add(name)
                    self.silent[name] = True
                case RightRevoked(person=name):
                    self.talking.remove(name)
                case MuteChanged(person=name, by_self=by_self, by_admin=by_admin):
                    assert name in self.talking
                    self.silent[name] = by_self or by_admin
                case SpaceEnded():
                    self.talking.clear()
                case _:
                    pass

    def attempt(self, allowed: bool, step: Callable[[], Events]) -> bool:
        before, count = to_record(self.space), self.space.participant_count
        try:
            events = step()
        except SpaceError as refusal:
            assert not allowed, f"refused: {refusal}"
            assert (to_record(self.space), self.space.participant_count) == (before, count)
            return False
        assert allowed, "should have been refused"
        self.hear(events)
        return True

    # The naive rules

    def seats(self) -> int:
        return POLICY.speaker_seats - sum(f.role == "speaker" for f in self.faces.values())

    def seat(self, face: Face) -> None:
        face.role, face.by_self = "speaker", True

    def follow_up(self) -> None:
        waiting = sorted((f for f in self.faces.values() if f.role == "requested"), key=lambda f: f.turn)
        for face in waiting:
            policy = self.space.speak_policy
            entitled = policy is SpeakPolicy.EVERYONE or (policy is SpeakPolicy.FOLLOWING and face.followed)
            if entitled and self.seats() > 0:
                self.seat(face)
        if self.host_here or any(f.role == "cohost" and f.here for f in self.faces.values()):
            self.unattended = None
        elif self.unattended is None:
            self.unattended = self.now
        if self.host_here or any(f.here for f in self.faces.values()):
            self.empty = None
        elif self.empty is None:
            self.empty = self.now

    def live(self) -> bool:
        return not self.ended

    @precondition(live)
    @rule(here=st.booleans())
    def host_connects(self, here: bool) -> None:
        if here != self.host_here:
            step = self.space.join if here else self.space.drop
            self.attempt(True, lambda: step("host", self.now))
            self.host_here = here
            self.follow_up()

    @precondition(live)
    @rule(name=person)
    def join(self, name: str) -> None:
        face = self.faces[name]
        if not face.here and self.attempt(face.role != "removed", lambda: self.space.join(name, self.now)):
            face.here, face.lost = True, None
            self.follow_up()

    @precondition(live)
    @rule(name=person)
    def drop(self, name: str) -> None:
        face = self.faces[name]
        if face.here:
            self.attempt(True, lambda: self.space.drop(name, self.now))
            face.here = False
            face.lost = self.now if face.role in ("requested", "speaker", "cohost") else None
            self.follow_up()

    @precondition(live)
    @rule(name=person)
    def leave(self, name: str) -> None:
        face = self.faces[name]
        can = face.role not in ("", "removed") or (face.role == "" and face.here)
        if self.attempt(can, lambda: self.space.leave(name, self.now, present=face.here)):
            face.here, face.role, face.lost = False, "", None
            self.follow_up()

    @precondition(live)
    @rule(name=person, followed=st.booleans())
    def ask(self, name: str, followed: bool) -> None:
        face = self.faces[name]
        can = face.role == "" and self.now >= face.denied_until
        step = lambda: self.space.ask(name, self.now, present=face.here, followed=followed)  # noqa: E731
        if self.attempt(can, step):
            self.turn += 1
            face.role, face.turn, face.followed = "requested", self.turn, followed
            face.lost = None if face.here else self.now
            self.follow_up()

    @precondition(live)
    @rule(name=person)
    def withdraw(self, name: str) -> None:
        face = self.faces[name]
        if self.attempt(face.role == "requested", lambda: self.space.withdraw(name, self.now)):
            face.role, face.lost = "", None

    @precondition(live)
    @rule(name=person)
    def approve(self, name: str) -> None:
        face = self.faces[name]
        can = face.role == "requested" and self.seats() > 0
        if self.attempt(can, lambda: self.space.approve("host", name, self.now)):
            self.seat(face)

    @precondition(live)
    @rule(name=person)
    def deny(self, name: str) -> None:
        face = self.faces[name]
        if self.attempt(face.role == "requested", lambda: self.space.deny("host", name, self.now)):
            face.role, face.lost, face.denied_until = "", None, self.now + POLICY.denial_cooldown

    @precondition(live)
    @rule(name=person)
    def invite(self, name: str) -> None:
        face = self.faces[name]
        step = lambda: self.space.invite("host", name, self.now, present=face.here)  # noqa: E731
        if self.attempt(face.role == "", step):
            face.role, face.denied_until = "invited", 0.0

    @precondition(live)
    @rule(name=person, yes=st.booleans())
    def answer(self, name: str, yes: bool) -> None:
        face = self.faces[name]
        can = face.role == "invited" and (self.seats() > 0 or not yes)
        step = self.space.accept if yes else self.space.decline
        if self.attempt(can, lambda: step(name, self.now)):
            face.role = ""
            if yes:
                self.seat(face)
                face.lost = None if face.here else self.now

    @precondition(live)
    @rule(name=person)
    def promote(self, name: str) -> None:
        face = self.faces[name]
        can = face.role == "speaker" and not any(f.role == "cohost" for f in self.faces.values())
        if self.attempt(can, lambda: self.space.promote("host", name, self.now)):
            face.role = "cohost"
            self.follow_up()

    @precondition(live)
    @rule(name=person, by=st.sampled_from(["host", "self", None]))
    def step_down(self, name: str, by: str | None) -> None:
        face = self.faces[name]
        actor = name if by == "self" else by
        can = face.role in ("speaker", "cohost")
        if self.attempt(can, lambda: self.space.step_down(actor, name, self.now)):
            face.role, face.lost = "", None
            self.follow_up()

    @precondition(live)
    @rule(name=person, muted=st.booleans(), by_self=st.booleans())
    def mute(self, name: str, muted: bool, by_self: bool) -> None:
        face = self.faces[name]
        on_stage = face.role in ("speaker", "cohost")
        can = on_stage and not (by_self and not muted and face.by_admin)
        step = self.space.mute if muted else self.space.unmute
        if self.attempt(can, lambda: step(name if by_self else "host", name, self.now)):
            if by_self:
                face.by_self = muted
            else:
                face.by_admin = muted

    @precondition(live)
    @rule(name=person)
    def remove(self, name: str) -> None:
        face = self.faces[name]
        step = lambda: self.space.remove("host", name, self.now, present=face.here)  # noqa: E731
        if self.attempt(face.role != "removed", step):
            face.role, face.here, face.lost = "removed", False, None
            self.follow_up()

    @precondition(live)
    @rule(speak_policy=st.sampled_from(SpeakPolicy))
    def change_policy(self, speak_policy: SpeakPolicy) -> None:
        self.attempt(True, lambda: self.space.set_speak_policy("host", speak_policy, self.now))
        self.follow_up()

    @precondition(live)
    @rule(seconds=st.sampled_from([0.0, 1.0, 29.5, 30.0, 61.0, 120.0]))
    def wait(self, seconds: float) -> None:
        """Time passes, and the driver keeps every appointment that the Space asks for."""
        until = self.now + seconds
        while not self.ended and (due := self.space.next_timer()) is not None and due <= until:
            assert due >= self.now
            self.now = due
            for face in self.faces.values():
                if face.lost is not None and due >= face.lost + POLICY.grace:
                    face.role, face.lost, face.here = "", None, False
            self.hear(self.space.handle_timer(due))
            assert self.space.next_timer() is None or self.space.next_timer() > due  # type: ignore[operator]
            self.follow_up()
            alone = self.unattended is not None and due >= self.unattended + POLICY.host_grace
            self.ended = alone or (self.empty is not None and due >= self.empty + POLICY.empty_grace)
        self.now = until

    @precondition(live)
    @rule()
    def restart(self) -> None:
        """The process dies and another reads the record: nobody is connected, nothing else is forgotten."""
        self.space = from_record(to_record(self.space), self.now)
        self.host_here, self.unattended, self.empty = False, self.now, self.now
        for face in self.faces.values():
            face.here = False
            face.lost = self.now if face.role in ("requested", "speaker", "cohost") else None

    @precondition(live)
    @rule(by=st.sampled_from(["host", None, "ana"]))
    def end(self, by: str | None) -> None:
        if self.attempt(by != "ana", lambda: self.space.end(by, self.now)):
            self.ended = True

    @precondition(lambda self: self.ended)
    @rule(name=person)
    def nothing_moves_after_the_end(self, name: str) -> None:
        for step in (self.space.join, self.space.ask, self.space.drop, self.space.withdraw):
            self.attempt(False, lambda step=step: step(name, self.now))
        assert self.space.handle_timer(self.now + 1e6) == []

    # What must always hold

    @invariant()
    def the_state_is_as_expected(self) -> None:
        assert self.space.state is (State.ENDED if self.ended else State.LIVE)
        if self.ended:
            assert self.space.participant_count == 0
            assert self.space.next_timer() is None

    @invariant()
    def everyone_is_where_the_reference_says(self) -> None:
        if self.ended:
            return
        space, faces = self.space, self.faces
        assert space.participant_count == self.host_here + sum(f.here for f in faces.values())
        assert space.people.crowd >= 0
        stage = {n for n, f in faces.items() if f.role in ("speaker", "cohost")}
        assert {n for n in NAMES if space.may_speak(n)} == stage
        assert self.talking == stage | {"host"}
        waiting = sorted((f.turn, n) for n, f in faces.items() if f.role == "requested")
        assert [p.person for p in space.people.queue] == [n for _, n in waiting]
        for name in stage:
            face, participant = faces[name], space.people.named[name]
            assert (participant.muted_by_self, participant.muted_by_admin) == (face.by_self, face.by_admin)
            assert self.silent[name] == participant.muted
        assert space.free_seats == self.seats() >= 0

    @invariant()
    def only_whom_there_is_something_to_remember_about_is_an_object(self) -> None:
        if self.ended:
            return
        for name, face in self.faces.items():
            something = face.role != "" or face.by_admin or face.denied_until > self.now
            assert something or name not in self.space.people.named


TestSpace = SpaceMachine.TestCase
TestSpace.settings = settings(max_examples=150, stateful_step_count=40, deadline=None, derandomize=True)
