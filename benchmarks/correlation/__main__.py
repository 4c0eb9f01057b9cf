"""`python -m benchmarks.correlation`: score each way of grouping on labelled streams, and print what it costs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.correlation import baselines, cost, folder, generator
from benchmarks.correlation.labelled import Labelled
from benchmarks.correlation.scoring import Method, Score, score, siems
from siems.domain.correlation import Rules
from siems.vocabulary import Strategy

SEEDS = (1, 101)
"""Settings are chosen on the first, and reported on the second."""
WINDOWS = (10, 15, 20, 30)
GAPS = (30, 60, 120, 300, 600)
HEAD = ("method", "precision", "recall", "F1", "noise -%", "incidents", "mixed", "swallowed", "first page")
Parts = tuple[Labelled, Labelled]


def main() -> int:
    ask = _parser().parse_args()
    found = [_reported(name, parts) for name, parts in _streams(ask.data)]
    spent = cost.measure()
    for one in found:
        print(f"\n{one['stream']}: {one['firings']} alerts of {one['faults']} faults and of noise, held back")
        print(_table(one["scores"]))
    print(f"\n{cost.told(spent)}")
    if ask.json:
        Path(ask.json).write_text(json.dumps({"streams": found, "cost": asdict(spent)}, indent=2) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.correlation", description=__doc__)
    parser.add_argument("--data", metavar="DIR", help="labelled alerts of real systems, besides the generated ones")
    parser.add_argument("--json", metavar="FILE", help="write the figures here")
    return parser


def _streams(data: str | None) -> Iterator[tuple[str, Parts]]:
    yield "generated", (generator.make(seed=SEEDS[0]), generator.make(seed=SEEDS[1]))
    if data:
        for system in folder.systems_in(Path(data)):
            yield system, (folder.read(Path(data), system, part=0), folder.read(Path(data), system, part=1))


def _reported(name: str, parts: Parts) -> dict[str, Any]:
    """All methods on the held-back part: those with settings with the ones that did best on the other part."""
    known, held_back = parts
    label, method = _best(known, [(f"auto, {n} min", siems(Rules(window=timedelta(minutes=n)))) for n in WINDOWS])
    methods: dict[str, Method] = {"auto, as shipped": siems(Rules()), f"{label}, chosen": method}
    for strategy in Strategy:
        if strategy is not Strategy.AUTO:
            methods[strategy.value] = siems(Rules(strategy=strategy))
    label, method = _best(known, [(f"by {key}", baselines.by_key(key)) for key in baselines.KEYS])
    methods[f"{label}, chosen"] = method
    label, method = _best(known, [(f"gap of {n} s", baselines.by_gap(timedelta(seconds=n))) for n in GAPS])
    methods[f"{label}, chosen"] = method
    scores = {label: score(held_back, method) for label, method in methods.items()}
    return {
        "stream": name, "firings": held_back.firings, "faults": held_back.faults,
        "scores": {label: asdict(one) | {"f1": one.f1} for label, one in scores.items()},
    }  # fmt: skip


def _best(stream: Labelled, methods: Sequence[tuple[str, Method]]) -> tuple[str, Method]:
    """By F1; of equals the first."""

    def rank(named: tuple[str, Method]) -> float:
        found: Score = score(stream, named[1])
        return found.f1

    return max(methods, key=rank)


def _table(scores: dict[str, dict[str, Any]]) -> str:
    rows = [HEAD]
    for label, s in scores.items():
        rows.append((
            label, f"{s['precision']:.3f}", f"{s['recall']:.3f}", f"{s['f1']:.3f}", f"{s['noise_reduction']:.1f}",
            str(s["incidents"]), str(s["mixed"]), str(s["swallowed"]), f"{s['page_median']:.0f} s",
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


if __name__ == "__main__":
    raise SystemExit(main())
