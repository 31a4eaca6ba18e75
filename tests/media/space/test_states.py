"""Every cell of the two tables: an input either leads where the table says, or is refused and changes nothing."""

from collections.abc import Callable

import pytest

from media.space.errors import RemovedError, SpaceError, WrongStateError
from media.space.policy import PRESETS, SpeakPolicy
from media.space.record import to_record
from media.space.space import Events, Space
from media.space.states import PERSON, PERSONAL, SPACE, Input, Standing, State, next_standing, next_state

NOW = 1_000.0


def space_in(state: State) -> Space:
    space = Space("s", "host", 0.0)
    space.make_link("host", "c", "speaker", 0.0)
    if state is State.SCHEDULED:
        space.schedule("host", NOW + 60, 0.0)
    elif state is State.CANCELED:
        space.cancel("host", 0.0)
    elif state is not State.DRAFT:
        space.start("host", 0.0)
        if state is State.ENDED:
            space.end("host", 0.0)
    assert space.state is state
    return space


OF_A_SPACE: dict[Input, Callable[[Space], Events]] = {
    Input.SCHEDULE: lambda s: s.schedule("host", NOW + 3600, NOW),
    Input.START: lambda s: s.start("host", NOW),
    Input.CANCEL: lambda s: s.cancel("host", NOW),
    Input.END: lambda s: s.end("host", NOW),
    Input.SPEAK_POLICY: lambda s: s.set_speak_policy("host", SpeakPolicy.EVERYONE, NOW),
    Input.ENTRY: lambda s: s.set_entry("host", NOW, locked=True),
    Input.ARRIVE: lambda s: s.arrive(NOW),
    Input.DEPART: lambda s: s.depart(NOW, 0),
    Input.SELL: lambda s: s.withdraw_tickets("host", NOW),
    Input.REMIND: lambda s: s.subscribe(NOW),
    Input.EDIT: lambda s: s.edit("host", NOW, title="another"),
    Input.GO_BY: lambda s: s.go_by(PRESETS["2021-05"], NOW),
    Input.MUTE_ALL: lambda s: s.mute_all_but("host", ["host"], NOW),
    Input.LIFT_MUTES: lambda s: s.lift_mutes("host", NOW),
    Input.MAKE_LINK: lambda s: s.make_link("host", "code", "speaker", NOW),
    Input.REVOKE_LINK: lambda s: s.revoke_link("host", "c", NOW),
    Input.PIN: lambda s: s.pin("host", "7", NOW),
    Input.UNPIN: lambda s: s.unpin("host", "7", NOW),
    Input.SHARE: lambda s: s.share("host", "7", NOW),
    Input.SAY: lambda s: s.say("ana", "hello", NOW),
    Input.REACT: lambda s: s.react("ana", "clap") or [],
}
OF_A_PERSON: dict[Input, Callable[[Space, str], Events]] = {
    Input.JOIN: lambda s, p: s.join(p, NOW),
    Input.DROP: lambda s, p: s.drop(p, NOW),
    Input.EXPIRE: lambda s, _: s.handle_timer(NOW),
    Input.LEAVE: lambda s, p: s.leave(p, NOW),
    Input.ASK: lambda s, p: s.ask(p, NOW),
    Input.WITHDRAW: lambda s, p: s.withdraw(p, NOW),
    Input.APPROVE: lambda s, p: s.approve("host", p, NOW),
    Input.DENY: lambda s, p: s.deny("host", p, NOW),
    Input.INVITE: lambda s, p: s.invite("host", p, NOW),
    Input.ACCEPT: lambda s, p: s.accept(p, NOW),
    Input.DECLINE: lambda s, p: s.decline(p, NOW),
    Input.UNINVITE: lambda s, p: s.uninvite("host", p, NOW),
    Input.FOLLOW_LINK: lambda s, p: s.follow_link(p, "c", NOW),
    Input.DEMOTE: lambda s, p: s.demote("host", p, NOW),
    Input.RAISE_HAND: lambda s, p: s.raise_hand(p, NOW),
    Input.LOWER_HAND: lambda s, p: s.lower_hand("host", p, NOW),
    Input.PROMOTE: lambda s, p: s.promote("host", p, NOW),
    Input.STEP_DOWN: lambda s, p: s.step_down(None, p, NOW),
    Input.MUTE: lambda s, p: s.mute(None, p, NOW),
    Input.UNMUTE: lambda s, p: s.unmute(p, p, NOW),
    Input.REMOVE: lambda s, p: s.remove(None, p, NOW),
    Input.RESTORE: lambda s, p: s.restore(p, NOW),
}


def test_every_input_is_a_method() -> None:
    assert set(OF_A_PERSON) == PERSONAL
    assert set(OF_A_SPACE) | set(OF_A_PERSON) == set(Input)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("happening", OF_A_SPACE)
def test_space_cell(state: State, happening: Input) -> None:
    space = space_in(state)
    before = to_record(space)
    if (state, happening) in SPACE:
        OF_A_SPACE[happening](space)
        assert space.state is SPACE[state, happening]
    else:
        with pytest.raises(WrongStateError, match=f"{happening} a Space that is {state}"):
            OF_A_SPACE[happening](space)
        assert to_record(space) == before


@pytest.mark.parametrize("state", [s for s in State if s is not State.LIVE])
@pytest.mark.parametrize("happening", OF_A_PERSON)
def test_person_input_outside_a_live_space(state: State, happening: Input) -> None:
    space = space_in(state)
    before = to_record(space)
    if happening is Input.EXPIRE:
        assert OF_A_PERSON[happening](space, "ana") == []
    elif happening is Input.INVITE and (state, happening) in SPACE:
        space.invite("host", "ana", NOW, present=False)
        assert space.people.standing("ana") is Standing.INVITED
        space.decline("ana", NOW)
    else:
        with pytest.raises(SpaceError):
            OF_A_PERSON[happening](space, "ana")
    assert to_record(space) == before


def live_with(standing: Standing) -> Space:
    """A live Space in which ana (or the host) has a standing, connected, with others in the crowd."""
    space = space_in(State.LIVE)
    space.join("host", NOW - 100)
    if standing is Standing.HOST:
        return space
    space.arrive(NOW - 100, 5)
    match standing:
        case Standing.REQUESTED:
            space.ask("ana", NOW - 50)
        case Standing.INVITED:
            space.invite("host", "ana", NOW - 50)
        case Standing.SPEAKER | Standing.COHOST:
            space.ask("ana", NOW - 50)
            space.approve("host", "ana", NOW - 50)
            if standing is Standing.COHOST:
                space.promote("host", "ana", NOW - 50)
        case Standing.REMOVED:
            space.remove("host", "ana", NOW - 50)
        case _:  # known by name in the crowd or outside: after a denial
            space.ask("ana", NOW - 50)
            space.deny("host", "ana", NOW - 50)
            space.people.named["ana"].denied_until = NOW - 0.5
            space.people.named["ana"].muted_by_admin = True  # so that there is something to remember
            if standing is Standing.OUTSIDE:
                space.drop("ana", NOW - 50)
    assert space.people.standing("ana") is standing
    return space


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("happening", OF_A_PERSON)
def test_person_cell(standing: Standing, happening: Input) -> None:
    space = live_with(standing)
    person = "host" if standing is Standing.HOST else "ana"
    if happening is Input.EXPIRE:  # time runs out for whoever lost the connection
        space.drop(person, NOW - 40)
        standing = space.people.standing(person)
    before, count = to_record(space), space.participant_count
    expected = PERSON.get((standing, happening))
    if happening is Input.EXPIRE:
        OF_A_PERSON[happening](space, person)
        assert space.people.standing(person) is (expected or standing)
    elif expected is None:
        with pytest.raises(SpaceError):
            OF_A_PERSON[happening](space, person)
        assert (to_record(space), space.participant_count) == (before, count)
    else:
        OF_A_PERSON[happening](space, person)
        if expected is Standing.LISTENER and person not in space.people.named:
            assert space.participant_count == count  # one of the crowd again: counted, not known
        else:
            assert space.people.standing(person) is expected


def test_refusals_say_what_to_do() -> None:
    with pytest.raises(WrongStateError, match="end the Space instead"):
        next_standing(Standing.HOST, Input.LEAVE, "host")
    with pytest.raises(RemovedError, match="ana was removed"):
        next_standing(Standing.REMOVED, Input.JOIN, "ana")
    with pytest.raises(WrongStateError, match=r"ana is a listener in this Space, and so cannot be muted in it\."):
        next_standing(Standing.LISTENER, Input.MUTE, "ana")
    with pytest.raises(WrongStateError, match=r"Nobody can start a Space that is ended\."):
        next_state(State.ENDED, Input.START)


def test_what_is_over_stays_over() -> None:
    assert not [cell for cell in SPACE if cell[0] in (State.ENDED, State.CANCELED)]
    ways = [happening for standing, happening in PERSON if standing is Standing.REMOVED]
    assert ways == [Input.DROP, Input.RESTORE], "only the house takes a removal back"
