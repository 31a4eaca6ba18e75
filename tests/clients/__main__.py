"""``python -m tests.clients`` tries every client and prints the table of the README."""

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Callable

import av

from tests import requirements
from tests.clients import lab
from tests.clients.build import NODE
from tests.clients.table import CLIENTS, HERE, OFFERS, ROLES


def _printed(*command: str | None) -> str:
    """The version in the first line that a program prints."""
    said = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+(\.\d+)+(esr)?", said)
    return found[0] if found else "?"


def _npm(name: str) -> str:
    return json.loads((HERE / "node" / "package.json").read_text())["dependencies"][name]


def _pion() -> str:
    found = re.search(r"pion/webrtc/v4 v(\S+)", (HERE / "pion" / "go.mod").read_text())
    return found[1] if found else "?"


def _libdatachannel() -> str:
    code = "import('node-datachannel').then((it) => console.log(it.getLibraryVersion()))"
    run = subprocess.run([NODE, "-e", code], cwd=HERE / "node", capture_output=True, text=True, check=True)
    return f"{run.stdout.strip()} (node-datachannel {_npm('node-datachannel')})"


VERSIONS: dict[str, Callable[[], str]] = {
    "aiortc": lambda: importlib.metadata.version("aiortc"),
    "chromium": lambda: _printed(requirements.chromium(), "--version"),
    "ffmpeg": lambda: f"{av.ffmpeg_version_info} (PyAV {av.__version__})",
    "firefox": lambda: _printed(requirements.firefox(), "--version"),
    "gstreamer": lambda: _printed("dpkg-query", "--show", "--showformat=${Version}", "gstreamer1.0-plugins-bad"),
    "libdatachannel": _libdatachannel,
    "libwebrtc": lambda: f"@roamhq/wrtc {_npm('@roamhq/wrtc')}",
    "pion": _pion,
}


def _row(trials: lab.Remote, name: str) -> list[str]:
    """What one client showed: each role with each offer."""
    client = CLIENTS[name]
    cells = [client.title, VERSIONS[name]()]
    for role in ROLES:
        for offer in OFFERS:
            if role not in client.roles or offer not in client.offers:
                cells.append("–")
                continue
            result = trials.trial(name, role, offer)
            cells.append("yes" if result.is_heard else f"no: {result.said.strip().splitlines()[-1:]}")
            print(name, role, offer, cells[-1], result.heard, file=sys.stderr, flush=True)
    return cells


def main() -> None:
    """Print the table."""
    heads = [f"{role}: {offer}" for role in ROLES for offer in OFFERS]
    with lab.start() as trials:
        rows = [_row(trials, name) for name in CLIENTS]
    for row in (["client", "version", *heads], ["---"] * (2 + len(heads)), *rows):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
