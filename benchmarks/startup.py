"""How fast the command line starts, against a Python that does nothing: whole processes, taken in turn."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

AIMS = {"--version": 2.0, "incident list --limit 50": 10.0, "incident list": 0.0}
"""Times of a bare Python; 0 is reported without an aim: the whole list of 2,000 rows is not one answer but three."""


def measure(environment: dict[str, str], *, rounds: int) -> list[tuple[str, float, float, float]]:
    """(command, median milliseconds, median ratio to the bare Python of its round, aim) of each command."""
    siems = str(Path(sys.executable).parent / "siems")
    taken: dict[str, list[float]] = {command: [] for command in AIMS}
    ratios: dict[str, list[float]] = {command: [] for command in AIMS}
    for number in range(rounds + 1):
        bare = _milliseconds([sys.executable, "-c", "pass"], environment)
        for command in AIMS:
            spent = _milliseconds([siems, *command.split()], environment)
            if number and spent is not None and bare:  # the first round warms the caches of the disk
                taken[command].append(spent)
                ratios[command].append(spent / bare)
    return [
        (f"siems {command}", statistics.median(taken[command]), statistics.median(ratios[command]), aim)
        for command, aim in AIMS.items()
        if taken[command]
    ]


def _milliseconds(words: list[str], environment: dict[str, str]) -> float | None:
    """The wall time of one process; None when it fails."""
    started = time.perf_counter()
    done = subprocess.run(words, env=environment, capture_output=True, timeout=30, check=False)
    spent = 1e3 * (time.perf_counter() - started)
    return spent if done.returncode == 0 else None
