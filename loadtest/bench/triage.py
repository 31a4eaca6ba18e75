"""How well captions against rules by example sort, and what a line costs.

Lines of ``triage_lines.toml``, none of which is an example: to look at and harmless, of which some sound alike,
quote what they condemn, or say what somebody is. It needs the optional group ``assistance``.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tomllib
from importlib.resources import files
from statistics import fmean, median
from typing import Any

import numpy as np

from loadtest.bench.result import Target
from loadtest.lab import LabError

TARGETS = (
    Target("recall", ">=", 0.7),
    Target("precision", ">=", 0.8),
    Target("auc", ">=", 0.9),
    Target("line_p50_ms", "<=", 50),
)
PATIENCE = 600.0
"""Seconds until all lines must be judged."""


def options(parser: argparse.ArgumentParser) -> None:
    """Take no flags of its own: what is told is the server's choice."""


async def run(chosen: argparse.Namespace) -> dict[str, Any]:
    """Judge every line alone; ``right_rule`` is the share of lines that were told under their own category."""
    lines = tomllib.loads(files("loadtest.bench").joinpath("triage_lines.toml").read_text(encoding="utf-8"))
    look = [(name, line) for name, said in lines["look"].items() for line in said]
    harmless = [(name, line) for name, said in lines["harmless"].items() for line in said]
    judged = await asyncio.to_thread(_judge, [line for _, line in (*look, *harmless)])
    found, spared = judged[: len(look)], judged[len(look) :]
    told = [(name, each) for (name, _), each in zip(look, found, strict=True) if each["told"]]
    wrongly = sum(each["told"] for each in spared)
    margins = [np.asarray([each["margin"] for each in some]) for some in (found, spared)]
    kinds: dict[str, list[bool]] = {}
    for (name, _), each in zip(harmless, spared, strict=True):
        kinds.setdefault(name, []).append(each["told"])
    return {
        "to_look_at": len(look),
        "harmless": len(harmless),
        "recall": len(told) / len(look),
        "precision": len(told) / max(1, len(told) + wrongly),
        "auc": float(np.mean(margins[0][:, None] > margins[1][None, :])),
        "right_rule": fmean(name == each["category"] for name, each in told) if told else 0.0,
        **{f"{name}_told": fmean(each) for name, each in kinds.items()},
        "line_p50_ms": median(each["ms"] for each in judged),
    }


def _judge(lines: list[str]) -> list[dict[str, Any]]:
    """Ask the server's own code, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "media.server.assistance"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise LabError(done.stderr.strip().splitlines()[-1])
    return [json.loads(line) for line in done.stdout.splitlines()]
