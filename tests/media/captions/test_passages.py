"""Which lines are heard once more together, and from what sound."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from media.captions.gates import recognise_gated
from media.captions.lines import Line
from media.captions.passage_sound import sound_of
from media.captions.passages import FINAL_CUT_MS, GAP_MS, Passage, passages_of
from media.captions.recogniser import FULL_WINDOW_S
from media.captions.tones import ToneRecogniser
from tests.media.captions.speaking import packets


def line(number: int, start: int, end: int, user: str = "ana", *, corrected: bool = False) -> Line:
    return Line(str(number), user, start, end, "x", automatic=not corrected, corrected=corrected)


def test_lines_that_follow_each_other_are_one_passage_whoever_speaks_between() -> None:
    lines = [line(1, 0, 8_000), line(2, 2_000, 3_000, "ben"), line(3, 8_000, 12_000), line(4, 20_000, 21_000)]
    assert list(passages_of(lines)) == [Passage("ana", 0, 12_000, ("1", "3"))]


def test_a_corrected_line_stays_and_parts_what_is_around_it() -> None:
    lines = [line(n, 1_000 * n, 1_000 * n + 1_000, corrected=n == 3) for n in range(1, 6)]
    assert [each.line_ids for each in passages_of(lines)] == [("1", "2"), ("4", "5")]


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 2_000), st.integers(100, 8_000), st.booleans()),
        max_size=30,
    )
)
def test_passages_fit_a_window_and_hold_automatic_lines_once(
    said: list[tuple[str, int, int, bool]],
) -> None:
    lines: list[Line] = []
    at = {"a": 0, "b": 0}
    for number, (user, gap, length, corrected) in enumerate(said):
        start = at[user] + gap
        at[user] = start + length
        lines.append(line(number, start, at[user], user, corrected=corrected))
    by_id = {each.id: each for each in lines}
    seen: list[str] = []
    for passage in passages_of(lines):
        mine = [by_id[each] for each in passage.line_ids]
        seen += passage.line_ids
        assert len(mine) > 1 and {each.user_id for each in mine} == {passage.user_id}
        assert all(each.automatic for each in mine)
        assert passage.end_ms - passage.start_ms <= FINAL_CUT_MS
        assert all(b.start_ms - a.end_ms <= GAP_MS for a, b in pairwise(mine))
    assert len(seen) == len(set(seen))


def test_the_sound_of_a_passage_is_that_of_its_packets_where_they_were() -> None:
    sent = [(60_000 + 20 * n, each) for n, each in enumerate(packets(["we", "hear"]))]
    sent.insert(9, (60_180, b"\xff" * 5))
    sound = sound_of(sent, 59_000, 63_000)
    assert len(sound) == 4 * 16_000 and not sound[:15_000].any()
    heard = recognise_gated(ToneRecogniser(), sound, FULL_WINDOW_S, None)
    assert heard is not None and heard.text == "we hear"
