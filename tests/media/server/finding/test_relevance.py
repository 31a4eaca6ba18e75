"""Who is found first: more mentions, later ones and more followers never lower a person, and reasons add up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.server.discovery.words import tokens
from media.server.finding.relevance import DAY, Mention, Person, Tally, in_order
from media.server.finding.terms import index_of, read_terms
from media.space.errors import BadInputError
from media.space.ranking import Ranked

NOW = 1_000 * DAY
TERMS = ("launch", "@acme")

mentions = st.lists(
    st.builds(
        Mention,
        post=st.integers(1, 10**6),
        author=st.sampled_from("abcd"),
        at=st.floats(NOW - 100 * DAY, NOW),
        counts=st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(any),
    ),
    max_size=12,
)
followers = st.fixed_dictionaries({name: st.integers(0, 10**7) for name in "abcd"})
shares = st.floats(0, 1)


def ranking(found: list[Mention], known: dict[str, int], reach: float = 0.25) -> list[Ranked[Person]]:
    """The authors of mentions among a hundred authors, best first."""
    tally = Tally(TERMS, NOW)
    for mention in found:
        tally.add(mention, known.get(mention.author, 0))
    return in_order(map(tally.scorer(100, reach), tally.people))


def score(found: list[Mention], known: dict[str, int], person: str, reach: float = 0.25) -> float:
    ranked = ranking(found, known, reach)
    return next((r.score for r in ranked if r.entry.user_id == person), 0.0)


@given(mentions, followers, shares)
def test_reasons_sum_to_the_score_which_orders(found: list[Mention], known: dict[str, int], reach: float) -> None:
    ranked = ranking(found, known, reach)
    assert {r.entry.user_id for r in ranked} == {m.author for m in found}
    assert [r.score for r in ranked] == sorted((r.score for r in ranked), reverse=True)
    for each in ranked:
        assert math.isclose(math.fsum(r.contribution for r in each.reasons), each.score, abs_tol=1e-9)
        assert each.entry.mentions == sum(sum(m.counts) for m in found if m.author == each.entry.user_id)
    assert ranking(found, known, reach) == ranked


@given(mentions.filter(bool), followers, st.integers(1, 10**6))
def test_more_followers_never_lower(found: list[Mention], known: dict[str, int], more: int) -> None:
    person = found[0].author
    assert score(found, known | {person: known[person] + more}, person) >= score(found, known, person)


@given(mentions.filter(bool), followers, st.floats(0, 50 * DAY))
def test_the_same_said_later_never_lowers(found: list[Mention], known: dict[str, int], later: float) -> None:
    first = found[0]
    moved = Mention(first.post, first.author, min(NOW, first.at + later), first.counts)
    assert score([moved, *found[1:]], known, first.author) >= score(found, known, first.author)


@given(mentions.filter(bool), followers, st.integers(1, 9))
def test_said_more_often_never_lowers(found: list[Mention], known: dict[str, int], more: int) -> None:
    first = found[0]
    place = next(n for n, count in enumerate(first.counts) if count)
    counts = tuple(count + more * (n == place) for n, count in enumerate(first.counts))
    louder = Mention(first.post, first.author, first.at, counts)
    assert score([louder, *found[1:]], known, first.author) >= score(found, known, first.author)


def test_a_term_that_few_mention_counts_more() -> None:
    found = [Mention(n, f"u{n}", NOW, (1, 0)) for n in range(50)] + [Mention(99, "rare", NOW, (0, 1))]
    ranked = ranking(found, {})
    assert ranked[0].entry.user_id == "rare"
    assert ranked[0].reasons[0].signal == "term:@acme"


@pytest.mark.parametrize(
    ("term", "text", "count"),
    [
        ("launch", "Launch! the #LAUNCH, launches, prelaunch", 2),
        ("#launch", "launch #Launch", 1),
        ("@acme", "@ACME @acme_support acme", 1),
        ("Straße", "STRASSE straße", 2),
        ("product launch", "a product  LAUNCH; product-launch, launch product", 2),
        ("acme", "acmé", 0),
        ("東京", "東京タワー 東京", 1),
        ("$acme", "$ACME acme", 1),
    ],
)
def test_a_term_is_found_as_whole_words(term: str, text: str, count: int) -> None:
    read = read_terms([term])[0]
    assert read.count(tokens(text)) == count
    if count:
        assert set(read.words) <= index_of(text), "what is there is found by the index"


@given(st.text(max_size=40), st.text(max_size=200))
def test_whatever_is_counted_is_indexed(term: str, text: str) -> None:
    try:
        read = read_terms([term])[0]
    except BadInputError:
        return
    if read.count(tokens(text)):
        assert set(read.words) <= index_of(text)


@pytest.mark.parametrize("terms", [[], ["!"], ["x"] * 11, ["x" * 81]])
def test_no_terms(terms: list[str]) -> None:
    with pytest.raises(BadInputError):
        read_terms(terms)


def test_terms_are_read_once() -> None:
    assert [t.written for t in read_terms(["Launch", "LAUNCH ", "#launch"])] == ["launch", "#launch"]
