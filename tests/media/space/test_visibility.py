"""Who is shown what of a Space: the table of the rule, and what must hold for everybody in every state."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.space.space import Space
from media.space.tickets import Offer, Seller
from media.space.visibility import NOBODY, View, Viewer, announced, takes_anonymous, view_of

N, R, C, S, J, H = View.NOTHING, View.REASON, View.CARD, View.SOUND, View.INSIDE, View.HOST
DAY = 86_400.0


def draft() -> Space:
    space = Space("1", "ana", 0.0, title="draft", anonymous_listening=True)
    space.invite("ana", "hal", 0.0, present=False)
    return space


def scheduled() -> Space:
    space = draft()
    space.schedule("ana", DAY, 0.0)
    return space


def live() -> Space:
    space = draft()
    space.start("ana", 1.0)
    for person in ("ben", "cem", "fay", "rex"):
        space.ask(person, 2.0, present=False)
    for person in ("ben", "cem"):
        space.approve("ana", person, 3.0)
    space.promote("ana", "ben", 4.0)
    space.remove("ana", "rex", 5.0, present=False)
    return space


def ended() -> Space:
    space = live()
    space.end("ana", 9.0)
    return space


def canceled() -> Space:
    space = scheduled()
    space.cancel("ana", 1.0)
    return space


def called_off() -> Space:
    space = draft()
    space.cancel("ana", 1.0)
    return space


def ticketed() -> Space:
    space = scheduled()
    space.sell_tickets("ana", Offer(500, 10), 0.0, seller=Seller(adult=True, followers=10_000, spaces=10))
    return space


SPACES = {f.__name__: f for f in (draft, scheduled, live, ended, canceled, called_off, ticketed)}
VIEWERS = {
    "nobody": NOBODY,
    "stranger": Viewer("sam"),
    "listener": Viewer("eve", present=True),
    "requester": Viewer("fay"),
    "invited": Viewer("hal"),
    "speaker": Viewer("cem"),
    "co-host": Viewer("ben"),
    "host": Viewer("ana"),
    "removed": Viewer("rex"),
    "blocked": Viewer("bob", blocked=True),
    "admin": Viewer("root", admin=True),
    "has a link": Viewer("lea", linked=True),
}
TABLE = {
    # in the order of VIEWERS
    "draft": (N, N, N, N, J, N, N, H, N, N, H, J),
    "scheduled": (S, S, J, S, J, S, S, H, S, R, H, S),
    "live": (S, S, J, J, J, J, H, H, R, R, H, S),
    "ended": (C, S, J, J, J, J, H, H, R, R, H, S),
    "canceled": (C, S, J, S, J, S, S, H, S, R, H, S),
    "called_off": (N, N, N, N, J, N, N, H, N, N, H, J),
    "ticketed": (C, C, C, C, J, C, C, H, C, R, H, C),
}


@pytest.mark.parametrize(("state", "who"), list(product(TABLE, VIEWERS)))
def test_the_table(state: str, who: str) -> None:
    expected = TABLE[state][list(VIEWERS).index(who)]
    assert view_of(SPACES[state](), VIEWERS[who]) is expected


def test_a_ticket_lets_in_and_a_removal_is_above_it() -> None:
    assert view_of(ticketed(), Viewer("sam", ticket=True)) is S
    assert view_of(live(), Viewer("rex", present=True, ticket=True, linked=True)) is R


def test_nobody_without_a_name_hears_where_that_is_off() -> None:
    space = live()
    space.edit("ana", 6.0, anonymous_listening=False)
    assert view_of(space, NOBODY) is C
    assert not takes_anonymous(space) and not takes_anonymous(draft()) and not takes_anonymous(None)
    assert takes_anonymous(live())


def test_an_invitation_taken_back_is_the_end_of_seeing_a_draft() -> None:
    space = draft()
    space.uninvite("ana", "hal", 1.0)
    assert view_of(space, VIEWERS["invited"]) is N


@given(
    st.sampled_from(sorted(SPACES)),
    st.sampled_from(["sam", "eve", "fay", "hal", "cem", "ben", "ana", "rex"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_what_holds_for_everybody(state: str, person: str, present: bool, linked: bool, ticket: bool) -> None:
    space = SPACES[state]()
    viewer = Viewer(person, present=present, linked=linked, ticket=ticket)
    view = view_of(space, viewer)
    blocked = view_of(space, Viewer(person, blocked=True, present=present, linked=linked, ticket=ticket))
    assert blocked <= View.REASON or blocked is View.HOST, "a block leaves at most the reason"
    assert view_of(space, Viewer(person)) <= view, "nothing that one holds takes anything away"
    assert view <= view_of(space, Viewer(person, admin=True)) is View.HOST
    assert announced(space) or view in (View.NOTHING, View.INSIDE, View.HOST)
    assert view is not View.NOTHING or not announced(space)
