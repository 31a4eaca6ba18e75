"""What a body of a request must not be read as."""

import pytest
from pydantic import TypeAdapter, ValidationError

import media.server.app  # noqa: F401  all bodies that there are
from media.server.appeals.order_routes import NewOrder
from media.server.appeals.schemas import StatementForm
from media.server.finding import schema as finding
from media.server.host_tools.settings_shapes import HostSettingsChange
from media.server.host_tools.shapes import EntryRules
from media.server.input import Input, Whole
from media.server.moderation.shapes import NewClaim, SearchIn
from media.server.profiles import NewUser, UserChange
from media.server.replays.shapes import ReplayTrim
from media.server.room import shapes as room
from media.server.schemas import NewOffer, NewSpace, NewTokens, SpaceChange

FLAGS = [
    (NewSpace, "anonymous_listening"),
    (SpaceChange, "anonymous_listening"),
    (NewSpace, "removal_ends_anonymous"),
    (SpaceChange, "removal_ends_anonymous"),
    *((NewUser, name) for name in ("protected", "adult", "verified")),
    *((UserChange, name) for name in ("protected", "adult", "verified")),
    (NewTokens, "admin"),
    (NewTokens, "refresh"),
    *((model, name) for model in (NewSpace, SpaceChange) for name in ("locked", "mute_on_entry")),
    *((model, "is_available_for_replay") for model in (NewSpace, SpaceChange)),
    *((EntryRules, name) for name in ("locked", "mute_on_entry")),
    *((HostSettingsChange, name) for name in ("carry_removals", "mute_on_entry")),
    (StatementForm, "also_illegal"),
    *((model, "appeals") for model in (NewClaim, SearchIn)),
]
NUMBERS = [
    (NewTokens, "ttl_seconds"),
    (NewOffer, "price_cents"),
    (NewOffer, "quantity"),
    (room.NewReaction, "count"),
    (room.NewLink, "uses"),
    (finding.NewCampaign, "max_people"),
    *((model, "entry_rate") for model in (NewSpace, SpaceChange, EntryRules, HostSettingsChange)),
    *((model, "severity") for model in (NewClaim, SearchIn)),
    *((ReplayTrim, name) for name in ("start_ms", "end_ms")),
    (NewOrder, "items"),
]


def complaint(model: type[Input], **fields: object) -> set[str]:
    """The fields that are wrong, of those that were given."""
    with pytest.raises(ValidationError) as error:
        model(**fields)
    return {str(one["loc"][0]) for one in error.value.errors() if one["type"] != "missing"}


@pytest.mark.parametrize(("model", "name"), FLAGS)
@pytest.mark.parametrize("value", [0, 1, "true", "no", 1.0])
def test_a_flag_is_true_or_false(model: type[Input], name: str, value: object) -> None:
    assert complaint(model, **{name: value}) == {name}


@pytest.mark.parametrize(("model", "name"), NUMBERS)
@pytest.mark.parametrize("value", [True, "200", "1e3", 1.5])
def test_a_number_is_no_text_and_no_flag(model: type[Input], name: str, value: object) -> None:
    assert complaint(model, **{name: value}) == {name}


@pytest.mark.parametrize("value", [7, 7.0])
def test_a_whole_number_may_have_a_point(value: float) -> None:
    read = TypeAdapter(Whole).validate_python(value)
    assert (read, type(read)) == (7, int)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -0.5])
def test_what_is_not_whole_is_no_whole_number(value: float) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Whole).validate_python(value)


def test_what_is_not_known_is_refused_by_name() -> None:
    assert complaint(NewSpace, titel="Launch") == {"titel"}


def test_every_flag_and_number_of_a_body_is_among_these() -> None:
    def fields(model: type[Input], kind: str) -> set[tuple[type[Input], str]]:
        shapes = model.model_json_schema()["properties"].items()
        return {(model, name) for name, one in shapes if kind in {one.get("type")} | _either(one)}

    def _either(one: dict[str, object]) -> set[object]:
        found = one.get("anyOf", [])
        assert isinstance(found, list)
        return {each.get("type") for each in found}

    models = _below(Input)
    assert {pair for model in models for pair in fields(model, "boolean")} == set(FLAGS)
    assert {pair for model in models for pair in fields(model, "integer")} == set(NUMBERS)


def _below(model: type[Input]) -> set[type[Input]]:
    return {each for child in model.__subclasses__() for each in (child, *_below(child))}
