"""Tickets by the rules alone: who sells, who needs one, and that of no price a cent is lost."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.space.errors import BadInputError, NoRightError, NotEligibleError, WrongStateError
from media.space.events import TicketsOffered, TicketsWithdrawn
from media.space.policy import DEFAULT, PRESETS, Policy
from media.space.record import from_record, to_record
from media.space.space import Space
from media.space.tickets import (
    EARNED_LIMIT,
    HOLDS,
    PRICE_MAX,
    PRICE_MIN,
    PURCHASE,
    Offer,
    Payment,
    Purchase,
    Seller,
    Split,
    needs_ticket,
    next_purchase,
    split,
)

GOOD = Seller(adult=True, followers=1_000, spaces=3)
PRICES = st.integers(PRICE_MIN, PRICE_MAX)


def ticketed() -> Space:
    offer = Offer(500, 10)
    space = Space("s", "ana", 0.0)
    space.schedule("ana", 3600.0, 0.0)
    assert space.sell_tickets("ana", offer, 1.0, seller=GOOD) == [TicketsOffered(1.0, offer.price, offer.quantity)]
    return space


@pytest.mark.parametrize(
    ("seller", "missing"),
    [
        (replace(GOOD, adult=False), "18 or older"),
        (replace(GOOD, followers=999), "1000 followers, and has 999"),
        (replace(GOOD, spaces=2), "3 Spaces hosted in the last 30 days, and has 2"),
    ],
)
def test_what_a_host_lacks_is_said(seller: Seller, missing: str) -> None:
    space = Space("s", "ana", 0.0)
    with pytest.raises(NotEligibleError, match=missing):
        space.sell_tickets("ana", Offer(500, 10), 1.0, seller=seller)
    assert space.tickets is None
    assert len(Seller(False, 0, 0).missing(DEFAULT)) == 3
    assert GOOD.missing(DEFAULT) == []


@pytest.mark.parametrize("policy", [PRESETS["2020-12"], PRESETS["2021-05"]])
def test_there_were_no_tickets_before_august_2021(policy: Policy) -> None:
    with pytest.raises(NotEligibleError, match="no tickets under the rules"):
        Space("s", "ana", 0.0, policy=policy).sell_tickets("ana", Offer(500, 10), 1.0, seller=GOOD)


@pytest.mark.parametrize("offer", [Offer(99, 1), Offer(99_901, 1), Offer(500, 0), Offer(500, 100_001)])
def test_offers_that_cannot_be(offer: Offer) -> None:
    with pytest.raises(BadInputError):
        Space("s", "ana", 0.0).sell_tickets("ana", offer, 1.0, seller=GOOD)


def test_only_the_host_sells_and_only_before_the_start() -> None:
    space = ticketed()
    with pytest.raises(NoRightError):
        space.sell_tickets("ben", Offer(500, 10), 1.0, seller=GOOD)
    space.start("ana", 2.0)
    with pytest.raises(WrongStateError):
        space.sell_tickets("ana", Offer(500, 20), 3.0, seller=GOOD)


def test_what_is_sold_binds_the_host() -> None:
    space = ticketed()
    with pytest.raises(WrongStateError, match="price"):
        space.sell_tickets("ana", Offer(600, 10), 2.0, seller=GOOD, taken=1)
    with pytest.raises(WrongStateError, match="fewer"):
        space.sell_tickets("ana", Offer(500, 3), 2.0, seller=GOOD, taken=4)
    with pytest.raises(WrongStateError, match="cancel"):
        space.withdraw_tickets("ana", 2.0, taken=1)
    space.sell_tickets("ana", Offer(500, 4), 2.0, seller=GOOD, taken=4)
    assert space.withdraw_tickets("ana", 3.0) == [TicketsWithdrawn(3.0)]
    assert space.withdraw_tickets("ana", 3.0) == []


def test_a_ticketed_space_keeps_its_time() -> None:
    space = ticketed()
    with pytest.raises(WrongStateError, match="keeps its time"):
        space.schedule("ana", 7200.0, 2.0)
    space.withdraw_tickets("ana", 3.0)
    space.schedule("ana", 7200.0, 4.0)
    draft = Space("s", "ana", 0.0)
    draft.sell_tickets("ana", Offer(500, 10), 1.0, seller=GOOD)
    draft.schedule("ana", 3600.0, 2.0)  # its first


def test_who_needs_a_ticket() -> None:
    space = ticketed()
    space.start("ana", 2.0)
    for person, role in (("ben", "cohost"), ("cem", "speaker"), ("dag", "speaker")):
        space.invite("ana", person, 2.0, role=role, present=False)
        if person != "dag":
            space.accept(person, 2.0)
    space.invite("ana", "eve", 2.0, role="listener", present=False)
    need = {name: needs_ticket(space, name) for name in ("ana", "ben", "cem", "dag", "eve", "fay", None)}
    assert need == {"ana": False, "ben": False, "cem": False, "dag": False, "eve": True, "fay": True, None: True}
    assert not needs_ticket(Space("s", "ana", 0.0), "fay")


def test_tickets_outlive_the_process() -> None:
    assert from_record(to_record(ticketed()), 2.0).tickets == Offer(500, 10)


def test_shares_of_a_price() -> None:
    assert split(1_000, 300, 0) == Split(300, 679, 21)
    assert split(1_000, 300, EARNED_LIMIT) == Split(300, 560, 140)
    assert split(1_000, 0, EARNED_LIMIT - 97) == Split(0, 97 + 720, 183), "100 cents at 97 %, 900 at 80 %"
    assert split(101, 0, 0) == Split(0, 97, 4), "97.97 is rounded down"


@given(price=PRICES, fee=st.integers(0, 100), earned=st.integers(0, 2 * EARNED_LIMIT))
def test_nothing_is_lost(price: int, fee: int, earned: int) -> None:
    shares = split(price, price * fee // 100, earned)
    assert shares.store_fee + shares.creator + shares.platform == price
    assert min(shares.store_fee, shares.creator, shares.platform) >= 0


@given(prices=st.lists(PRICES, max_size=60), earned=st.integers(EARNED_LIMIT - 500_000, EARNED_LIMIT))
def test_many_purchases_are_shared_as_one_of_their_sum_would_be(prices: list[int], earned: int) -> None:
    """Up to the cent at most that each purchase is rounded by."""
    total, net = earned, sum(prices)
    for price in prices:
        total += split(price, 0, total).creator
    at_97 = min(Fraction(net), Fraction(EARNED_LIMIT - earned) * 100 / 97)
    exact = earned + at_97 * 97 / 100 + (net - at_97) * 80 / 100
    assert exact - 2 * len(prices) <= total <= exact + Fraction(17, 97) * len(prices)


def test_a_share_of_more_than_all_is_refused() -> None:
    with pytest.raises(BadInputError):
        split(100, 101, 0)


@pytest.mark.parametrize("state", Purchase)
@pytest.mark.parametrize("happening", Payment)
def test_every_cell(state: Purchase, happening: Payment) -> None:
    if (state, happening) in PURCHASE:
        assert next_purchase(state, happening) is PURCHASE[state, happening]
    else:
        with pytest.raises(WrongStateError):
            next_purchase(state, happening)


def test_money_that_comes_late_goes_back() -> None:
    for gone in (Purchase.DECLINED, Purchase.EXPIRED):
        assert next_purchase(gone, Payment.CONFIRM) is Purchase.REFUNDING
    assert not {Purchase.REFUNDING, Purchase.REFUNDED} & HOLDS
