"""Labelled streams from a folder: faults of real systems, moved into common windows on systems of their own.

A folder holds, for each system, `NAME.csv.gz` (columns dataset, fault_id, ts_ms, kind, entity, peer_or_host, signal,
state, count) and `NAME/topology-KG.json`. One fault at a time is too easy, so each tenant gets several copies of the
system (sites), each with faults one after the other, so that several are on at any time; and unrelated noise.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.correlation.labelled import Labelled, Raw, collect
from benchmarks.correlation.noise import noise_on
from siems.domain.alert import Reading
from siems.vocabulary import Severity

TENANTS = 2
SITES = 3
REST = timedelta(minutes=50)
"""Between two faults of one copy: longer than what reopens an incident."""
START = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
_SEVERITY = {"500": Severity.HIGH, "400": Severity.HIGH, "PD": Severity.MEDIUM}
_SAID = {"PD": "is slower than usual", "up": "is unusually high", "down": "is unusually low", "seen": "was logged"}
_NEEDS = frozenset({"control_flow", "data_flow", "hosted_on", "registers_with"})

Row = dict[str, str]


def systems_in(folder: Path) -> list[str]:
    """The systems that a folder holds alerts of."""
    return sorted(path.name.removesuffix(".csv.gz") for path in folder.glob("**/*.csv.gz"))


def read(folder: Path, system: str, *, part: int, seed: int = 1) -> Labelled:
    """The faults of one part (0: even ids, 1: odd ones), overlaid."""
    [path] = folder.glob(f"**/{system}.csv.gz")
    graph = depends_on(json.loads((path.parent / system / "topology-KG.json").read_text()))
    faults: dict[int, list[Row]] = {}
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            if int(row["fault_id"]) % 2 == part:
                faults.setdefault(int(row["fault_id"]), []).append(row)
    chance = random.Random(seed + part)
    raws: list[Raw] = []
    edges: dict[str, dict[str, tuple[str, ...]]] = {f"tenant{n}": {} for n in range(TENANTS)}
    places = [(f"tenant{t}", f"{system[:2].lower()}{t}{s}") for t in range(TENANTS) for s in range(SITES)]
    free = {place: START + timedelta(minutes=chance.uniform(0, 12)) for place in places}
    for tenant, site in places:
        edges[tenant] |= {f"{site}-{a}": tuple(f"{site}-{b}" for b in bs) for a, bs in graph.items()}
    order = sorted(faults)
    chance.shuffle(order)
    for fault in order:
        place = min(free, key=lambda p: (free[p], p))
        begins = free[place]
        moved = list(_moved(faults[fault], f"{system}-{fault}", *place, begins=begins))
        raws += moved
        free[place] = max(r.over_at or r.at for r in moved) + REST + timedelta(minutes=chance.uniform(0, 20))
    end = max(raw.at for raw in raws)
    noise = [n for tenant in edges for n in noise_on(tenant, edges[tenant], START, end, chance)]
    return collect(f"{system}, part {part}", [*raws, *noise], edges, (n.fault for n in noise))


def _moved(rows: list[Row], fault: str, tenant: str, site: str, *, begins: datetime) -> Iterator[Raw]:
    """The alerts of a fault as tools of this site send them; all recover five minutes after the last one."""
    first, last = (bound(int(row["ts_ms"]) for row in rows) for bound in (min, max))
    over = begins + timedelta(milliseconds=last - first) + timedelta(minutes=5)
    for row in rows:
        state, signal, entity = row["state"], row["signal"], _host(row["entity"])
        peer = f" when {entity} calls {row['peer_or_host']}" if row["kind"] == "trace" else ""
        reading = Reading(
            asset_name=f"{site}-{entity}", signature=f"{signal} {state}",
            severity=_SEVERITY.get(state, Severity.LOW), original_severity=state,
            message=f"{signal} {_SAID.get(state, f'answers {state}')}{peer}",
            tool_source={"metric": "metrics", "trace": "traces"}.get(row["kind"], "logs"),
        )  # fmt: skip
        yield Raw(begins + timedelta(milliseconds=int(row["ts_ms"]) - first), tenant, fault, reading, over)


def _host(entity: str) -> str:
    """Metrics of a host come under its masked address, 0.0.0.3 of host3."""
    return f"host{entity.removeprefix('0.0.0.')}" if entity.startswith("0.0.0.") else entity


def depends_on(topology: dict[str, list[dict[str, str]]]) -> dict[str, tuple[str, ...]]:
    """The inventory's graph of a system: an instance needs the instances of what its service calls, and its host."""
    instances: dict[str, list[str]] = {}
    for edge in topology["edges"]:
        if edge["label"] == "instance_of":
            instances.setdefault(edge["target"], []).append(edge["source"])
    found: dict[str, set[str]] = {}
    for edge in topology["edges"]:
        source, target = edge["source"], edge["target"]
        if edge["label"] in _NEEDS and source != target:
            for one in instances.get(source, [source]):
                found.setdefault(one, set()).update(instances.get(target, [target]))
        elif edge["label"] in ("hosts", "instance_of"):
            found.setdefault(target, set()).add(source)
    return {name: tuple(sorted(others)) for name, others in sorted(found.items())}
