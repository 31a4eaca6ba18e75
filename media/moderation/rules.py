"""The rules of this service in words, one for each category: read by reviewers, and told to users.

They are a choice, to be put into the service's own words by whoever runs it; what the law forbids is forbidden
anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from media.moderation.categories import Category


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    name: str
    text: str
    """What is forbidden, and what is not."""


RULES: Final[Mapping[Category, Rule]] = MappingProxyType(
    {
        Category.THREAT_TO_LIFE: Rule(
            "Threats to life",
            "Nobody may announce, plan or call for the killing of anybody. Reporting such a threat is no threat.",
        ),
        Category.CHILD_SAFETY: Rule(
            "Safety of children",
            "Nobody may sexualise children, approach them for it, or share or ask for such material.",
        ),
        Category.VIOLENCE: Rule(
            "Violence",
            "Nobody may call for violence, praise it, or instruct others in it. News, history and art may speak "
            "of it.",
        ),
        Category.HATE: Rule(
            "Hate",
            "Nobody may attack people for what they are: origin, religion, sex, gender identity, sexual "
            "orientation, "
            "disability or illness. Quoting hate to condemn it, and words that a group uses of itself, are no "
            "hate.",
        ),
        Category.HARASSMENT: Rule(
            "Harassment",
            "Nobody may insult, stalk, or sexually harass others, or have others do so. Criticism is no "
            "harassment.",
        ),
        Category.SELF_HARM: Rule(
            "Self-harm",
            "Nobody may encourage suicide, self-injury or eating disorders, or instruct in them. Speaking of "
            "one's own "
            "distress is welcome.",
        ),
        Category.ILLEGAL_GOODS: Rule(
            "Illegal goods and services",
            "Nobody may offer or ask for what the law forbids to trade, such as weapons, drugs, and forged "
            "papers.",
        ),
        Category.PRIVACY: Rule(
            "Privacy",
            "Nobody may make known where somebody lives, how to reach them, or intimate matters, without their "
            "consent.",
        ),
        Category.IMPERSONATION: Rule(
            "Impersonation",
            "Nobody may pretend to be another person or organisation. Parody that says so is allowed.",
        ),
        Category.INTELLECTUAL_PROPERTY: Rule(
            "Intellectual property",
            "Nobody may play or offer works, brands or designs of others without a right to do so.",
        ),
        Category.MISINFORMATION: Rule(
            "Misleading claims",
            "Nobody may spread claims known to be false that endanger health, safety, or an election.",
        ),
        Category.DISTURBANCE: Rule(
            "Disturbance",
            "Nobody may make a conversation impossible, such as by noise, by shouting, or by taking turns at it.",
        ),
        Category.SPAM: Rule(
            "Spam",
            "Nobody may advertise again and again without being asked, or deceive others for gain.",
        ),
        Category.OTHER: Rule(
            "Conduct",
            "Nobody may use a Space in a way that keeps others from using it safely and freely.",
        ),
    }
)
"""Rule that a decision of each category is taken on, unless the reviewer names another or the law."""
