"""How siems behaves while its store grows: the rate of each tenth of a million alerts, and the memory at the end."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from benchmarks.servers import Setting
from benchmarks.workload import BATCH

PARTS = 10


def measure(setting: Setting, alerts: int) -> tuple[list[float], float]:
    """(alerts a second of each tenth, resident megabytes at the end)."""
    rates = []
    requests = alerts // PARTS // BATCH
    for part in range(PARTS):
        # a generator renders what it sends beforehand: four at a time are enough to hold
        reports = [setting.load(setting.daemon, "list", requests // 4) for _ in range(4)]
        rates.append(sum(r["requests"] for r in reports) * BATCH / sum(r["seconds"] for r in reports))
        print(f"  {part + 1}/{PARTS}: {rates[-1]:,.0f} alerts/s, {_resident(setting):.0f} MB", file=sys.stderr)
    return rates, _resident(setting)


def last_to_first(rates: list[float]) -> float:
    """The rate of the last tenth over that of the first two: a noisy first one would flatter."""
    return rates[-1] / statistics.mean(rates[:2])


def _resident(setting: Setting) -> float:
    try:
        status = Path(f"/proc/{setting.daemon_pid}/status").read_text()
    except OSError:
        return 0.0
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
