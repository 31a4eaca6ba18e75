import dataclasses
import re
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import scenario
from sim.scenario import Collapse, Guest, Scenario, ScenarioError
from sim.tomllines import line_of

TEXT = (resources.files("sim") / "scenarios" / "product-launch.toml").read_text(encoding="utf-8")
LINES = TEXT.splitlines()
NUMBERS = [index for index, line in enumerate(LINES) if re.match(r"\w+ = [\d_.]+", line)]


def parse(text: str) -> Scenario:
    return scenario.parse(text, name="mine", source="mine.toml")


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def line_starting(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def refused(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_every_use_of_the_product_and_the_incident_has_a_scenario() -> None:
    assert set(scenario.names()) == {
        "feedback-round", "product-launch", "trending-panel", "fan-questions", "match-companion", "service-hour",
        "candidacy-2023",
    }  # fmt: skip
    for name in scenario.names():
        assert scenario.load(name).name == name
    assert scenario.load().name == "product-launch"
    assert scenario.load().host.followers == 2_000_000


@pytest.mark.parametrize("name", scenario.names())
def test_every_number_of_a_built_in_scenario_states_its_grade(name: str) -> None:
    text = (resources.files("sim") / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if re.match(r"\w+ = -?[\d]", line):
            assert re.search(r"# (A|B|B/C|C|D|\?)(,|$)", line), line


@pytest.mark.parametrize("name", scenario.names())
def test_a_scenario_survives_the_record_of_a_run(name: str) -> None:
    loaded = scenario.load(name)
    assert Scenario.from_dict(loaded.to_dict()) == loaded


def test_events_are_told_apart_by_kind() -> None:
    assert isinstance(scenario.load("product-launch").events[0], Guest)
    assert isinstance(scenario.load("candidacy-2023").events[0], Collapse)


def test_a_scenario_is_loaded_by_path(tmp_path: Path) -> None:
    file = tmp_path / "friday.toml"
    file.write_text(TEXT, encoding="utf-8")
    assert scenario.load(file) == dataclasses.replace(scenario.load(), name="friday")
    assert scenario.load(str(file)).name == "friday"


@given(st.sampled_from(NUMBERS))
def test_a_negative_number_is_refused_by_name_and_line(index: int) -> None:
    line = LINES[index]
    key = line.split(" = ")[0]
    text = "\n".join([*LINES[:index], line.replace(" = ", " = -", 1), *LINES[index + 1 :]])
    message = refused(text)
    assert message.startswith(f"mine.toml line {index + 1}: ")
    assert key in message
    assert "must be" in message


@given(st.sampled_from(NUMBERS), st.sampled_from(['"many"', "true", "[1]", "nan", "inf", "1979-05-27"]))
def test_a_wrong_type_is_refused_by_name_and_line(index: int, value: str) -> None:
    key = LINES[index].split(" = ")[0]
    text = "\n".join([*LINES[:index], f"{key} = {value}", *LINES[index + 1 :]])
    message = refused(text)
    assert message.startswith(f"mine.toml line {index + 1}: ")
    assert key in message


@given(st.sampled_from(NUMBERS))
def test_a_missing_key_is_refused_by_name(index: int) -> None:
    key = LINES[index].split(" = ")[0]
    message = refused("\n".join([*LINES[:index], *LINES[index + 1 :]]))
    assert f"{key} is missing" in message


def test_a_missing_key_names_the_line_of_its_table() -> None:
    text = changed("followers = 2_000_000", "# nobody")
    assert refused(text) == f"mine.toml line {line_starting(text, '[host]')}: the key host.followers is missing"


def test_an_unknown_key_is_refused_by_name_and_line() -> None:
    text = changed("online_share", "onlin_share")
    message = refused(text)
    assert message.startswith(
        f"mine.toml line {line_starting(text, 'onlin_share')}: unknown key bubble.onlin_share;"
    )
    assert "online_share" in message


def test_unknown_tables_and_keys_of_events_are_found() -> None:
    assert refused(TEXT + "\n[weather]\nrain = 1\n").startswith(
        f"mine.toml line {len(LINES) + 2}: unknown key weather;"
    )
    event = '\n[[events]]\nkind = "guest"\nminute = 3\nfollowers = 4\nfriends = 5\n'
    assert refused(TEXT + event).startswith(f"mine.toml line {len(LINES) + 6}: unknown key events[1].friends;")


def test_an_event_of_no_known_kind_and_one_after_the_end_are_refused() -> None:
    assert "events[0].kind is 'gest'; it must be one of guest, surge, collapse" in refused(
        changed('kind = "guest"', 'kind = "gest"')
    )
    late = changed("minute = 15", "minute = 50")
    assert refused(late).startswith(f"mine.toml line {line_starting(late, 'minute')}: events[0].minute is 50")
    assert "events is 3" in refused("events = 3\n" + TEXT[: TEXT.index("[[events]]")])


def test_a_share_above_one_and_a_table_that_is_a_number_are_refused() -> None:
    assert "bubble.click_rate is 12; it must be between 0 and 1" in refused(
        changed("click_rate = 0.12", "click_rate = 12")
    )
    start, end = TEXT.index("[host]"), TEXT.index("[turnout]")
    assert refused("host = 3\n" + TEXT[:start] + TEXT[end:]) == "mine.toml line 1: host is 3; it must be a table"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("length_min = ", "length_min = 1e9 #", "length_min is 1e+09; it must be more than 0 and at most 1,440"),
        ("followers = ", "followers = 100_000_000_000 #", "it must be between 0 and 10,000,000,000"),
        ("speakers = ", "speakers = 14 #", "speakers is 14; it must be between 1 and 13"),
        ("open_microphones = ", "open_microphones = 13 #", "are on stage (speakers)"),
    ],
)
def test_what_no_evening_has_is_refused_by_its_rule(old: str, new: str, rule: str) -> None:
    assert rule in refused(changed(f"\n{old}", f"\n{new}"))


def test_what_is_not_toml_and_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "not valid TOML" in refused("title = \n")
    with pytest.raises(ScenarioError, match="no scenario named 'friday'; take one of candidacy-2023,"):
        scenario.load("friday")
    with pytest.raises(ScenarioError, match="cannot be read"):
        scenario.load(tmp_path / "none.toml")
    with pytest.raises(ScenarioError, match="named by its file"):
        parse('name = "x"\n' + TEXT)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("b", "c d"), 3),
        (("list",), 5),
        (("after",), 9),
        (("t", "in", "x"), 11),
        (("rows", 1, "v"), 16),
        (("rows", 1), 15),
        (("rows", 1, "text"), 17),
        (("nowhere",), None),
    ],
)
def test_the_line_of_a_key_is_found_in_any_toml(path: tuple[str | int, ...], line: int | None) -> None:
    text = '\n'.join([
        "a = 1", "# b = 2", 'b."c d" = 3', "", "list = [", "  1,  # after = 2", "  2,", "]", "after = 4", "[t]",
        "in = {x = 1, y = 2}", "[[rows]]", "v = 1", "", "[[rows]]", "v = 2", 'text = """', "[t.q]", '"""',
    ])  # fmt: skip
    assert line_of(text, path) == line
