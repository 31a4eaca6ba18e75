"""Lines of captions: what one speaker said between two moments of a Space's timeline."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CUE_LETTERS: Final = 84
"""Letters of a cue: two rows of 42, as subtitles have."""
SENTENCE_ENDS: Final = (".", "?", "!", "…", "。", "？", "！")


@dataclass(frozen=True, slots=True)
class Line:
    """A final line; times are milliseconds since the Space started."""

    id: str
    user_id: str
    start_ms: int
    end_ms: int
    text: str
    language: str = ""
    """ISO 639-1; empty if unknown."""
    automatic: bool = True
    """Made by a recogniser, and not (yet) corrected by its speaker."""
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A word with when it was said, by its share of its line's letters."""

    start_ms: int
    end_ms: int
    text: str


def words_of(line: Line) -> list[Word]:
    """Return the words of a line; the times of the first and the last are exact, those between are estimates."""
    texts = line.text.split()
    letters = sum(len(text) + 1 for text in texts)
    words: list[Word] = []
    passed, start = 0, line.start_ms
    for text in texts:
        passed += len(text) + 1
        end = line.start_ms + (line.end_ms - line.start_ms) * passed // letters
        words.append(Word(start, end, text))
        start = end
    return words


def cues_of(line: Line) -> Iterator[Word]:
    """Cut a line into what is read at once: at the ends of sentences, and before it has too many letters."""
    held: list[Word] = []
    for word in words_of(line):
        if held and sum(len(each.text) + 1 for each in held) + len(word.text) > CUE_LETTERS:
            yield _cue(held)
            held = []
        held.append(word)
        if word.text.endswith(SENTENCE_ENDS) and sum(len(each.text) + 1 for each in held) > CUE_LETTERS // 2:
            yield _cue(held)
            held = []
    if held:
        yield _cue(held)


def _cue(words: list[Word]) -> Word:
    return Word(words[0].start_ms, words[-1].end_ms, " ".join(word.text for word in words))
