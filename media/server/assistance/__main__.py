"""``python -m media.server.assistance``: what lines are nearest to, for whoever writes examples.

Reads a line of text each from the standard input, and prints a JSON object each: the nearest rule and example, by
what margin, whether it would be told, and how many milliseconds that took.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable

from media.moderation.rule_examples import MARGIN
from media.server.assistance.embedding import Embedder, EmbeddingError

EVERYTHING = -2.0
"""A margin from which on every line has a nearest rule: cosines differ by 2 at most."""


async def judge(lines: Iterable[str]) -> None:
    """Print what lines are nearest to."""
    embedder = Embedder()
    try:
        rules = await embedder.rules(EVERYTHING)
        for line in lines:
            begun = time.perf_counter()
            match = rules.judge((await embedder.embed([line]))[0])
            milliseconds = 1e3 * (time.perf_counter() - begun)
            assert match is not None
            found = {"category": match.category.value, "example": match.example, "margin": round(match.margin, 4)}
            print(json.dumps(found | {"told": match.margin >= MARGIN, "ms": round(milliseconds, 1)}), flush=True)
    finally:
        embedder.close()


if __name__ == "__main__":
    try:
        asyncio.run(judge(line.strip() for line in sys.stdin if line.strip()))
    except EmbeddingError as error:
        sys.exit(str(error))
