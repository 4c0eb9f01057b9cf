"""`python -m benchmarks`: measure, print a table, and write JSON where asked. The exit code is always 0."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import console, delivery, growth, peer, profiling, queries, soak, startup, timers
from benchmarks.servers import Setting, running
from benchmarks.workload import BATCH


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    figure: str
    ratio: str
    aim: str
    reached: bool

    @property
    def verdict(self) -> str:
        return ("ok" if self.reached else "missed") if self.aim else ""


def main() -> int:
    ask = _parser().parse_args()
    if ask.profile:
        profiling.run(ask.profile, ask.requests)
        return 0
    if ask.soak:
        with running(SIEMS_ADVICE_PROVIDERS="") as quiet:
            tenths = soak.run(quiet, ask.soak, ask.rate)
        print(f"the last half added {soak.slope(tenths):.1f} MB per 100,000 alerts")
        return 0
    groups: dict[str, Callable[[Setting, argparse.Namespace], list[Figure]]] = {
        "startup": _startup, "single": _single, "batch": _batches, "peer": _peer, "new": _new, "timers": _timers,
        "delivery": _delivery, "console": _console, "growth": _growth,
        "queries": _queries,
    }  # fmt: skip
    wanted = ask.only or [name for name in groups if name not in ("growth", "queries")]  # those take minutes
    figures: list[Figure] = []
    synced = _sync_milliseconds()
    with running() as setting:
        for name in wanted:
            print(f"measuring: {name}", file=sys.stderr)
            figures += groups[name](setting, ask)
    print(_table(figures), flush=True)
    print(f"one fdatasync here takes {synced:.2f} ms; ratios are medians over {ask.rounds} interleaved rounds")
    if ask.json:
        said = {"fdatasync_ms": synced, "figures": [asdict(figure) for figure in figures]}
        Path(ask.json).write_text(json.dumps(said, indent=2) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each comparison is repeated")
    parser.add_argument("--requests", type=int, default=10_000, help="requests of one measurement")
    parser.add_argument(
        "--alerts", type=int, default=1_000_000, help="how many alerts `growth` sends and `queries` asks"
    )
    parser.add_argument(
        "--only",
        nargs="*",
        choices=("single", "batch", "peer", "new", "startup", "timers", "delivery", "console", "growth", "queries"),
    )
    parser.add_argument(
        "--incidents", type=int, default=100_000, help="open incidents of `timers`, with three deadlines each"
    )
    parser.add_argument("--filled", default="", metavar="URL", help="a database that `queries` takes as it is")
    parser.add_argument("--board", type=int, default=5_000, help="open incidents of `console`")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="the console through a storm of so many minutes")
    parser.add_argument("--rate", type=int, default=100, help="alerts a second of `--soak`")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    parser.add_argument(
        "--profile", nargs="?", const="usual", choices=("usual", "new", "list", "alertmanager"),
        help="show where the time goes instead of how long it takes",
    )  # fmt: skip
    return parser


# --- the measurements ------------------------------------------------------------------------------------------


def _against_baseline(setting: Setting, ask: argparse.Namespace, kind: str, name: str, aim: float) -> list[Figure]:
    """Medians of: requests a second, their ratio to the baseline of the same round, p99, and CPU per request."""
    rates, ratios, slow, cpu, cpu_ratios = [], [], [], [], []
    setting.load(setting.baseline, kind, ask.requests // 5)
    setting.load(setting.daemon, kind, ask.requests // 5)
    for number in range(ask.rounds):
        base = setting.load(setting.baseline, kind, ask.requests)
        ours = setting.load(setting.daemon, kind, ask.requests)
        rates.append(ours["rate"])
        ratios.append(ours["rate"] / base["rate"])
        slow.append(ours["p99"])
        cpu.append(ours["cpu"])
        cpu_ratios.append(base["cpu"] / ours["cpu"] if ours["cpu"] else 0.0)
        print(
            f"  {number + 1}: {ours['rate']:,.0f}/s of {base['rate']:,.0f}/s = {ratios[-1]:.3f},"
            f" p50 {ours['p50']:.1f} p99 {ours['p99']:.1f} ms, generator busy {ours['generator_load']:.0%},"
            f" {ours['opened'] / ours['requests']:.0%} opened an incident",
            file=sys.stderr,
        )
    rate, ratio, p99 = (statistics.median(each) for each in (rates, ratios, slow))
    spent, of_base = statistics.median(cpu), statistics.median(cpu_ratios)
    return [
        Figure(name, f"{rate:,.0f}/s", f"{ratio:.2f} of baseline", f">= {aim}", ratio >= aim),
        Figure("  the same, p99", f"{p99:.1f} ms", "", "< 100 ms", p99 < 100),
        Figure("  the same, CPU per request", f"{spent:.0f} us", f"baseline takes {of_base:.2f} of it", "", True),
    ]


def _single(setting: Setting, ask: argparse.Namespace) -> list[Figure]:
    return _against_baseline(setting, ask, "usual", "single alerts, usual mix, c = 32", 0.3)


def _new(setting: Setting, ask: argparse.Namespace) -> list[Figure]:
    return _against_baseline(setting, ask, "new", "every alert a new incident, c = 32", 0.15)


def _batches(setting: Setting, ask: argparse.Namespace) -> list[Figure]:
    figures = []
    for kind, name in (("list", "50 alerts per request, JSON list"), ("alertmanager", "50 per request, Alertmanager")):
        rates, slow = [], []
        setting.load(setting.daemon, kind, max(50, ask.requests // 100))
        for _ in range(ask.rounds):
            ours = setting.load(setting.daemon, kind, max(200, ask.requests // 20))
            rates.append(ours["rate"] * BATCH)
            slow.append(ours["p99"])
        rate, p99 = statistics.median(rates), statistics.median(slow)
        figures.append(Figure(name, f"{rate:,.0f} alerts/s", f"p99 {p99:.0f} ms", ">= 10,000/s", rate >= 10_000))
    return figures


def _peer(setting: Setting, ask: argparse.Namespace) -> list[Figure]:
    """siems against Alertmanager, in turn; the generator and the mix are the same."""
    figures = []
    with peer.running() as found:
        if found is None:
            print("  prometheus-alertmanager is not installed: left out", file=sys.stderr)
            return []
        setting.peer, setting.peer_pid = found
        for kind, theirs, count, concurrency, name, aim in (
            ("usual", "peer usual", ask.requests, 32, "single alerts, usual mix, c = 32", 1.0),
            ("list", "peer list", max(200, ask.requests // 20), 32, "50 alerts per request", 1.0),
            ("new", "peer new", ask.requests // 2, 256, "every alert a new incident, c = 256", 0.4),
        ):
            ratios, rates = [], []
            setting.load(setting.peer, theirs, count // 5, concurrency=concurrency)
            setting.load(setting.daemon, kind, count // 5, concurrency=concurrency)
            for _ in range(ask.rounds):
                other = setting.load(setting.peer, theirs, count, concurrency=concurrency)
                ours = setting.load(setting.daemon, kind, count, concurrency=concurrency)
                ratios.append(ours["rate"] / other["rate"])
                rates.append(ours["rate"])
                print(f"  {ours['rate']:,.0f}/s of {other['rate']:,.0f}/s = {ratios[-1]:.3f}", file=sys.stderr)
            ratio = statistics.median(ratios)
            rate = f"{statistics.median(rates):,.0f}/s"
            figures.append(Figure(name, rate, f"{ratio:.2f} of Alertmanager", f">= {aim}", ratio >= aim))
    return figures


def _growth(setting: Setting, ask: argparse.Namespace) -> list[Figure]:
    rates, resident = growth.measure(setting, ask.alerts)
    ratio = growth.last_to_first(rates)
    name = f"{ask.alerts:,} alerts, 50 per request"
    return [
        Figure(f"{name}: the last tenth", f"{rates[-1]:,.0f}/s", f"{ratio:.2f} of the first", ">= 0.85", ratio >= 0.85),
        Figure("  memory at the end", f"{resident:.0f} MB", "", "< 200 MB", resident < 200),
    ]


def _queries(setting: Setting, ask: argparse.Namespace) -> list[Figure]:
    """A process of its own, without the daemon: what the API asks of a database in which a year is; then a daemon."""
    found, megabytes = queries.measure(ask.alerts, 10 * ask.rounds, ask.filled)
    figures = [
        Figure(
            f"{one.database}: {one.name}", f"p95 {one.p95:.1f} ms", f"CPU {one.cpu:.1f} ms, {one.steps:,}k steps",
            f"< {one.aim:.0f} ms", one.p95 < one.aim,
        )
        for one in found
    ]  # fmt: skip
    if megabytes:
        name = f"memory of a daemon, {ask.alerts:,} alerts stored, {ask.alerts // 100:,} incidents open"
        figures.append(Figure(name, f"{megabytes:.0f} MB", "", "< 200 MB", megabytes < 200))
    return figures


def _timers(setting: Setting, ask: argparse.Namespace) -> list[Figure]:
    """A process of its own, without the daemon: what the clockwork and the database do."""
    figures = []
    for found in timers.measure(ask.incidents):
        name = f"{found.database}, {ask.incidents:,} open incidents, {3 * ask.incidents:,} deadlines"
        grown = found.many / found.few
        figures += [
            Figure(
                f"{name}: a due step is late", f"p99 {found.late_p99:.0f} ms", f"p50 {found.late_p50:.0f} ms",
                "<= 1000 ms", found.late_p99 <= 1_000,
            ),
            Figure(
                "  a tick with nothing due", f"{found.many:.2f} ms", f"{grown:.2f} of that among 1 %", "< 2 ms, <= 1.5",
                found.many < 2 and grown <= 1.5,
            ),
        ]  # fmt: skip
    return figures


def _console(setting: Setting, ask: argparse.Namespace) -> list[Figure]:
    with running(SIEMS_ADVICE_PROVIDERS="") as quiet:  # else it is at work for minutes after so many have opened
        found = console.measure(quiet, ask.board)
    name, of = f"the console, {found.incidents:,} open incidents", f"{found.first_paint / found.bare:.0f} x python"
    rows = f"{found.first_rows:.0f} ms"
    return [
        Figure(f"{name}: first paint", f"{found.first_paint:.0f} ms", of, "< 700 ms", found.first_paint < 700),
        Figure("  its first incidents", rows, f"{found.first_rows / found.bare:.0f} x python", "", True),
        Figure(
            f"  a key to its paint, {console.STORM_RATE} alerts/s", f"p95 {found.key_p95:.0f} ms", "", "< 50 ms",
            found.key_p95 < 50,
        ),
        Figure("  a new incident on it", f"p95 {found.arrival_p95:.0f} ms", "", "< 300 ms", found.arrival_p95 < 300),
        Figure("  when idle", f"{found.idle_bytes:.0f} B/s", "", "< 600 B/s", found.idle_bytes < 600),
        Figure("  when idle, CPU", f"{found.idle_cpu:.1%}", "", "< 1 %", found.idle_cpu < 0.01),
        Figure("  memory", f"{found.memory_after:.0f} MB", f"{found.memory_before:.0f} MB before", "", True),
    ]  # fmt: skip


def _delivery(setting: Setting, ask: argparse.Namespace) -> list[Figure]:
    with running(**delivery.SETTINGS) as quiet:
        taken = delivery.measure(quiet, 60 * ask.rounds)
    p50, p99 = statistics.median(taken), taken[int(len(taken) * 0.99)]
    name = "a message to its provider's socket, after the commit"
    return [Figure(name, f"p99 {p99:.0f} ms", f"p50 {p50:.0f} ms", "< 250 ms", p99 < 250)]


def _startup(setting: Setting, ask: argparse.Namespace) -> list[Figure]:
    return [
        Figure(name, f"{ours:.1f} ms", f"{ratio:.1f} x python", f"<= {aim:.0f} x" if aim else "", ratio <= aim)
        for name, ours, ratio, aim in startup.measure(setting.environment, rounds=7 * ask.rounds)
    ]


# --- showing ---------------------------------------------------------------------------------------------------


def _sync_milliseconds(times: int = 100) -> float:
    """What durability costs on this disk."""
    with tempfile.TemporaryFile() as file:
        started = time.perf_counter()
        for _ in range(times):
            os.write(file.fileno(), b"x" * 4_096)
            os.fdatasync(file.fileno())
        return (time.perf_counter() - started) / times * 1e3


def _table(figures: list[Figure]) -> str:
    rows: list[tuple[Any, ...]] = [("what", "figure", "ratio", "aim", "")]
    rows += [(f.name, f.figure, f.ratio, f.aim, f.verdict) for f in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


if __name__ == "__main__":
    sys.exit(main())
