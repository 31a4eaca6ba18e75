"""Lists in pages, asked for as in X API v2: ``max_results``, ``pagination_token``, and ``meta.next_token``.

A token says where a page ended, not how many came before: a list that grows meanwhile neither repeats nor skips.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Query

from media.server.errors import Problem

PAGE: Final = 100
"""Entries of a page unless asked otherwise."""
PAGE_MAX: Final = 1000
SPACES_MAX: Final = 100
"""Spaces of a page, as in X API v2: each is read from the store as a whole."""

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Page:
    """What a client asked for."""

    size: int
    token: str | None

    @property
    def limit(self) -> int:
        """Entries to read: one more than are shown, which tells whether there is a next page."""
        return self.size + 1

    def after(self) -> str:
        """Where the last page ended; "" at the start.

        :raises Problem: 422, the token is none
        """
        if self.token is None:
            return ""
        try:
            text = base64.b64decode(self.token.encode(), altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            text = ""
        if not text or not text.isprintable():
            raise no_token()
        return text

    def after_number(self) -> int | None:
        """As :meth:`after`, where places are numbers; None at the start.

        :raises Problem: 422, the token is none, or of another list
        """
        text = self.after()
        if not text:
            return None
        if not text.isdecimal() or len(text) > 18:
            raise no_token()
        return int(text)

    def after_time(self) -> tuple[float, str] | None:
        """As :meth:`after`, where places are a time and an id; None at the start.

        :raises Problem: 422, the token is none, or of another list
        """
        text = self.after()
        at, _, number = text.partition(" ")
        try:
            return (float(at), number) if text else None
        except ValueError:
            raise no_token() from None

    def cut(self, entries: Sequence[Entry], places: Sequence[object]) -> tuple[Sequence[Entry], str | None]:
        """Return the entries to show, and the token for the next page if there is one."""
        if len(entries) <= self.size:
            return entries, None
        place = str(places[self.size - 1]).encode()
        return entries[: self.size], base64.urlsafe_b64encode(place).decode()


PageToken = Annotated[str | None, Query(max_length=200, description="`meta.next_token` of the page before")]


async def _page(
    max_results: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE, pagination_token: PageToken = None
) -> Page:
    return Page(max_results, pagination_token)


async def _page_of_spaces(
    max_results: Annotated[int, Query(ge=1, le=SPACES_MAX)] = SPACES_MAX, pagination_token: PageToken = None
) -> Page:
    return Page(max_results, pagination_token)


def no_token() -> Problem:
    """Return the refusal of a token that is none of a list."""
    return Problem(422, "bad-input", "The pagination_token is none of this list; send meta.next_token as it was.")


Paged = Annotated[Page, Depends(_page)]
PagedSpaces = Annotated[Page, Depends(_page_of_spaces)]
