"""A Space under random inputs of random people, compared with a reference that knows every face, and no speed.

After every step the Space must agree with it about who is there, who may speak, who is silent, who waits and for
how long, and what is shown; what the events say must be the truth; and a refusal must have changed nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from media.space.entry import RATE_MAX
from media.space.errors import NoEntryError, SpaceError
from media.space.events import (
    CohostDropped,
    CohostNamed,
    Events,
    HandLowered,
    HandRaised,
    MuteChanged,
    PostPinned,
    PostUnpinned,
    RightGranted,
    RightRevoked,
    SpaceEnded,
)
from media.space.people import Participant
from media.space.policy import EntryPolicy, Policy, SpeakPolicy
from media.space.record import from_record, to_record
from media.space.space import Space
from media.space.states import Standing, State
from tests.media.space.reference import ANONYMOUS, HOST, HOUSE, NAMES, STAGE, Face, Link, Reference

POLICY = Policy(
    *("test", 2, 1),
    grace=30,
    host_grace=100,
    empty_grace=70,
    denial_cooldown=60,
    queue=3,
    pins=2,  # type: ignore[arg-type]
)
name = st.sampled_from(NAMES)
anyone = st.sampled_from([*NAMES, HOST])
actor: st.SearchStrategy[Any] = st.sampled_from([HOST, HOST, *NAMES, *NAMES, HOUSE, ANONYMOUS])
roles: st.SearchStrategy[Any] = st.sampled_from(["listener", "speaker", "cohost"])
code = st.sampled_from(["c0", "c1", "c2"])
post = st.sampled_from(["7", "8", "9"])
aim = st.integers(0, 3)
"""Unless it is 0, an input is tried on somebody whom it fits, if there is anybody: else most would be refused."""
beginnings = st.lists(
    st.sampled_from(["", "here", "requested", "invited", "speaker", "speaker", "cohost"]),
    min_size=len(NAMES),
    max_size=len(NAMES),
)
"""What people are when the story begins."""


class SpaceMachine(RuleBasedStateMachine):
    @initialize(speak_policy=st.sampled_from(SpeakPolicy), beginnings=beginnings, mutes=st.sets(name))
    def begin(self, speak_policy: SpeakPolicy, beginnings: list[str], mutes: set[str]) -> None:
        self.ref = Reference(POLICY, speak_policy, 1_000.0)
        self.space = Space("s", HOST, self.ref.now, policy=POLICY, speak_policy=speak_policy)
        self.talking: set[str] = set()
        self.cohosts: set[str] = set()
        self.hands: set[str] = set()
        self.pinned: set[str] = set()
        self.silent: dict[str, bool] = {}
        self.hear(self.space.start(HOST, self.ref.now))
        SpaceMachine.join(self, HOST)
        for who, beginning in zip(NAMES, beginnings, strict=True):
            if beginning:
                SpaceMachine.join(self, who)
            if beginning == "requested":
                SpaceMachine.ask(self, 0, who, followed=False)
            elif beginning not in ("", "here"):
                SpaceMachine.invite(self, 0, HOST, who, "cohost" if beginning == "cohost" else "speaker")
                if beginning != "invited":
                    SpaceMachine.answer_invitation(self, 0, who, yes=True)
                    SpaceMachine.mute(self, 0, HOST if who in mutes else who, who, muted=who in mutes, own=False)

    def entitled(self, aim: int, by: Any) -> Any:
        """Who is to act: half of the time the host, else one of the stage if there is any, or just anybody."""
        stage = [name for name, face in self.ref.faces.items() if face.role in ("cohost", "speaker")]
        return [by, HOST, HOST, stage[len(str(by)) % len(stage)] if stage else by][aim]

    def fitting(self, aim: int, who: str, *roles: str) -> str:
        """Somebody whom an input fits that is for people of these roles."""
        fits = [name for name, face in self.ref.faces.items() if face.role in roles]
        return fits[(aim + len(who)) % len(fits)] if aim and fits and who not in fits else who

    @property
    def now(self) -> float:
        return self.ref.now

    def live(self) -> bool:
        return not self.ref.ended

    # What the outside learns from events alone must be the truth

    def hear(self, events: Events) -> None:
        for event in events:
            match event:
                case RightGranted(person=who):
                    assert who not in self.talking
                    self.talking.add(who)
                    self.silent[who] = True
                case RightRevoked(person=who):
                    self.talking.remove(who)
                    self.cohosts.discard(who)
                case CohostNamed(person=who):
                    assert who in self.talking - self.cohosts
                    self.cohosts.add(who)
                case CohostDropped(person=who):
                    self.cohosts.remove(who)
                case MuteChanged(person=who, by_self=by_self, by_admin=by_admin):
                    assert who in self.talking
                    self.silent[who] = by_self or by_admin
                case HandRaised(person=who):
                    assert who in self.talking - self.hands
                    self.hands.add(who)
                case HandLowered(person=who):
                    self.hands.remove(who)
                case PostPinned(post_id=what):
                    self.pinned.add(what)
                case PostUnpinned(post_id=what):
                    self.pinned.remove(what)
                case SpaceEnded():
                    self.talking.clear()
                case _:
                    pass

    def attempt(self, allowed: bool, step: Callable[[], Events | None]) -> bool:
        before, count = to_record(self.space), self.space.participant_count
        try:
            events = step()
        except SpaceError as refusal:
            assert not allowed, f"refused: {refusal}"
            assert (to_record(self.space), self.space.participant_count) == (before, count)
            return False
        assert allowed, "should have been refused"
        self.hear(events or [])
        return True

    # Coming and going

    @precondition(live)
    @rule(who=anyone)
    def join(self, who: str) -> None:
        face = self.ref.faces[who]
        if not face.here and self.attempt(face.role != "removed", lambda: self.space.join(who, self.now)):
            face.here, face.lost = True, None
            self.ref.follow_up()

    @precondition(live)
    @rule(who=anyone)
    def drop(self, who: str) -> None:
        face = self.ref.faces[who]
        if face.here:
            self.attempt(True, lambda: self.space.drop(who, self.now))
            face.here = False
            face.lost = self.now if face.role in ("requested", "speaker", "cohost") else None
            self.ref.follow_up()

    @precondition(live)
    @rule(who=anyone)
    def leave(self, who: str) -> None:
        face = self.ref.faces[who]
        can = face.role not in ("", "removed", "host") or (face.role == "" and face.here)
        if self.attempt(can, lambda: self.space.leave(who, self.now, present=face.here)):
            self.ref.go(face)
            self.ref.follow_up()

    @precondition(live)
    @rule(aim=aim, by=actor, who=anyone)
    def remove(self, aim: int, by: Any, who: str) -> None:
        by = self.entitled(aim, by)
        face = self.ref.faces[who]
        can = (
            self.ref.is_admin(by, house=True)
            and self.ref.reaches(by, who)
            and face.role not in ("host", "removed")
        )
        if self.attempt(can, lambda: self.space.remove(by, who, self.now, present=face.here)):
            self.ref.go(face, "removed")
            self.ref.follow_up()

    @precondition(live)
    @rule(aim=aim, who=anyone, role=st.sampled_from(["removed", ""]))
    def restore(self, aim: int, who: str, role: str) -> None:
        who = self.fitting(aim, who, role)
        face = self.ref.faces[who]
        can = face.role == "removed" or (face.role == "" and face.here and self.ref.place("speaker"))
        if self.attempt(can, lambda: self.space.restore(who, self.now, present=face.here)):
            if face.role == "removed":
                self.ref.faces[who] = Face()
            else:
                self.ref.seat(face)
            self.ref.follow_up()

    # The queue

    @precondition(live)
    @rule(aim=aim, who=st.sampled_from([*NAMES, HOST, ANONYMOUS]), followed=st.booleans())
    def ask(self, aim: int, who: str, followed: bool) -> None:
        who = self.fitting(aim, who, "")
        face = self.ref.faces.get(who)
        free = face is not None and face.role == "" and self.now >= face.denied_until
        can = free and len(self.ref.queue()) < POLICY.queue
        can = can and self.ref.lets_ask(who, followed=followed)
        here = face is None or face.here
        if self.attempt(can, lambda: self.space.ask(who, self.now, present=here, followed=followed)):
            assert face is not None
            self.ref.turns += 1
            face.role, face.turn, face.followed, face.asked = "requested", self.ref.turns, followed, self.now
            face.lost = None if face.here else self.now
            self.ref.follow_up()

    @precondition(live)
    @rule(aim=aim, who=anyone)
    def withdraw(self, aim: int, who: str) -> None:
        who = self.fitting(aim, who, "requested")
        face = self.ref.faces[who]
        if self.attempt(face.role == "requested", lambda: self.space.withdraw(who, self.now)):
            self.ref.stand(face)
            self.ref.follow_up()

    @precondition(live)
    @rule(by=actor, aim=aim, who=anyone, yes=st.booleans())
    def answer_request(self, by: Any, aim: int, who: str, yes: bool) -> None:
        by = self.entitled(aim, by)
        who = self.fitting(aim, who, "requested")
        face = self.ref.faces[who]
        can = self.ref.is_admin(by) and face.role == "requested" and (self.ref.seats() > 0 or not yes)
        step = self.space.approve if yes else self.space.deny
        if self.attempt(can, lambda: step(by, who, self.now)):
            if yes:
                lost = face.lost
                self.ref.seat(face)
                face.lost = lost
            else:
                self.ref.stand(face)
                face.denied_until = self.now + POLICY.denial_cooldown
            self.ref.follow_up()

    @precondition(live)
    @rule(aim=aim, by=actor, speak_policy=st.sampled_from(SpeakPolicy))
    def change_policy(self, aim: int, by: Any, speak_policy: SpeakPolicy) -> None:
        by = self.entitled(aim, by)
        if self.attempt(self.ref.is_admin(by), lambda: self.space.set_speak_policy(by, speak_policy, self.now)):
            self.ref.speak_policy = speak_policy
            self.ref.follow_up()

    # The door

    @precondition(live)
    @rule(
        aim=aim,
        by=actor,
        locked=st.none() | st.booleans(),
        following=st.none() | st.booleans(),
        rate=st.sampled_from([None, 0, 60, -1, RATE_MAX + 1]),
        mutes=st.none() | st.booleans(),
    )
    def set_entry(
        self,
        aim: int,
        by: Any,
        locked: bool | None,
        following: bool | None,
        rate: int | None,
        mutes: bool | None,
    ) -> None:
        by, ref = self.entitled(aim, by), self.ref
        entry_policy = following and EntryPolicy.FOLLOWING
        if following is False:
            entry_policy = EntryPolicy.EVERYONE
        can = ref.is_admin(by) and rate in (None, 0, 60)
        if self.attempt(
            can,
            lambda: self.space.set_entry(
                *(by, self.now), entry_policy=entry_policy, locked=locked, entry_rate=rate, mute_on_entry=mutes
            ),
        ):
            ref.locked = ref.locked if locked is None else locked
            ref.following = ref.following if following is None else following
            ref.rate = ref.rate if rate is None else rate
            ref.mute_on_entry = ref.mute_on_entry if mutes is None else mutes

    @precondition(live)
    @rule(who=st.sampled_from([*NAMES, HOST]), followed=st.booleans())
    def knock(self, who: str, followed: bool) -> None:
        """The rules of entry let in whom they should, and asking them changes nothing."""
        face = self.ref.faces[who]

        def step() -> None:
            self.space.check_newcomer(who, present=face.here, followed=followed)

        self.attempt(self.ref.lets_in(who, followed=followed), step)
        with suppress(NoEntryError):
            self.space.check_newcomer(None)
            assert not (self.ref.locked or self.ref.following), "who has no name is followed by nobody"

    # Invitations

    @precondition(live)
    @rule(aim=aim, by=actor, who=anyone, role=roles)
    def invite(self, aim: int, by: Any, who: str, role: Any) -> None:
        by = self.entitled(aim, by)
        face = self.ref.faces[who]
        suits = not face.here and face.role != "removed" if role == "listener" else face.role == ""
        can = self.ref.may_invite(by, role) and suits
        step = lambda: self.space.invite(by, who, self.now, role=role, present=face.here)  # noqa: E731
        if self.attempt(can, step) and role != "listener":
            face.role, face.denied_until, face.invited_as = "invited", 0.0, role

    @precondition(live)
    @rule(by=actor, aim=aim, who=anyone)
    def uninvite(self, by: Any, aim: int, who: str) -> None:
        by = self.entitled(aim, by)
        who = self.fitting(aim, who, "invited")
        face = self.ref.faces[who]
        can = face.role == "invited" and self.ref.may_invite(by, face.invited_as)
        if self.attempt(can, lambda: self.space.uninvite(by, who, self.now)):
            self.ref.stand(face)

    @precondition(live)
    @rule(aim=aim, who=anyone, yes=st.booleans())
    def answer_invitation(self, aim: int, who: str, yes: bool) -> None:
        who = self.fitting(aim, who, "invited")
        face = self.ref.faces[who]
        can = face.role == "invited" and (not yes or self.ref.place(face.invited_as))
        step = self.space.accept if yes else self.space.decline
        if self.attempt(can, lambda: step(who, self.now)):
            if yes:
                self.ref.seat(face, face.invited_as)
            else:
                self.ref.stand(face)
            self.ref.follow_up()

    @precondition(live)
    @rule(aim=aim, by=actor, code=code, role=roles, uses=st.integers(0, 2))
    def make_link(self, aim: int, by: Any, code: str, role: Any, uses: int) -> None:
        by = self.entitled(aim, by)
        if code not in self.ref.links:
            can = self.ref.may_invite(by, role) and uses > 0
            if self.attempt(can, lambda: self.space.make_link(by, code, role, self.now, uses=uses)):
                self.ref.links = {c: link for c, link in self.ref.links.items() if link.uses > 0}
                self.ref.links[code] = Link(role, by, uses)

    @precondition(live)
    @rule(aim=aim, by=actor, code=code)
    def revoke_link(self, aim: int, by: Any, code: str) -> None:
        by = self.entitled(aim, by)
        link = self.ref.links.get(code)
        can = link is not None and link.uses > 0
        can = can and (by == link.by or (self.ref.is_admin(by) and self.ref.may_invite(by, link.role)))  # type: ignore[union-attr]
        if self.attempt(can, lambda: self.space.revoke_link(by, code, self.now)):
            del self.ref.links[code]

    @precondition(live)
    @rule(aim=aim, who=anyone, code=code)
    def follow_link(self, aim: int, who: str, code: str) -> None:
        code = next(iter(self.ref.links), code) if aim else code
        face, link = self.ref.faces[who], self.ref.links.get(code)
        if link is None or link.uses == 0 or not self.ref.may_invite(link.by, link.role):
            can = False
        elif link.role == "listener":
            can = face.role != "removed"
        else:
            fits = face.role in ("", "requested", "invited") or (face.role, link.role) == ("speaker", "cohost")
            can = fits and self.ref.place(link.role)
        can = can and self.ref.lets_in(who, followed=True)
        if self.attempt(can, lambda: self.space.follow_link(who, code, self.now, present=face.here)):
            assert link is not None
            link.uses -= 1
            if face.role == "speaker" and link.role == "cohost":
                face.role = "cohost"
            elif link.role != "listener":
                self.ref.seat(face, link.role)
            self.ref.follow_up()

    # The stage

    @precondition(live)
    @rule(by=actor, aim=aim, who=anyone)
    def promote(self, by: Any, aim: int, who: str) -> None:
        by = self.entitled(aim, by)
        who = self.fitting(aim, who, "speaker")
        face = self.ref.faces[who]
        can = by == HOST and face.role == "speaker" and self.ref.place("cohost")
        if self.attempt(can, lambda: self.space.promote(by, who, self.now)):
            face.role = "cohost"
            self.ref.follow_up()

    @precondition(live)
    @rule(by=actor, aim=aim, who=anyone)
    def demote(self, by: Any, aim: int, who: str) -> None:
        by = self.entitled(aim, by)
        who = self.fitting(aim, who, "cohost")
        face = self.ref.faces[who]
        can = by in (HOST, who) and face.role == "cohost" and self.ref.seats() > 0
        if self.attempt(can, lambda: self.space.demote(by, who, self.now)):
            face.role = "speaker"
            self.ref.follow_up()

    @precondition(live)
    @rule(by=actor, aim=aim, who=anyone)
    def step_down(self, by: Any, aim: int, who: str) -> None:
        by = self.entitled(aim, by)
        who = self.fitting(aim, who, "speaker", "cohost")
        face = self.ref.faces[who]
        right = by == who or (self.ref.is_admin(by, house=True) and self.ref.reaches(by, who))
        if self.attempt(
            right and face.role in ("speaker", "cohost"), lambda: self.space.step_down(by, who, self.now)
        ):
            self.ref.stand(face)
            self.ref.follow_up()

    @precondition(live)
    @rule(by=st.one_of(actor, st.none()), aim=aim, who=anyone, muted=st.booleans(), own=st.booleans())
    def mute(self, aim: int, by: Any, who: str, muted: bool, own: bool) -> None:
        who = self.fitting(aim, who, *STAGE)
        by = self.entitled(aim, by)
        face, by = self.ref.faces[who], who if own else by
        right = by == who or (self.ref.is_admin(by, house=True) and self.ref.reaches(by, who))
        can = right and face.role in STAGE and not (by == who and not muted and face.by_admin)
        step = self.space.mute if muted else self.space.unmute
        if self.attempt(can, lambda: step(by, who, self.now)):
            if by != who:
                face.by_admin = muted
                return
            if not muted and face.by_self:
                face.hand = False
            face.by_self = muted

    @precondition(live)
    @rule(aim=aim, by=actor, keep=st.sets(anyone))
    def mute_all_but(self, aim: int, by: Any, keep: set[str]) -> None:
        by = self.entitled(aim, by)
        if self.attempt(self.ref.is_admin(by, house=True), lambda: self.space.mute_all_but(by, keep, self.now)):
            for who, face in self.ref.on_stage():
                if who != by and who not in keep and self.ref.reaches(by, who):
                    face.by_admin = True

    @precondition(live)
    @rule(aim=aim, by=actor)
    def lift_mutes(self, aim: int, by: Any) -> None:
        by = self.entitled(aim, by)
        if self.attempt(self.ref.is_admin(by, house=True), lambda: self.space.lift_mutes(by, self.now)):
            for who, face in self.ref.on_stage():
                if who != by and self.ref.reaches(by, who):
                    face.by_admin = False

    @precondition(live)
    @rule(aim=aim, who=st.sampled_from([*NAMES, HOST, ANONYMOUS]))
    def raise_hand(self, aim: int, who: str) -> None:
        who = self.fitting(aim, who, *STAGE)
        can = self.ref.role(who) in STAGE
        if self.attempt(can, lambda: self.space.raise_hand(who, self.now)):
            self.ref.faces[who].hand = True

    @precondition(live)
    @rule(by=actor, aim=aim, who=anyone)
    def lower_hand(self, by: Any, aim: int, who: str) -> None:
        by = self.entitled(aim, by)
        who = self.fitting(aim, who, *STAGE)
        face = self.ref.faces[who]
        right = by == who or (self.ref.is_admin(by) and self.ref.reaches(by, who))
        if self.attempt(right and face.role in STAGE, lambda: self.space.lower_hand(by, who, self.now)):
            face.hand = False

    # What is shown

    @precondition(live)
    @rule(aim=aim, by=actor, post=post)
    def pin(self, aim: int, by: Any, post: str) -> None:
        by = self.entitled(aim, by)
        there = any(pinned == post for pinned, _ in self.ref.pins)
        can = self.ref.role(by) in STAGE and (there or len(self.ref.pins) < POLICY.pins)
        if self.attempt(can, lambda: self.space.pin(by, post, self.now)) and not there:
            self.ref.pins.insert(0, (post, by))

    @precondition(live)
    @rule(aim=aim, by=actor, post=post)
    def unpin(self, aim: int, by: Any, post: str) -> None:
        by = self.entitled(aim, by)
        own = [who for pinned, who in self.ref.pins if pinned == post] in ([], [by])
        can = self.ref.is_admin(by) or (self.ref.role(by) == "speaker" and own)
        if self.attempt(can, lambda: self.space.unpin(by, post, self.now)):
            self.ref.pins = [entry for entry in self.ref.pins if entry[0] != post]

    @precondition(live)
    @rule(aim=aim, by=actor, post=post)
    def share(self, aim: int, by: Any, post: str) -> None:
        by = self.entitled(aim, by)
        self.ref.shared += self.attempt(self.ref.role(by) in STAGE, lambda: self.space.share(by, post, self.now))

    @precondition(live)
    @rule(by=actor, text=st.sampled_from(["hello", "", "x" * 281, "two\nlines", "\0"]))
    def say(self, by: Any, text: str) -> None:
        face = self.ref.faces.get(by)
        crowded = sum(at > self.now - 1 for at in self.ref.said) >= 20
        can = face is not None and face.here and text in ("hello", "two\nlines") and not crowded
        if self.attempt(can, lambda: self.space.say(by, text, self.now, present=face is not None and face.here)):
            self.ref.said.append(self.now)

    @precondition(live)
    @rule(by=actor, kind=st.sampled_from(["clap", "100", "raise_hand"]))
    def react(self, by: Any, kind: str) -> None:
        face = self.ref.faces.get(by)
        can = (
            face is not None
            and face.here
            and kind != "raise_hand"
            and self.ref.role(by) in ("speaker", "listener")
        )
        step = lambda: self.space.react(by, kind, present=face is not None and face.here)  # noqa: E731
        self.ref.reactions += self.attempt(can, step)

    # Time, death and the end

    @precondition(live)
    @rule(seconds=st.sampled_from([0.0, 1.0, 29.5, 30.0, 30.0, 61.0, 120.0]))
    def wait(self, seconds: float) -> None:
        """Time passes, and the driver keeps every appointment that the Space asks for."""
        ref, until = self.ref, self.now + seconds
        while not ref.ended and (due := self.space.next_timer()) is not None and due <= until:
            assert due >= self.now
            ref.now = due
            ref.expire()
            self.hear(self.space.handle_timer(due))
            assert self.space.next_timer() is None or self.space.next_timer() > due  # type: ignore[operator]
            ref.follow_up()
            alone = ref.unattended is not None and due >= ref.unattended + POLICY.host_grace
            ref.ended = alone or (ref.empty is not None and due >= ref.empty + POLICY.empty_grace)
        ref.now = until

    @precondition(live)
    @rule()
    def restart(self) -> None:
        """The process dies and another reads the record: nobody is connected, nothing else is forgotten."""
        self.space = from_record(to_record(self.space), self.now)
        self.ref.restart()

    @precondition(live)
    @rule(by=actor, sure=st.integers(0, 20))
    def end(self, by: Any, sure: int) -> None:
        if by not in (HOST, HOUSE) or sure == 20:
            self.ref.ended = self.attempt(by in (HOST, HOUSE), lambda: self.space.end(by, self.now))

    @precondition(lambda self: self.ref.ended)
    @rule(who=anyone)
    def nothing_moves_after_the_end(self, who: str) -> None:
        space, now = self.space, self.now
        for step in (space.join, space.ask, space.drop, space.withdraw, space.raise_hand):
            self.attempt(False, lambda step=step: step(who, now))
        for step in (space.pin, space.share, space.say):
            self.attempt(False, lambda step=step: step(HOST, "7", now))
        self.attempt(False, lambda: space.react(who, "clap"))
        self.attempt(False, lambda: space.make_link(HOST, "late", "speaker", now))
        assert space.handle_timer(now + 1e6) == []

    # What must always hold

    @invariant()
    def the_state_is_as_expected(self) -> None:
        assert self.space.state is (State.ENDED if self.ref.ended else State.LIVE)
        if self.ref.ended:
            assert self.space.participant_count == 0
            assert self.space.next_timer() is None

    @invariant()
    def everyone_is_where_the_reference_says(self) -> None:
        if self.ref.ended:
            return
        space, faces, stage = self.space, self.ref.faces, dict(self.ref.on_stage())
        assert space.participant_count == sum(f.here for f in faces.values())
        assert space.listener_count == sum(f.here for f in faces.values() if f.role not in STAGE)
        assert space.people.crowd >= 0
        assert {n for n in faces if space.may_speak(n)} == self.talking == set(stage)
        assert self.cohosts == {n for n, f in faces.items() if f.role == "cohost"}
        assert self.hands == {n for n, f in faces.items() if f.hand}
        assert [p.person for p in space.people.queue] == self.ref.queue()
        for who, face in stage.items():
            participant = space.people.named[who]
            assert (participant.muted_by_self, participant.muted_by_admin) == (face.by_self, face.by_admin)
            assert (participant.hand_raised, self.silent[who]) == (face.hand, participant.muted)
        for who, face in faces.items():
            known = space.people.named.get(who, Participant(who, Standing.OUTSIDE))
            if face.role != "removed":  # of whom nothing else is remembered
                assert max(known.denied_until or 0.0, self.now) == max(face.denied_until, self.now)
                assert (known.hand_raised, known.muted_by_admin) == (face.hand, face.by_admin)
            assert known.lost_at == face.lost
        assert (space.unattended_since, space.empty_since) == (self.ref.unattended, self.ref.empty)
        assert space.free_seats == self.ref.seats() >= 0
        assert list(space.waiting.gaps) == pytest.approx(self.ref.gaps[-20:])

    @invariant()
    def what_is_shown_is_what_was_done(self) -> None:
        space, ref = self.space, self.ref
        assert space.pins == [what for what, _ in ref.pins]
        assert set(space.pins) == self.pinned
        assert len(space.notes.shared) == ref.shared
        assert [m.number for m in space.notes.messages] == list(range(1, len(ref.said) + 1))
        assert {link.code: link.uses for link in space.links} == {c: link.uses for c, link in ref.links.items()}
        assert space.reactions.total.total() == ref.reactions

    @invariant()
    def only_whom_there_is_something_to_remember_about_is_an_object(self) -> None:
        if self.ref.ended:
            return
        for who, face in self.ref.faces.items():
            something = face.role != "" or face.by_admin or face.denied_until > self.now
            assert something or who not in self.space.people.named


class QueueMachine(SpaceMachine):
    """The same with few inputs, so that many steps are about the queue and its seats."""

    invite = uninvite = answer_invitation = make_link = revoke_link = follow_link = None  # type: ignore[assignment]
    pin = unpin = share = say = react = end = None  # type: ignore[assignment]
    mute = mute_all_but = lift_mutes = raise_hand = lower_hand = None  # type: ignore[assignment]

    @precondition(SpaceMachine.live)
    @rule(followed=st.sets(name))
    def rush(self, followed: set[str]) -> None:
        """Everybody asks at once."""
        for who in NAMES:
            SpaceMachine.ask(self, 0, who, followed=who in followed)

    @precondition(lambda self: bool(self.ref.queue()))
    @rule(yes=st.booleans())
    def answer_the_first(self, yes: bool) -> None:
        SpaceMachine.answer_request(self, by=HOST, aim=0, who=self.ref.queue()[0], yes=yes)


class InvitationMachine(SpaceMachine):
    """The same about invitations and links, and what becomes of those who made them."""

    ask = withdraw = answer_request = change_policy = end = None  # type: ignore[assignment]
    pin = unpin = share = say = react = None  # type: ignore[assignment]
    mute = mute_all_but = lift_mutes = raise_hand = lower_hand = None  # type: ignore[assignment]

    @precondition(SpaceMachine.live)
    @rule(code=code, who=name, role=st.sampled_from(["speaker", "listener"]), falls=st.booleans())
    def link_of_a_cohost(self, code: str, who: str, role: str, falls: bool) -> None:
        """One who may invite makes a link and, it may be, is no co-host any more when somebody follows it."""
        for maker in [name for name, face in self.ref.faces.items() if face.role == "cohost"][:1]:
            SpaceMachine.make_link(self, aim=0, by=maker, code=code, role=role, uses=2)
            if falls:
                SpaceMachine.step_down(self, by=HOST, aim=0, who=maker)
            SpaceMachine.follow_link(self, aim=0, who=who, code=code)


TestSpace = SpaceMachine.TestCase
TestQueue = QueueMachine.TestCase
TestInvitations = InvitationMachine.TestCase
TestSpace.settings = settings(max_examples=120, stateful_step_count=40, deadline=None, derandomize=True)
TestQueue.settings = TestInvitations.settings = settings(TestSpace.settings, max_examples=150)
