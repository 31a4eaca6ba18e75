"""A PostgreSQL of a test's own, to be stopped and started; needs Debian's package postgresql."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
HERE = bool(_BINARIES)
_AS = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


class Postgresql:
    """One database cluster in a folder, on a Unix socket in there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self._bin = _BINARIES[-1].parent
        what = ["--username", "postgres", "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C"]
        self._run("initdb", *what, "-D", str(self.data))

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        self._run("pg_ctl", "start", "--silent", "--wait", "-D", str(self.data), "-l", str(self.folder / "log"),
                  "-o", options)  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "stop", "--silent", "--wait", "--mode", mode, "-D", str(self.data))

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let every process of it stand still."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *map(int, children)):
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in (first, *map(int, children)):
                os.kill(pid, signal.SIGCONT)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*_AS, str(self._bin / program), *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """Give one that runs; it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql."))
    if _AS:
        shutil.chown(folder, "postgres")
    one = Postgresql(folder)
    one.start()
    try:
        yield one
    finally:
        if (one.data / "postmaster.pid").exists():
            one.stop("immediate")
        shutil.rmtree(folder)
