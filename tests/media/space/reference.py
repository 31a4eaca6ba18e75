"""The rules of a Space once more, in the most naive way: one plain entry per person, the crowd included."""

from collections.abc import Iterator
from dataclasses import dataclass

from media.space.policy import Policy, SpeakPolicy

NAMES = ["ana", "ben", "cem", "dag", "eve"]
HOST, HOUSE, ANONYMOUS = "host", None, "~1f"
STAGE = ("host", "cohost", "speaker")
WAITS_FOR_ITS_CONNECTION = ("requested", "speaker", "cohost")
INVITERS = {
    "listener": ("host", "cohost", "speaker", "listener"),
    "speaker": ("host", "cohost"),
    "cohost": ("host",),
}


@dataclass
class Face:
    here: bool = False
    role: str = ""
    """One of "", requested, invited, speaker, cohost, host, removed."""
    turn: int = 0
    asked: float = 0.0
    followed: bool = False
    invited_as: str = ""
    by_self: bool = False
    by_admin: bool = False
    hand: bool = False
    lost: float | None = None
    denied_until: float = 0.0


@dataclass
class Link:
    role: str
    by: str
    uses: int


class Reference:
    def __init__(self, policy: Policy, speak_policy: SpeakPolicy, now: float) -> None:
        self.policy, self.speak_policy, self.now = policy, speak_policy, now
        self.locked, self.following, self.rate, self.mute_on_entry = False, False, 0, False
        self.faces = {name: Face() for name in NAMES} | {HOST: Face(role="host", by_self=True)}
        self.unattended: float | None = now
        self.empty: float | None = now
        self.turns = 0
        self.ended = False
        self.links: dict[str, Link] = {}
        self.pins: list[tuple[str, str]] = []
        """Post and who pinned it, newest first."""
        self.shared = 0
        self.said: list[float] = []
        self.reactions = 0
        self.gaps: list[float] = []
        self.next_since: float | None = None
        self.waited: dict[str, float] = {}

    # Who may do what

    def role(self, by: str | None) -> str:
        if by is HOUSE or by == ANONYMOUS:
            return "house" if by is HOUSE else "anonymous"
        role = self.faces[by].role
        return role if role in STAGE else "listener"

    def is_admin(self, by: str | None, *, house: bool = False) -> bool:
        return self.role(by) in ("host", "cohost") or (house and by is HOUSE)

    def reaches(self, by: str | None, name: str) -> bool:
        return not (self.role(by) == "cohost" and self.faces[name].role in ("host", "cohost"))

    def may_invite(self, by: str | None, role: str) -> bool:
        return self.role(by) in INVITERS[role] and not (by in self.faces and self.faces[by].role == "removed")

    def lets_in(self, name: str, *, followed: bool) -> bool:
        """Whether the rules of entry let somebody in, who may be in already."""
        face = self.faces[name]
        belongs = face.here or face.role in (*STAGE, "requested", "invited")
        return belongs or not (self.locked or (self.following and not followed))

    def lets_ask(self, name: str, *, followed: bool) -> bool:
        return (
            self.lets_in(name, followed=followed)
            and not (self.rate and not self.faces[name].here)
            and not (self.following and not followed)
        )

    # What there is

    def of(self, *roles: str) -> list[Face]:
        return [face for face in self.faces.values() if face.role in roles]

    def seats(self) -> int:
        return self.policy.speaker_seats - len(self.of("speaker"))

    def place(self, role: str) -> bool:
        """Whether a seat of that kind is free."""
        return len(self.of("cohost")) < self.policy.cohost_seats if role == "cohost" else self.seats() > 0

    def queue(self) -> list[str]:
        return [n for _, n in sorted((f.turn, n) for n, f in self.faces.items() if f.role == "requested")]

    def on_stage(self) -> Iterator[tuple[str, Face]]:
        return ((name, face) for name, face in self.faces.items() if face.role in STAGE)

    # What follows

    def seat(self, face: Face, role: str = "speaker") -> None:
        face.role, face.by_self, face.invited_as, face.denied_until = role, True, "", 0.0
        face.by_admin = face.by_admin or (self.mute_on_entry and role == "speaker")
        face.lost = None if face.here else self.now

    def stand(self, face: Face, role: str = "") -> None:
        """Someone is not on the stage, or waits for it, any more."""
        face.role, face.lost, face.hand, face.invited_as = role, None, False, ""

    def go(self, face: Face, role: str = "") -> None:
        face.here = False
        self.stand(face, role)

    def follow_up(self) -> None:
        """What holds after every input."""
        if self.ended:
            return
        for name in self.queue():
            face = self.faces[name]
            entitled = self.speak_policy is SpeakPolicy.EVERYONE or (
                self.speak_policy is SpeakPolicy.FOLLOWING and face.followed
            )
            if entitled and self.seats() > 0:
                lost = face.lost
                self.seat(face)
                face.lost = lost
        if any(face.here for face in self.of("host", "cohost")):
            self.unattended = None
        elif self.unattended is None:
            self.unattended = self.now
        if any(face.here for face in self.faces.values()):
            self.empty = None
        elif self.empty is None:
            self.empty = self.now
        self.watch_the_queue()

    def watch_the_queue(self) -> None:
        waiting = {name: self.faces[name].asked for name in self.queue()}
        for name, asked in self.waited.items():
            if waiting.get(name) != asked and asked < self.now:
                self.gaps.append(self.now - (self.next_since if self.next_since is not None else asked))
                self.next_since = self.now
        self.waited = waiting
        if not waiting:
            self.next_since = None
        elif self.next_since is None:
            self.next_since = self.now

    def expire(self) -> None:
        for face in self.faces.values():
            if face.lost is not None and self.now >= face.lost + self.policy.grace:
                self.go(face)

    def restart(self) -> None:
        for face in self.faces.values():
            face.here = False
            face.lost = self.now if face.role in WAITS_FOR_ITS_CONNECTION else None
        self.unattended = self.empty = self.now
        self.reactions = 0
        self.next_since = self.now if self.queue() else None
