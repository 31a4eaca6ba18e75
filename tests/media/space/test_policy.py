"""Rules of other dates, and of one's own: what is not said is as in a preset, and what cannot be is named."""

from dataclasses import fields, replace
from typing import Any

import pytest

from media.space.errors import BadInputError, NotEligibleError
from media.space.policy import DAY, DEFAULT, PRESETS, Policy, preset
from media.space.space import Space


def test_the_presets_are_those_of_their_dates() -> None:
    shown = {
        name: (p.speaker_seats, p.cohost_seats, p.followers_to_host, p.schedule_window / DAY, p.schedule_limit)
        for name, p in PRESETS.items()
    }
    assert shown == {"2020-12": (10, 0, 0, 0, 0), "2021-05": (11, 0, 600, 14, 1), "2021-08": (10, 2, 0, 30, 10)}
    assert {(p.evidence_days, p.appeal_days) for p in PRESETS.values()} == {(30, 90)}
    assert DEFAULT.name == "2021-08"


def test_who_can_host_is_a_matter_of_the_policy() -> None:
    with pytest.raises(NotEligibleError, match="takes 600 followers"):
        Space("s", "host", 0.0, policy=preset("2021-05"), followers=599)
    Space("s", "host", 0.0, policy=preset("2021-05"), followers=600)


def test_custom_rules_say_what_is_different() -> None:
    assert Policy.from_mapping({"name": "pilot"}) == replace(DEFAULT, name="pilot")
    town_hall = Policy.from_mapping({"name": "town-hall", "base": "2020-12", "speaker_seats": 50, "grace": 2.5})
    assert town_hall == replace(PRESETS["2020-12"], name="town-hall", speaker_seats=50, grace=2.5)
    every = {field.name: 7 for field in fields(Policy) if field.name != "name"}
    assert Policy.from_mapping({"name": "sevens", **every}) == Policy("sevens", **every)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "A policy needs a name, up to 40 letters, digits, '_', '-' and '.'; not None."),
        ({"name": "a b"}, "needs a name"),
        ({"name": 7}, "needs a name"),
        ({"name": "2021-05", "pins": 9}, "Policy '2021-05': name is that of a preset; choose another"),
        (
            {"name": "x", "base": "1999"},
            "Policy 'x': base is '1999', but must be one of 2020-12, 2021-05, 2021-08.",
        ),
        ({"name": "x", "base": ["2021-05"]}, "Policy 'x': base is"),
        ({"name": "x", "seats": 3}, "Policy 'x': there is no 'seats'; there are speaker_seats, cohost_seats,"),
        ({"name": "x", "speaker_seats": -1}, "speaker_seats is -1, but must be a whole number, 0 to 1000000000."),
        ({"name": "x", "speaker_seats": 2.5}, "speaker_seats is 2.5, but must be a whole number"),
        ({"name": "x", "pins": True}, "pins is True, but must be a whole number"),
        ({"name": "x", "pins": None}, "pins is None"),
        ({"name": "x", "grace": "30 s"}, "grace is '30 s', but must be a number"),
        ({"name": "x", "grace": float("nan")}, "grace is nan"),
        ({"name": "x", "grace": float("inf")}, "grace is inf"),
    ],
)
def test_what_cannot_be_is_named_in_one_sentence(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInputError) as refusal:
        Policy.from_mapping(said)
    assert sentence in str(refusal.value)
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)
