"""What an operator can choose, from the command line or from the environment.

Every flag has an environment variable ``SPACES_*`` of the same name; the flag wins.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from media.relay.placement import LISTENERS_PER_RELAY
from media.server.limits import rates
from media.server.policy_file import read_policy
from media.server.ptime import NO_LARGE_ROOM, LargeRoom
from media.server.values import (
    CAPTIONS,
    PAYMENTS,
    PORT_MAX,
    ConfigError,
    captions,
    contact,
    count,
    network,
    on_off,
    payments,
    port,
    ptime,
    public_url,
    rate,
)
from media.space.errors import BadInputError
from media.space.policy import DEFAULT, PRESETS, Policy, preset

PUSH_CONTACT = "mailto:spaces@localhost"


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one server process."""

    data: Path
    """Folder for the secret and the embedded database."""
    host: str = "127.0.0.1"
    port: int = 8080
    """TCP, for HTTP."""
    udp_port: int = 8080
    """For media: of the first relay, and each further one has the next."""
    relays: int = 1
    """Relay processes."""
    listeners_per_relay: int = LISTENERS_PER_RELAY
    """Sessions of a relay from which on a Space is spread to others."""
    large_room: LargeRoom = NO_LARGE_ROOM
    """From how many listeners on those who join a Space get longer packets, and how long."""
    public_ips: Sequence[str] = field(default=())
    """Addresses that clients reach this machine at, where they differ from ``host``."""
    public_url: str = ""
    """Address of this server in links to it, its path included, with a slash at its end; empty for the one it is
    called at."""
    database: str = ""
    """SQLAlchemy URL, as ``postgresql://user:password@host/name``; empty for SQLite in ``data``."""
    policy: str = DEFAULT.name
    """Name of the rules for new Spaces, among ``policies``."""
    policies: Mapping[str, Policy] = field(default_factory=lambda: PRESETS)
    """All rules that Spaces can go by."""
    rate_limit: float = rates.DEFAULT
    """Reads a second of one person, by which all limits go; 0 for none."""
    trusted_proxies: Sequence[str] = field(default=())
    """Addresses or networks of proxies whose word on who calls is believed."""
    connections_per_address: int | None = None
    """TCP connections that one address may have; 0 for any number, None for what goes with ``rate_limit``."""
    metrics_from: Sequence[str] = field(default=())
    """Networks that may read ``/metrics`` without an admin's token, beside this machine."""

    recording: bool = True
    """Whether the evidence of every Space is recorded."""
    evidence_slots: Path | None = None
    """File of the secrets that are erased with evidence, where that is not in ``data``."""
    captions: str = ""
    """What makes captions: ``tones``, a tier of a model, or a model's folder; empty for nothing."""
    payments: str = "off"
    """Who takes the money for tickets: nobody, or the test provider."""
    push_contact: str = PUSH_CONTACT
    """How push services reach whoever runs this: a ``mailto:`` or ``https:`` address (RFC 8292)."""
    push_private: bool = False
    """Whether push endpoints may be in private networks."""

    @property
    def database_url(self) -> str:
        """URL of the store."""
        return self.database or f"sqlite+aiosqlite:///{(self.data / 'spaces.db').absolute()}"


def add_data(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the one option that every command of the server has."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=default,
        help="folder for the secret and the database (SPACES_DATA, data)",
    )


def add_options(parser: argparse.ArgumentParser, environ: Mapping[str, str] = os.environ) -> None:
    """Add the options of the server, with the environment as their defaults."""
    add_data(parser, environ.get("SPACES_DATA", "data"))
    parser.add_argument(
        "--host",
        default=environ.get("SPACES_HOST", "127.0.0.1"),
        help="address to listen on, for HTTP and for media (SPACES_HOST, %(default)s)",
    )
    parser.add_argument(
        "--port",
        default=environ.get("SPACES_PORT", "8080"),
        help="TCP port for HTTP (SPACES_PORT, %(default)s)",
    )
    parser.add_argument(
        "--udp-port",
        default=environ.get("SPACES_UDP_PORT"),
        help="UDP port for media; further relays take the next ones (SPACES_UDP_PORT, the same number as --port)",
    )
    parser.add_argument(
        "--relays",
        metavar="N",
        default=environ.get("SPACES_RELAYS", "1"),
        help="relay processes, about one for each core (SPACES_RELAYS, %(default)s)",
    )
    parser.add_argument(
        "--listeners-per-relay",
        metavar="N",
        default=environ.get("SPACES_LISTENERS_PER_RELAY", str(LISTENERS_PER_RELAY)),
        help="sessions of a relay from which on a Space is spread to others "
        "(SPACES_LISTENERS_PER_RELAY, %(default)s)",
    )
    parser.add_argument(
        "--large-room",
        metavar="N",
        default=environ.get("SPACES_LARGE_ROOM", "0"),
        help="listeners of a Space from which on those who join get longer packets; 0 for never "
        "(SPACES_LARGE_ROOM, %(default)s)",
    )
    parser.add_argument(
        "--large-room-ptime",
        metavar="MS",
        default=environ.get("SPACES_LARGE_ROOM_PTIME", "40"),
        help="milliseconds of sound in such a packet: 40 or 60, heard up to 20 or 40 ms later "
        "(SPACES_LARGE_ROOM_PTIME, %(default)s)",
    )
    parser.add_argument(
        "--public-ip",
        action="append",
        metavar="ADDRESS",
        help="address to put into candidates; may be given several times (SPACES_PUBLIC_IP, comma-separated)",
    )
    parser.add_argument(
        "--public-url",
        metavar="URL",
        default=environ.get("SPACES_PUBLIC_URL", ""),
        help="address of this server in links that people share, as https://spaces.example or "
        "https://example.org/lab where a proxy strips the path "
        "(SPACES_PUBLIC_URL, the address of the socket)",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        default=environ.get("SPACES_DATABASE", ""),
        help="what lasts is kept there, postgresql://user:password@host/name (SPACES_DATABASE, SQLite in --data)",
    )
    parser.add_argument(
        "--policy",
        default=environ.get("SPACES_POLICY", DEFAULT.name),
        metavar="NAME|FILE",
        help=f"rules for new Spaces: {', '.join(PRESETS)}, or a TOML file with rules of your own "
        "(SPACES_POLICY, %(default)s)",
    )
    parser.add_argument(
        "--rate-limit",
        metavar="N",
        default=environ.get("SPACES_RATE_LIMIT", str(rates.DEFAULT)),
        help="reads a second that one person may make, a fifth of it writes, and an address twenty times as much; "
        "off for no limit, and there is none for who calls from this machine (SPACES_RATE_LIMIT, %(default)s)",
    )
    parser.add_argument(
        "--trusted-proxy",
        action="append",
        metavar="ADDRESS",
        help="proxy whose X-Forwarded-For is believed; may be given several times "
        "(SPACES_TRUSTED_PROXY, comma-separated)",
    )
    parser.add_argument(
        "--connections-per-address",
        metavar="N",
        default=environ.get("SPACES_CONNECTIONS_PER_ADDRESS", ""),
        help="connections that one address may have at a time; 0 for any number, which trusted proxies and this "
        f"machine have anyway (SPACES_CONNECTIONS_PER_ADDRESS, {rates.CONNECTIONS_PER_ADDRESS}, or 0 with "
        "--rate-limit off)",
    )
    parser.add_argument(
        "--metrics-from",
        action="append",
        metavar="ADDRESS",
        help="address or network that may read /metrics without an admin's token, beside this machine; may be "
        "given several times (SPACES_METRICS_FROM, comma-separated)",
    )
    parser.add_argument(
        "--recording",
        metavar="on|off",
        default=environ.get("SPACES_RECORDING", "on"),
        help="record the evidence of every Space, sealed, and erase it in time (SPACES_RECORDING, %(default)s)",
    )
    parser.add_argument(
        "--evidence-slots",
        metavar="FILE",
        default=environ.get("SPACES_EVIDENCE_SLOTS", ""),
        help="file of the secrets that are erased with evidence, in no backup and on a disk that overwrites in "
        "place (SPACES_EVIDENCE_SLOTS, evidence.slots in --data)",
    )
    parser.add_argument(
        "--captions",
        metavar="|".join(CAPTIONS),
        default=environ.get("SPACES_CAPTIONS", "off"),
        help="captions of speakers who consent: none, of tones (for tests), by Whisper tiny (English) or base "
        "(SPACES_CAPTIONS, %(default)s)",
    )
    parser.add_argument(
        "--captions-model",
        metavar="FOLDER",
        default=environ.get("SPACES_CAPTIONS_MODEL", ""),
        help="a model of Whisper in CTranslate2's format to make captions with (SPACES_CAPTIONS_MODEL)",
    )
    parser.add_argument(
        "--payments",
        metavar="|".join(PAYMENTS),
        default=environ.get("SPACES_PAYMENTS", "off"),
        help="who takes the money for tickets: nobody, or a provider for tests that moves none "
        "(SPACES_PAYMENTS, %(default)s)",
    )
    parser.add_argument(
        "--push-contact",
        metavar="ADDRESS",
        default=environ.get("SPACES_PUSH_CONTACT", PUSH_CONTACT),
        help="how push services reach you, mailto:… or https://…; some take no message without a real one "
        "(SPACES_PUSH_CONTACT, %(default)s)",
    )
    parser.add_argument(
        "--push-private",
        action="store_true",
        default=environ.get("SPACES_PUSH_PRIVATE") == "1",
        help="let browsers name push services in private networks, for one of your own (SPACES_PUSH_PRIVATE=1)",
    )


def from_options(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Config:
    """Make a config of what :func:`add_options` parsed.

    :raises ConfigError: a port is no port, or there is no such policy
    """
    rules = _policy(options.policy)
    public = options.public_ip or [a.strip() for a in environ.get("SPACES_PUBLIC_IP", "").split(",")]
    proxies = options.trusted_proxy or [a.strip() for a in environ.get("SPACES_TRUSTED_PROXY", "").split(",")]
    readers = options.metrics_from or [a.strip() for a in environ.get("SPACES_METRICS_FROM", "").split(",")]
    tcp_port = port("--port", options.port)
    udp_port = tcp_port if options.udp_port is None else port("--udp-port", options.udp_port)
    relays = count("--relays", options.relays)
    if udp_port + relays - 1 > PORT_MAX:
        raise ConfigError(f"--udp-port is {udp_port}, but {relays} relays need as many ports from there on.")
    captioned = captions("--captions", options.captions, options.captions_model)
    recording = on_off("--recording", options.recording)
    if captioned and not recording:
        raise ConfigError("--captions needs --recording on: what is captioned comes from the recorder.")
    return Config(
        data=options.data,
        host=options.host,
        port=tcp_port,
        udp_port=udp_port,
        relays=relays,
        listeners_per_relay=count("--listeners-per-relay", options.listeners_per_relay),
        large_room=LargeRoom(
            count("--large-room", options.large_room, least=0),
            ptime("--large-room-ptime", options.large_room_ptime),
        ),
        public_ips=tuple(address for address in public if address),
        public_url=public_url("--public-url", options.public_url),
        database=options.database,
        policy=rules.name,
        policies={**PRESETS, rules.name: rules},
        rate_limit=rate("--rate-limit", options.rate_limit),
        trusted_proxies=tuple(network("--trusted-proxy", address) for address in proxies if address),
        connections_per_address=count("--connections-per-address", options.connections_per_address, least=0)
        if options.connections_per_address
        else None,
        metrics_from=tuple(network("--metrics-from", address) for address in readers if address),
        recording=recording,
        evidence_slots=Path(options.evidence_slots) if options.evidence_slots else None,
        captions=captioned,
        payments=payments("--payments", options.payments),
        push_contact=contact("--push-contact", options.push_contact),
        push_private=options.push_private,
    )


def _policy(wanted: str) -> Policy:
    """Return the preset of that name, or the rules in the TOML file of that name."""
    try:
        return read_policy(Path(wanted)) if wanted.endswith(".toml") else preset(wanted)
    except BadInputError as refusal:
        raise ConfigError(str(refusal)) from None


def page_url(options: argparse.Namespace) -> str:
    """Return where the page is, for a browser on this machine."""
    host: str = "localhost" if options.host in ("0.0.0.0", "::") else options.host  # noqa: S104
    return f"http://[{host}]:{options.port}/" if ":" in host else f"http://{host}:{options.port}/"
