"""The rules of the house in words, beside which a reviewer reads a case and an affected user the decision."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from media.moderation.categories import Category

RULES: Final[Mapping[Category, str]] = MappingProxyType(
    {
        Category.THREAT_TO_LIFE: "Nobody announces or threatens that somebody will be killed or gravely hurt.",
        Category.CHILD_SAFETY: "Nobody endangers, sexualises or exploits children, or asks them for contact.",
        Category.VIOLENCE: "Nobody calls for violence, praises it, or threatens with it.",
        Category.HATE: "Nobody degrades people for what they are: origin, faith, sex, gender, love, disability.",
        Category.HARASSMENT: "Nobody insults, stalks or intimidates a person, or has others do it.",
        Category.SELF_HARM: "Nobody encourages others to hurt themselves; who speaks of it is offered help.",
        Category.ILLEGAL_GOODS: "Nobody offers what must not be sold: drugs, weapons, forged papers.",
        Category.PRIVACY: "Nobody gives away what is private to somebody else: addresses, numbers, recordings.",
        Category.IMPERSONATION: "Nobody pretends to be another person or an institution.",
        Category.INTELLECTUAL_PROPERTY: "Nobody plays or reads out what belongs to others without leave.",
        Category.MISINFORMATION: "Nobody spreads what is known to be false to do harm: on elections, on health.",
        Category.DISTURBANCE: "Nobody makes a Space unusable by noise, shouting or turns that are not theirs.",
        Category.SPAM: "Nobody advertises over and over, or leads people to fraud.",
        Category.OTHER: "Whatever breaks the rules that the host or the law has set, and has no line of its own.",
    }
)
