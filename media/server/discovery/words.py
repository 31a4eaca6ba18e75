"""Text as its words, so that what is typed finds what is written: in any case, script and width of letters.

Both the search for Spaces and the search for posts read text by this, and each database finds the same, because
neither is asked to know Unicode.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

WORD_MAX: Final = 64
"""Letters of a word that count; what is longer is cut."""


def _ranges_of_marks() -> str:
    """Combining marks, which belong to their word in many scripts, though a regular expression does not say so."""
    marks = [n for n in (*range(0x300, 0xAC00), *range(0xFE20, 0xFE30)) if unicodedata.category(chr(n))[0] == "M"]
    return "".join(map(chr, marks))


_LETTER: Final = rf"[\w{_ranges_of_marks()}]"
_TOKEN: Final = re.compile(rf"@[a-z0-9][a-z0-9_.-]*|[#＃]?{_LETTER}+|\$[a-z]{{1,6}}\b")
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
WITHOUT_SPACES: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts that do not part words by spaces: Thai, Lao, Burmese, Khmer, Kana, Han."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text."""

    word: str
    """Folded, without sign."""
    sign: str = ""
    """``#`` of a hashtag, ``@`` of a handle, ``$`` of a stock; else empty."""

    @property
    def text(self) -> str:
        """The word with its sign."""
        return self.sign + self.word


def fold(text: str) -> str:
    """Return text in one form: with compatibility characters (NFKC) and case (full case folding) made equal."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def tokens(text: str) -> list[Token]:
    """Return the words of a text, in order."""
    found: list[Token] = []
    for match in _TOKEN.finditer(fold(text)):
        token = match.group().replace("＃", "#")
        sign = token[0] if token[0] in "#@$" else ""
        word = token[len(sign) :].rstrip(".-") if sign == "@" else token[len(sign) :]
        found.append(Token(word[:WORD_MAX], sign))
    return found


def plain(text: str) -> str:
    """Return text folded, and without the accents of Latin, Greek and Cyrillic letters."""
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", fold(text))))


@lru_cache(maxsize=16_384)
def plain_words(text: str) -> frozenset[str]:
    """Return the words of a text as :func:`plain` has them, without their signs."""
    return frozenset(plain(token.word) for token in tokens(text))


def closeness(term: str, text: str) -> float:
    """Say how well a text has a term, both as they were written: 1 a whole word, 0.6 the beginning of one, 0 not.

    In scripts without spaces between words, a part of the text counts 0.8.
    """
    best = 1.0
    words = plain_words(text)
    for wanted in plain_words(term):
        if wanted in words:
            continue
        if WITHOUT_SPACES.search(wanted) and wanted in plain(text):
            best = min(best, 0.8)
        elif any(word.startswith(wanted) for word in words):
            best = min(best, 0.6)
        else:
            return 0.0
    return best
