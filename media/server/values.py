"""What an operator can say for each setting, read; whatever cannot be is refused in one sentence."""

import ipaddress
import re
from urllib.parse import urlsplit

from media.captions.models import check_model
from media.server.ptime import PTIMES

PORT_MAX = 65_535
PAYMENTS = ("off", "test")
CAPTIONS = ("off", "tones", "tiny", "base")


class ConfigError(ValueError):
    """A setting that cannot be; the message is one sentence for the operator."""


def public_url(name: str, text: str) -> str:
    """Return an address with a slash at its end; "" if there is none."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    plain = text.isascii() and text.isprintable() and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in ("http", "https") or not host or not plain:
        raise ConfigError(
            f"{name} is {text!r}, but must be http:// or https:// and a host, with or without a port and a path."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def port(name: str, text: str) -> int:
    """Return the number of a port."""
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= PORT_MAX:
        raise ConfigError(f"{name} is {text!r}, but a port is a number from 0 (any free one) to {PORT_MAX}.")
    return port


def count(name: str, text: str, least: int = 1) -> int:
    """Return a whole number."""
    if not text.isdecimal() or int(text) < least:
        raise ConfigError(f"{name} is {text!r}, but must be a whole number, {least} or more.")
    return int(text)


def rate(name: str, text: str) -> float:
    """Return reads a second; 0 for "off"."""
    if text == "off":
        return 0.0
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise ConfigError(f"{name} is {text!r}, but must be a whole number from 1 to 1000000, or off.")
    return float(text)


def on_off(name: str, text: str) -> bool:
    """Return whether something is wanted."""
    if text not in ("on", "off"):
        raise ConfigError(f"{name} is {text!r}, but must be on or off.")
    return text == "on"


def network(name: str, text: str) -> str:
    """Return an address or a network."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ConfigError(f"{name} is {text!r}, but must be an address or a network, as 10.0.0.0/8.") from None


def payments(name: str, text: str) -> str:
    """Return who takes payments."""
    if text not in PAYMENTS:
        raise ConfigError(f"{name} is {text!r}, but must be one of {', '.join(PAYMENTS)}.")
    return text


def captions(name: str, text: str, folder: str) -> str:
    """Return what makes captions, of a choice and a model's folder; empty for nothing.

    :raises ModelError: what is named is no model that is here
    """
    if text not in CAPTIONS:
        raise ConfigError(f"{name} is {text!r}, but must be one of {', '.join(CAPTIONS)}.")
    wanted = folder or ("" if text == "off" else text)
    if wanted not in ("", "tones"):
        check_model(wanted)
    return wanted


def contact(name: str, text: str) -> str:
    """Return how push services reach whoever runs this."""
    if not re.fullmatch(r"mailto:[^@\s]+@[\w.-]+|https://[\w.-]+", text):
        raise ConfigError(f"{name} is {text!r}, but must be mailto: and an address, or https:// and a host.")
    return text


def ptime(name: str, text: str) -> int:
    """Return milliseconds of sound in a packet."""
    if text not in map(str, PTIMES):
        raise ConfigError(f"{name} is {text!r}, but packets hold 20, 40 or 60 milliseconds of sound.")
    return int(text)
