"""Lines against rules by example: the nearest example is the reason, and what is harmless stays so."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from media.moderation.categories import Category
from media.moderation.rule_examples import ExampleError, RuleExamples, RulesByExample, Vectors, is_worth_judging


def embed(texts: Sequence[str]) -> Vectors:
    """Bags of words, hashed: texts that share words are near each other."""
    vectors = np.zeros((len(texts), 64), np.float32)
    for row, text in zip(vectors, texts, strict=True):
        for word in text.lower().split():
            row[hashlib.sha256(word.encode()).digest()[0] % 64] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


RULES = [
    RuleExamples(Category.THREAT_TO_LIFE, ("i will hurt you tonight", "you will not live long")),
    RuleExamples(Category.SPAM, ("buy cheap coins at my shop",)),
]
HARMLESS = ("the heat will hurt the harvest", "what a lovely shop")


def test_a_line_is_told_with_its_nearest_example() -> None:
    rules = RulesByExample(RULES, HARMLESS, embed)
    match = rules.judge(embed(["tonight i will hurt you"])[0])
    assert match is not None
    signal = match.signal("rex", 7.0)
    assert (signal.people, signal.category, signal.at) == (("rex",), Category.THREAT_TO_LIFE, 7.0)
    assert "«i will hurt you tonight»" in signal.reason and 0 < signal.strength <= 1
    assert rules.judge(embed(["the heat will hurt the harvest badly"])[0]) is None


def test_rules_without_examples_are_none() -> None:
    for rules, harmless in (([], HARMLESS), (RULES, ()), ([RuleExamples(Category.SPAM, ())], HARMLESS)):
        with pytest.raises(ExampleError, match="Every rule needs an example"):
            RulesByExample(rules, harmless, embed)
    assert is_worth_judging("i will hurt") and not is_worth_judging("i will")
