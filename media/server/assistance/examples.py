"""The examples by which captions are held against the rules of the house, and what is harmless beside them.

They are few, plain and made up, in English: the embedding carries them into other languages. An operator adds what
reviewers decide the same way again and again.
"""

import tomllib
from importlib.resources import files
from typing import Final

from media.moderation.categories import Category
from media.moderation.rule_examples import RuleExamples

FILE: Final = "examples.toml"


def load_examples() -> tuple[list[RuleExamples], list[str]]:
    """Return the examples of each rule, and the harmless ones."""
    text = tomllib.loads(files("media.server.assistance").joinpath(FILE).read_text(encoding="utf-8"))
    rules = [RuleExamples(Category(name), tuple(said)) for name, said in text["rules"].items()]
    return rules, list(text["harmless"]["examples"])
