"""Tokens of Whisper and the text they stand for.

A vocabulary has one token a line, each a string of letters that stand for bytes (GPT-2's byte-level BPE):
printable ones for themselves, the others for letters from U+0100 on. Text is UTF-8, so a letter may end in the
next token.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

END: Final = "<|endoftext|>"
START: Final = "<|startoftranscript|>"
_SPACE: Final = "Ġ"
"""The letter that stands for a space."""


class Vocabulary:
    """Tokens by number, and numbers by token."""

    def __init__(self, tokens: Sequence[str]) -> None:
        """Take the tokens in the order of their numbers.

        :raises ValueError: it is no vocabulary of Whisper
        """
        self._tokens = tokens
        self._numbers = {token: number for number, token in enumerate(tokens)}
        if END not in self._numbers or START not in self._numbers:
            raise ValueError(f"the vocabulary has no {END} or no {START}, so it is not one of Whisper")
        self.end = self._numbers[END]
        """Tokens from this number on are no text."""

    def __getitem__(self, token: str) -> int:
        return self._numbers[token]

    def __contains__(self, token: str) -> bool:
        return token in self._numbers

    def begins_word(self, number: int) -> bool:
        """Whether there is a space before a token."""
        return self._tokens[number].startswith(_SPACE)

    def text_of(self, numbers: Iterable[int]) -> str:
        """Return the text of some tokens; bytes that are no UTF-8 become U+FFFD."""
        letters = "".join(self._tokens[number] for number in numbers if number < self.end)
        return bytes(_BYTES.get(letter, 0x3F) for letter in letters).decode("utf-8", "replace").strip()


def read_vocabulary(path: Path) -> Vocabulary:
    """Read ``vocabulary.txt`` of a model in CTranslate2's format.

    :raises OSError: it cannot be read
    :raises ValueError: it is no vocabulary of Whisper
    """
    return Vocabulary(path.read_text(encoding="utf-8").split("\n"))


def _byte_letters() -> dict[str, int]:
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + n): byte for n, byte in enumerate(others)}


_BYTES: Final = _byte_letters()
