"""Text as words: what is typed finds what is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.server.discovery.languages import languages
from media.server.discovery.words import closeness, fold, tokens


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Straße, STRASSE & ｆｕｌｌ width", ["strasse", "strasse", "full", "width"]),
        ("#Launch of @Brand.Co. and $TSLA at 5$", ["#launch", "of", "@brand.co", "and", "$tsla", "at", "5"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("don’t", ["don", "t"]),
        ("東京タワー", ["東京タワー"]),
        ("a\u0000b", ["a", "b"]),
        ("…!?", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert [token.text for token in tokens(text)] == found


@pytest.mark.parametrize(
    ("term", "text", "how"),
    [
        ("launch", "Product Launch", 1.0),
        ("laun", "Product Launch", 0.6),
        ("aunch", "Product Launch", 0.0),
        ("lukasz", "Ana Łukasz", 0.0),  # ł is a letter of its own, without an accent
        ("resume", "Résumé night", 1.0),
        ("タワー", "東京タワーの話", 0.8),
        ("product night", "night of the product", 1.0),
        ("product night", "product", 0.0),
    ],
)
def test_closeness(term: str, text: str, how: float) -> None:
    assert closeness(term, text) == how


@given(st.text(max_size=60))
def test_any_text_is_read_and_found_by_itself(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    for token in tokens(text):
        assert token.word
        assert closeness(token.word, text) > 0


def test_languages_of_a_header() -> None:
    assert languages("de-CH, en;q=0.5, en-GB ; q=0.8, *;q=0.1, nonsense!, fr;q=2") == {
        "de": 1.0,
        "en": 0.8,
        "*": 0.1,
    }
    assert languages("") == {}
