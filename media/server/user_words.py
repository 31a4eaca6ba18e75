"""The words by which a user is found, and writing them: whenever a handle or a name is written."""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from media.server.discovery.words import WITHOUT_SPACES, plain, plain_words
from media.server.tables import USER_WORDS

WORD_MAX: Final = 64
"""Letters of a word that count."""
BATCH: Final = 5_000
"""Rows written at a time."""


def words_of(username: str, name: str) -> set[str]:
    """Return the handle, and the words of a name as they may be typed: O'Brien is o'brien, o and brien.

    Where words are not parted by spaces, one may begin at any letter.
    """
    words = {plain(username), *plain_words(username), *plain_words(name), *plain(name).split()}
    words |= {word[at:] for word in words if WITHOUT_SPACES.search(word) for at in range(1, len(word))}
    return {word[:WORD_MAX] for word in words}


async def write_words(connection: AsyncConnection, users: Iterable[tuple[str, str, str]]) -> None:
    """Write the words of some users, who have none yet: of each the id, the username and the name."""
    rows = [{"word": word, "user_id": id_} for id_, *names in users for word in sorted(words_of(*names))]
    for start in range(0, len(rows), BATCH):
        await connection.execute(sa.insert(USER_WORDS), rows[start : start + BATCH])


async def forget_words(connection: AsyncConnection, user_id: str) -> None:
    """Delete the words of a user."""
    await connection.execute(sa.delete(USER_WORDS).where(USER_WORDS.c.user_id == user_id))
