"""Server-Sent Events on the wire (WHATWG HTML, section 9.2.5): lines of UTF-8, an empty one ends an event."""

from typing import Final

from pydantic_core import to_json

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT: Final = b":\n\n"
"""A comment: nobody sees it, but whoever is between keeps the connection, and a dead one is found out."""
_DIGITS: Final = 16
"""An id of more digits is none of ours; those of JavaScript's exact numbers are."""


def encode(name: str, data: object, number: int | None = None) -> bytes:
    """Write an event.  Without a number it leaves the reader's last id as it is.

    :param data: anything that pydantic turns into JSON, which is one line
    """
    head = b"" if number is None else b"id: %d\n" % number
    return b"%sevent: %s\ndata: %s\n\n" % (head, name.encode(), to_json(data))


def retry(milliseconds: int) -> bytes:
    """Write how long to wait before connecting again."""
    return b"retry: %d\n\n" % milliseconds


def parse_id(text: str | None) -> int | None:
    """Return the number in a ``Last-Event-ID``; None for whatever is no number of ours."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > _DIGITS:
        return None
    return int(text)
