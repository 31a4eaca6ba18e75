"""The permission table, each cell by a real input: allowed, or refused for want of a right."""

import pytest

from media.space.errors import NoRightError
from media.space.permissions import ALLOWED, Action, Role, check
from media.space.policy import SpeakPolicy
from media.space.space import Space
from media.space.states import Standing, State

ACTORS = {
    Role.HOST: "host",
    Role.COHOST: "cohost",
    Role.SPEAKER: "speaker",
    Role.LISTENER: "listener",
    Role.ENFORCEMENT: None,
}


def room(state: State = State.LIVE) -> Space:
    space = Space("s", "host", 0.0)
    if state is State.DRAFT:
        return space
    space.start("host", 0.0)
    space.join("host", 0.0)
    space.arrive(0.0, 10)
    for person in ("cohost", "other cohost", "speaker", "other speaker"):
        space.ask(person, 0.0)
        space.approve("host", person, 0.0)
    space.promote("host", "cohost", 0.0)
    space.promote("host", "other cohost", 0.0)
    space.ask("waiting", 0.0)
    return space


def attempt(action: Action, by: str | None) -> None:
    space = room(State.DRAFT if action is Action.EDIT else State.LIVE)
    match action:
        case Action.EDIT:
            space.start(by, 1.0)  # type: ignore[arg-type]
        case Action.END:
            space.end(by, 1.0)
        case Action.COHOSTS:
            space.step_down("host", "other cohost", 1.0)
            space.promote(by, "other speaker", 1.0)  # type: ignore[arg-type]
        case Action.ADMIT:
            space.approve(by, "waiting", 1.0)  # type: ignore[arg-type]
        case Action.INVITE:
            space.invite(by, "friend", 1.0)  # type: ignore[arg-type]
        case Action.SPEAK_POLICY:
            space.set_speak_policy(by, SpeakPolicy.EVERYONE, 1.0)  # type: ignore[arg-type]
        case Action.MUTE_OTHERS:
            space.mute(by, "other speaker", 1.0)
        case Action.REVOKE:
            space.step_down(by, "other speaker", 1.0)
        case Action.REMOVE:
            space.remove(by, "other speaker", 1.0)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_cell(action: Action, role: Role) -> None:
    by = "nobody" if action is Action.EDIT and role in (Role.COHOST, Role.SPEAKER, Role.LISTENER) else ACTORS[role]
    if role in ALLOWED[action]:
        attempt(action, by)
    else:
        with pytest.raises(NoRightError, match=r"Only .* may "):
            attempt(action, by)


@pytest.mark.parametrize("target", ["host", "other cohost"])
def test_a_cohost_reaches_neither_the_host_nor_the_other(target: str) -> None:
    for act in (Space.mute, Space.step_down, Space.remove):
        with pytest.raises(NoRightError, match="A co-host cannot act upon"):
            act(room(), "cohost", target, 1.0)


def test_the_table_is_that_of_the_product() -> None:
    admins = {Role.HOST, Role.COHOST}
    assert ALLOWED[Action.END] == {Role.HOST, Role.ENFORCEMENT}
    assert ALLOWED[Action.COHOSTS] == {Role.HOST}
    assert ALLOWED[Action.ADMIT] == ALLOWED[Action.INVITE] == ALLOWED[Action.SPEAK_POLICY] == admins
    assert set(ALLOWED) == set(Action)


def test_a_refusal_names_who_may() -> None:
    with pytest.raises(NoRightError, match=r"Only the host may choose co-hosts\."):
        check(Role.COHOST, Action.COHOSTS)
    with pytest.raises(NoRightError, match=r"Only the host and co-hosts may remove people\."):
        check(Role.LISTENER, Action.REMOVE)
    check(Role.HOST, Action.REMOVE, Standing.COHOST)
