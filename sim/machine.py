"""What a measurement was made on: a figure without its machine and versions cannot be compared."""

import os
import platform
import resource
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "spaces-lab",
    "numpy",
    "numba",
    "simpy",
    "polars",
    "scipy",
    "av",
    "pylibsrtp",
    "pyopenssl",
    "locust",
    "aiortc",
)
"""The packages whose version decides what a run measures or computes."""


def machine_facts() -> dict[str, Any]:
    """Return cpu model, cores usable by this process, memory in bytes, kernel, python, open-file limit."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu_model(),
        "cores": cores or 1,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": f"{platform.system()} {platform.release()}",
        "arch": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }


def versions() -> dict[str, str]:
    """Return the versions of the packages that matter for a run, as far as they are installed."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def utc_stamp(seconds: float | None = None) -> str:
    """Return a time (default: now) as ``2026-01-31T12:34:56Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"


def differences(machine: Mapping[str, Any], seen: Mapping[str, str]) -> list[str]:
    """Return a sentence for each way in which a run's machine and versions are not those of this process."""
    here, now = machine_facts(), versions()
    found = [
        f"the run is of another machine ({name}: {machine[name]} there, {here[name]} here): costs may be others"
        for name in ("cpu", "cores", "arch")
        if name in machine and machine[name] != here[name]
    ]
    other = [
        f"{name} {seen[name]}" for name in ("spaces-lab", "numba") if name in seen and seen[name] != now.get(name)
    ]
    if other:
        found.append(f"the run is of another version ({', '.join(other)}): costs may have changed since")
    return found
