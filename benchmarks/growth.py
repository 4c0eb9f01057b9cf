"""How siems behaves while its store grows: the rate of each tenth of a million alerts, and the memory at the end."""

from __future__ import annotations

import statistics
import sys

from benchmarks.servers import Setting, resident
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
        print(
            f"  {part + 1}/{PARTS}: {rates[-1]:,.0f} alerts/s, {resident(setting.daemon_pid):.0f} MB", file=sys.stderr
        )
    return rates, resident(setting.daemon_pid)


def last_to_first(rates: list[float]) -> float:
    """The rate of the last tenth over that of the first two: a noisy first one would flatter."""
    return rates[-1] / statistics.mean(rates[:2])
