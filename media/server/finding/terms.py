"""What is looked for in posts: words, phrases, hashtags, handles and stocks, as whole words and in any case."""

from collections.abc import Sequence
from dataclasses import dataclass

from media.server.discovery.words import Token, tokens
from media.space.errors import BadInputError

TERM_MAX = 80
"""Letters of a term."""
TERMS_MAX = 10
"""Terms that are looked for at a time."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term, read.

    ``launch`` is found in ``launch`` and ``#launch``, ``#launch`` in the hashtag alone; ``@ana`` is ana's handle;
    words in a row are found in a row.
    """

    written: str
    tokens: tuple[Token, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """What the index of posts has for it; a post has all of them."""
        return tuple(dict.fromkeys(token.text for token in self.tokens))

    def count(self, text: Sequence[Token]) -> int:
        """Count where the words of a text are this term."""
        size = len(self.tokens)
        return sum(
            all(_is(wanted, text[start + place]) for place, wanted in enumerate(self.tokens))
            for start in range(len(text) - size + 1)
        )


def read_terms(written: Sequence[str]) -> list[Term]:
    """Read terms, each once.

    :raises BadInputError: there is none, one has no word, or there are too many
    """
    if not 1 <= len(written) <= TERMS_MAX:
        raise BadInputError(f"Name 1 to {TERMS_MAX} terms, not {len(written)}.")
    read: dict[tuple[Token, ...], Term] = {}
    for each in written:
        found = tuple(tokens(each))
        if not found or len(each) > TERM_MAX:
            raise BadInputError(
                f"{each[:TERM_MAX]!r} is no term: it needs a word, and at most {TERM_MAX} letters."
            )
        read.setdefault(found, Term(" ".join(token.text for token in found), found))
    return list(read.values())


def index_of(text: str) -> set[str]:
    """Return the words by which a post is found."""
    return {word for token in tokens(text) for word in (token.word, token.text)}


def _is(wanted: Token, found: Token) -> bool:
    return wanted.word == found.word and (not wanted.sign or wanted.sign == found.sign)
