"""Ranked lists in pages: a token holds the moment of the first page, and where the last one ended.

Freshness decides along with the rest, so that all pages are ranked as of the same moment: nothing is then shown
twice or skipped but what has itself changed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from media.server.discovery.discovery import Found
from media.server.discovery.schema import FoundList, FoundMeta, FoundSpace
from media.server.paging import Page, no_token
from media.server.tickets.shapes import TicketTag
from media.space.space import Space

Tags = Callable[[Sequence[Space]], Awaitable[Mapping[str, TicketTag]]]


class RankedPage:
    """What a client asked for; :meth:`begin` before anything else."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.at = 0.0
        """For which moment to rank (Unix seconds)."""
        self._after: tuple[float, float, str] | None = None

    def begin(self, now: float) -> None:
        """Read the token; without one the list is of now (Unix seconds).

        :raises Problem: 422, it is none
        """
        self.at = now
        text = self._page.after()
        if not text:
            return
        try:
            at, score, since, space_id = text.split(" ")
            self.at, self._after = float(at), (float(score), float(since), space_id)
        except ValueError:
            raise no_token() from None

    async def list(self, found: Sequence[Found], base: str, tags: Tags) -> FoundList:
        """Show the page of a ranked list.

        :param base: the address of this server, with a slash at its end
        :param tags: finds what is to be said of tickets
        """
        left = [each for each in found if self._after is None or each.place > self._after]
        places = ["{!r} {!r} {!r} {}".format(self.at, *each.place) for each in left]
        shown, following = self._page.cut(left, places)
        meta = FoundMeta(result_count=len(shown), found_count=len(found), next_token=following)
        tagged = await tags([each.space for each in shown])
        return FoundList(data=[FoundSpace.of(each, base, tagged.get(each.space.id)) for each in shown], meta=meta)
