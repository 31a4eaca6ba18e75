"""The permission table, stated here once more as the product states it, and each cell tried by a real input."""

from collections.abc import Callable

import pytest

from media.space.errors import NoRightError
from media.space.permissions import Action, Role, check
from media.space.policy import EntryPolicy, SpeakPolicy
from media.space.space import Space
from media.space.states import Standing

PEOPLE = (Role.HOST, Role.COHOST, Role.SPEAKER, Role.LISTENER, Role.ANONYMOUS)
TABLE = {
    # host, co-host, speaker, listener, anonymous
    Action.END: "x....",
    Action.EDIT: "x....",
    Action.TICKETS: "x....",
    Action.RECORD: "x....",
    Action.ANONYMOUS_LISTENING: "x....",
    Action.COHOSTS: "x....",
    Action.ADMIT: "xx...",
    Action.INVITE: "xx...",
    Action.MUTE_OTHERS: "xx...",
    Action.REVOKE: "xx...",
    Action.REMOVE: "xx...",
    Action.SPEAK_POLICY: "xx...",
    Action.PIN: "xxx..",
    Action.SHARE_POST: "xxx..",
    Action.BE_CAPTIONED: "xxx..",
    Action.MUTE_SELF: "xxx..",
    Action.RAISE_HAND: "xxx..",
    Action.ASK: "...x.",
    Action.REACT: "..xx.",
    Action.SEE_CAPTIONS: "xxxxx",
    Action.SHARE_LINK: "xxxxx",
    Action.REPORT: "xxxxx",
    Action.DOWNLOAD_ALL: "x....",
    Action.DOWNLOAD_OWN: "xxx..",
    Action.INVITE_LISTENERS: "xxxx.",
    Action.MESSAGE: "xxxx.",
    Action.ENTRY: "xx...",
}
OF_THE_HOUSE = {Action.END, Action.MUTE_OTHERS, Action.REVOKE, Action.REMOVE}
"""What whoever runs the service may do in any Space."""
CELLS = [
    *(
        (action, role, mark == "x")
        for action, row in TABLE.items()
        for role, mark in zip(PEOPLE, row, strict=True)
    ),
    *((action, Role.ENFORCEMENT, action in OF_THE_HOUSE) for action in TABLE),
]

ACTORS = {
    Role.HOST: "host",
    Role.COHOST: "cohost",
    Role.SPEAKER: "speaker",
    Role.LISTENER: "listener",
    Role.ANONYMOUS: "~1f",
    Role.ENFORCEMENT: None,
}

Act = Callable[[Space, str], object]
ACTS: dict[Action, list[Act]] = {
    Action.END: [lambda s, by: s.end(by, 1.0)],
    Action.EDIT: [lambda s, by: s.edit(by, 1.0, title="another")],
    Action.ANONYMOUS_LISTENING: [lambda s, by: s.edit(by, 1.0, anonymous_listening=True)],
    Action.COHOSTS: [
        lambda s, by: s.promote(by, "other speaker", 1.0),
        lambda s, by: s.demote(by, "other cohost", 1.0),
        lambda s, by: s.invite(by, "friend", 1.0, role="cohost"),
        lambda s, by: s.make_link(by, "code", "cohost", 1.0),
        lambda s, by: s.uninvite(by, "invited cohost", 1.0),
    ],
    Action.ADMIT: [
        lambda s, by: s.approve(by, "waiting", 1.0),
        lambda s, by: s.deny(by, "waiting", 1.0),
        lambda s, by: s.lower_hand(by, "other speaker", 1.0),
    ],
    Action.INVITE: [
        lambda s, by: s.invite(by, "friend", 1.0),
        lambda s, by: s.make_link(by, "code", "speaker", 1.0),
        lambda s, by: s.uninvite(by, "invited", 1.0),
    ],
    Action.MUTE_OTHERS: [
        lambda s, by: s.mute(by, "other speaker", 1.0),
        lambda s, by: s.unmute(by, "other speaker", 1.0),
        lambda s, by: s.mute_all_but(by, [], 1.0),
        lambda s, by: s.lift_mutes(by, 1.0),
    ],
    Action.REVOKE: [lambda s, by: s.step_down(by, "other speaker", 1.0)],
    Action.REMOVE: [
        lambda s, by: s.remove(by, "other speaker", 1.0),
        lambda s, by: s.remove(by, "somebody", 1.0),
    ],
    Action.SPEAK_POLICY: [lambda s, by: s.set_speak_policy(by, SpeakPolicy.EVERYONE, 1.0)],
    Action.PIN: [lambda s, by: s.pin(by, "7", 1.0), lambda s, by: s.unpin(by, "9", 1.0)],
    Action.SHARE_POST: [lambda s, by: s.share(by, "7", 1.0)],
    Action.MUTE_SELF: [lambda s, by: s.mute(by, by, 1.0), lambda s, by: s.unmute(by, by, 1.0)],
    Action.RAISE_HAND: [lambda s, by: s.raise_hand(by, 1.0), lambda s, by: s.lower_hand(by, by, 1.0)],
    Action.ASK: [lambda s, by: s.ask(by, 1.0)],
    Action.REACT: [lambda s, by: s.check_reaction(by, "clap"), lambda s, by: s.react(by, "clap")],
    Action.INVITE_LISTENERS: [
        lambda s, by: s.invite(by, "friend", 1.0, role="listener", present=False),
        lambda s, by: s.make_link(by, "code", "listener", 1.0),
    ],
    Action.MESSAGE: [lambda s, by: s.say(by, "hello", 1.0)],
    Action.ENTRY: [
        lambda s, by: s.set_entry(by, 1.0, locked=True),
        lambda s, by: s.set_entry(by, 1.0, entry_policy=EntryPolicy.FOLLOWING),
        lambda s, by: s.set_entry(by, 1.0, entry_rate=60),
        lambda s, by: s.set_entry(by, 1.0, mute_on_entry=True),
    ],
}
"""Every input that a right is asked for."""
NO_INPUT = {Action.TICKETS, Action.RECORD, Action.BE_CAPTIONED, Action.SHARE_LINK, Action.REPORT} | {
    Action.SEE_CAPTIONS,
    Action.DOWNLOAD_ALL,
    Action.DOWNLOAD_OWN,
}
"""What is asked of the table by services that are no part of the Space itself."""


def room() -> Space:
    space = Space("s", "host", 0.0)
    space.start("host", 0.0)
    space.join("host", 0.0)
    space.arrive(0.0, 10)
    for person in ("cohost", "other cohost", "speaker", "other speaker"):
        space.ask(person, 0.0)
        space.approve("host", person, 0.0)
    space.promote("host", "other cohost", 0.0)
    space.ask("waiting", 0.0)
    space.invite("host", "invited", 0.0)
    space.invite("host", "invited cohost", 0.0, role="cohost")
    return space


def attempt(act: Act, action: Action, role: Role) -> None:
    space = room()
    if role is Role.COHOST or action is not Action.COHOSTS:
        space.promote("host", "cohost", 0.0)
    act(space, ACTORS[role])  # type: ignore[arg-type]


def test_the_whole_table_is_here() -> None:
    assert set(TABLE) == set(Action) == set(ACTS) | NO_INPUT
    assert {role for _, role, _ in CELLS} == set(Role)


@pytest.mark.parametrize(("action", "role", "allowed"), CELLS)
def test_cell(action: Action, role: Role, allowed: bool) -> None:
    for act in ACTS.get(action, [lambda *_: check(role, action)]):
        if allowed:
            attempt(act, action, role)
        else:
            with pytest.raises(NoRightError, match=r"^Only .* may .*\.$"):
                attempt(act, action, role)


@pytest.mark.parametrize("role", [r for r in PEOPLE if r is not Role.HOST])
@pytest.mark.parametrize(
    "act",
    [lambda s, by: s.schedule(by, 60.0, 1.0), lambda s, by: s.start(by, 1.0), lambda s, by: s.cancel(by, 1.0)],
)
def test_before_it_is_live_it_is_the_host_s(act: Act, role: Role) -> None:
    act(Space("s", "host", 0.0), "host")
    with pytest.raises(NoRightError, match="Only the host may schedule, start, change or cancel a Space"):
        act(Space("s", "host", 0.0), ACTORS[role])  # type: ignore[arg-type]


@pytest.mark.parametrize("target", ["host", "other cohost"])
def test_a_cohost_reaches_neither_the_host_nor_the_other(target: str) -> None:
    space = room()
    space.promote("host", "cohost", 0.0)
    for act in (Space.mute, Space.unmute, Space.step_down, Space.remove, Space.lower_hand):
        with pytest.raises(NoRightError, match="A co-host cannot act upon"):
            act(space, "cohost", target, 1.0)
    space.mute_all_but("cohost", [], 1.0)
    assert not space.people.known(target).muted_by_admin
    assert space.people.known("speaker").muted_by_admin


def test_a_cohost_can_step_down_and_hand_the_role_back() -> None:
    space = room()
    space.demote("other cohost", "other cohost", 1.0)
    assert space.people.standing("other cohost") is Standing.SPEAKER


def test_a_refusal_names_who_may() -> None:
    with pytest.raises(NoRightError, match=r"Only the host may choose co-hosts\."):
        check(Role.COHOST, Action.COHOSTS)
    with pytest.raises(NoRightError, match=r"Only the host and co-hosts may remove people\."):
        check(Role.LISTENER, Action.REMOVE)
    with pytest.raises(
        NoRightError, match=r"Only listeners who have a name may ask to speak; take a name first\."
    ):
        check(Role.ANONYMOUS, Action.ASK)
    check(Role.HOST, Action.REMOVE, Standing.COHOST)
