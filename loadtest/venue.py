"""The Space a swarm meets in: made by the one who starts the run, with a seat for each synthetic speaker."""

from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

import httpx

TIMEOUT = 30.0


class VenueError(RuntimeError):
    """The server would not have it; the message is one sentence."""


@dataclass(frozen=True)
class Venue:
    """What every worker must know."""

    base: str
    """Address of the server, without a slash at the end."""
    space: str
    speaker_tokens: tuple[str, ...]
    """The host's first, who may speak without asking."""
    probe_token: str = ""
    """Of the probe that chirps, if there is to be one."""
    host_token: str = ""
    """Also where nobody speaks: with it, who is left of a swarm ends the Space."""

    @property
    def whep(self) -> str:
        """Where listeners go."""
        return f"{self.base}/spaces/{self.space}/whep"

    @property
    def whip(self) -> str:
        """Where speakers go; their microphones are open at once."""
        return f"{self.base}/spaces/{self.space}/whip?muted=false"

    @property
    def end(self) -> str:
        """Where the Space is ended."""
        return f"{self.base}/spaces/{self.space}/end"

    def requests(self) -> str:
        """Where to ask to speak."""
        return f"{self.base}/spaces/{self.space}/requests"

    def to_json(self) -> dict[str, object]:
        """For a message to workers."""
        return asdict(self)

    @staticmethod
    def from_json(message: dict[str, object]) -> "Venue":
        """The inverse of :meth:`to_json`."""
        tokens = message["speaker_tokens"]
        assert isinstance(tokens, (list, tuple))
        base, space, probe, host = (str(message[name]) for name in ("base", "space", "probe_token", "host_token"))
        return Venue(base, space, tuple(map(str, tokens)), probe, host)


class Host:
    """Opens a Space on a server, and ends it again."""

    def __init__(self, base: str, admin_token: str) -> None:
        self._base = base.rstrip("/")
        self._client = httpx.Client(
            base_url=self._base, headers={"Authorization": f"Bearer {admin_token}"}, timeout=TIMEOUT
        )
        self._space = ""

    def open(self, title: str, speakers: int, *, probe: bool = False) -> Venue:
        """Start a Space that anyone may listen to and speak in, with tokens for ``speakers`` people and a probe.

        The first of them is the host: a Space whose host stays away ends by itself after five minutes.
        """
        venue = self.prepare(title, speakers, probe=probe)
        self.start()
        return venue

    def prepare(self, title: str, speakers: int, *, probe: bool = False) -> Venue:
        """Make the Space of :meth:`open`, which is live from :meth:`start` on."""
        body = {"title": title[:70], "anonymous_listening": True, "speak_policy": "everyone"}
        made = self._call("POST", "/spaces", body)
        self._space = made["id"]
        names = [made["creator_id"], *(f"speaker{number}" for number in range(2, speakers + 1))]
        names += ["probe"] if probe else []
        tokens = [str(each["token"]) for each in self._call("POST", "/tokens", {"users": names})["data"]]
        probe_token = tokens[-1] if probe else ""
        return Venue(self._base, self._space, tuple(tokens[:speakers]), probe_token, tokens[0])

    def start(self) -> None:
        """Let people in."""
        self._call("POST", f"/spaces/{self._space}/start")

    def close(self) -> None:
        """End the Space, if it is still live, or cancel it, if it never was.

        Whoever was interrupted while the Space started does not know which, nor when the server came to it.
        """
        if self._space:
            for way in ("end", "cancel", "end"):
                if self._client.post(f"/spaces/{self._space}/{way}").is_success:
                    break
            self._space = ""
        self._client.close()

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise VenueError(f"No server answers at {self._base} ({error}); start one with: make serve") from error
        if response.status_code == 401:
            raise VenueError(
                "The server does not take the admin token: print one with"
                " `python -m media token --user NAME --admin` and pass it as --token or SPACES_TOKEN."
            )
        if response.is_error:
            raise VenueError(f"{method} {path} was answered {response.status_code}: {response.text[:300]}")
        return response.json()
