"""A scenario: who hosts, who comes, what happens, and what must hold.

One TOML file drives the simulation and the swarm alike, so that both can be laid over each other. A file
states every number; nothing is filled in silently. A mistake is refused by name and line.
"""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from sim.fields import Amount, Bounds, Count, Positive, ScenarioError, Share, Spread, Where, build
from sim.tomllines import Key, line_of

DEFAULT = "product-launch"
SEATS = 13
"""On stage: the host, two co-hosts and ten speakers."""


@dataclass(frozen=True, slots=True)
class Host:
    """The account the Space belongs to."""

    followers: Count


@dataclass(frozen=True, slots=True)
class Turnout:
    """What makes two evenings of the same scenario differ: one lognormal factor (mean 1) on every burst."""

    spread: Spread
    """σ of the factor's logarithm."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """Fast mode: the bubble above the timeline of followers who have the app open."""

    online_share: Share
    click_rate: Share
    median_s: Positive
    """Median time from start to join, lognormal."""
    sigma: Positive


@dataclass(frozen=True, slots=True)
class Push:
    """Slow mode: the notification on the phone."""

    reach_share: Share
    click_rate: Share
    median_s: Positive
    sigma: Positive


@dataclass(frozen=True, slots=True)
class WordOfMouth:
    """Listeners who bring listeners: shared links, posts, messages."""

    joins_per_listener_hour: Amount
    delay_s: Positive
    """Mean time from sharing to joining, exponential."""


@dataclass(frozen=True, slots=True)
class Dwell:
    """How long a listener stays: browsers look in, stayers came to listen; lognormal each."""

    browser_share: Share
    browser_median_s: Positive
    browser_sigma: Positive
    stayer_median_s: Positive
    stayer_sigma: Positive


@dataclass(frozen=True, slots=True)
class Talk:
    """How the people on stage talk: ITU-T P.59, carried over to more than two microphones."""

    open_microphones: Annotated[int, Bounds(1)]
    silence_s: Positive
    single_s: Positive
    double_s: Positive
    interrupt_share: Share
    """Share of single-talk periods that end because somebody else starts."""
    talk_s: Positive
    """Mean talk-spurt of one synthetic voice."""
    pause_s: Positive
    """Mean pause of one synthetic voice."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What a listener must get for the Space to count as good."""

    mouth_to_ear_p95_ms: Positive
    first_packet_p95_ms: Positive
    lost_share: Share


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody with followers of their own goes on stage: the bubble lights up for those as well."""

    kind: str
    minute: Amount
    followers: Count


@dataclass(frozen=True, slots=True)
class Surge:
    """People who come for what just happened: a goal, a headline, a raid from elsewhere."""

    kind: str
    minute: Amount
    people: Count
    median_s: Positive
    sigma: Positive


@dataclass(frozen=True, slots=True)
class Collapse:
    """The room dies and everybody is thrown out; later it reopens from another account.

    What the first account had set in motion (its bubble, its pushes, links to the dead room) is lost. Of the
    people thrown out, ``return_share`` find the new room, ``return_median_s`` after it opened.
    """

    kind: str
    minute: Amount
    down_min: Amount
    followers: Count
    """Followers of the account the room reopens from."""
    return_share: Share
    return_median_s: Positive
    return_sigma: Positive


Event = Guest | Surge | Collapse


@dataclass(frozen=True, slots=True)
class Scenario:
    """One evening, described. ``speakers`` counts everybody on stage, host and co-hosts included."""

    name: str
    title: str
    story: str
    length_min: Annotated[float, Bounds(0, 1_440, above=True)]
    """A day at most: everything is computed for each second."""
    speakers: Annotated[int, Bounds(1, SEATS)]
    host: Host
    turnout: Turnout
    bubble: Bubble
    push: Push
    word_of_mouth: WordOfMouth
    dwell: Dwell
    talk: Talk
    targets: Targets
    events: tuple[Event, ...] = ()

    @property
    def length_s(self) -> float:
        """Length of the Space in seconds."""
        return self.length_min * 60.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers: what run.json holds and ``from_dict`` reads."""
        tree = dataclasses.asdict(self)
        tree["events"] = list(tree["events"])
        return tree

    @staticmethod
    def from_dict(tree: Mapping[str, Any]) -> "Scenario":
        """Build a scenario from plain values, as ``to_dict`` wrote them; raise ScenarioError by name."""
        fields = {key: value for key, value in tree.items() if key != "name"}
        return _scenario(str(tree.get("name", "unnamed")), fields, lambda path: "")


def names() -> list[str]:
    """Return the names of the built-in scenarios, sorted."""
    folder = resources.files("sim") / "scenarios"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(name_or_path: str | Path = DEFAULT) -> Scenario:
    """Load a built-in scenario by name, or any scenario by the path of its ``.toml`` file."""
    given = str(name_or_path)
    if isinstance(name_or_path, Path) or given.endswith(".toml") or "/" in given:
        path = Path(name_or_path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ScenarioError(f"{path} cannot be read as a scenario ({error})") from error
        return parse(text, name=path.stem, source=path.name)
    if given not in names():
        known = ", ".join(names())
        raise ScenarioError(
            f"there is no scenario named {given!r}; take one of {known}, or the path of a .toml file"
        )
    file = resources.files("sim") / "scenarios" / f"{given}.toml"
    return parse(file.read_text(encoding="utf-8"), name=given, source=file.name)


def parse(text: str, name: str, source: str) -> Scenario:
    """Build a scenario from the text of a TOML file; ``source`` is how messages call the file."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source} is not valid TOML: {error}") from error

    def where(path: Sequence[Key]) -> str:
        line = line_of(text, path) if path else None
        return f"{source} line {line}: " if line else f"{source}: "

    return _scenario(name, tree, where)


def _scenario(name: str, tree: Mapping[str, Any], where: Where) -> Scenario:
    if "name" in tree:
        raise ScenarioError(f"{where(('name',))}unknown key name; a scenario is named by its file")
    scenario = build(Scenario, {"events": [], **tree, "name": name}, (), where)
    if scenario.talk.open_microphones > scenario.speakers:
        raise ScenarioError(
            f"{where(('talk', 'open_microphones'))}talk.open_microphones is {scenario.talk.open_microphones}, "
            f"but {scenario.speakers} are on stage (speakers)"
        )
    for index, event in enumerate(scenario.events):
        if event.minute >= scenario.length_min:
            raise ScenarioError(
                f"{where(('events', index, 'minute'))}events[{index}].minute is {event.minute:g}, "
                f"but the Space ends after {scenario.length_min:g} minutes"
            )
    return scenario
