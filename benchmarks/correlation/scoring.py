"""Scores of a grouping against the truth: by pairs, by incidents, by what a person would have missed."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from benchmarks.correlation.labelled import Labelled, Tenant
from siems.domain.correlation import Rules, noise_reduction
from siems.domain.replay import replay

Grouping = Mapping[int, tuple[int, datetime]]
"""Alert id → (its incident, when that first called somebody)."""
Method = Callable[[Tenant], Grouping]


@dataclass(frozen=True, slots=True)
class Score:
    """`swallowed`: true faults that are the largest one of no incident. Seconds are from a fault's first alert."""

    precision: float
    recall: float
    noise_reduction: float
    incidents: int
    faults: int
    mixed: int
    swallowed: int
    page_median: float
    page_worst: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def siems(rules: Rules) -> Method:
    """What siems makes of a tenant's alerts under these rules."""

    def method(tenant: Tenant) -> Grouping:
        outcome = replay(tenant.stream, rules, tenant.edges)
        return {
            p.happening.id: (p.group, p.paged_at)
            for p in outcome.placed if p.group is not None and p.paged_at is not None
        }  # fmt: skip

    return method


def score(stream: Labelled, method: Method) -> Score:
    """How a method does on a stream. An alert without an incident is alone."""
    cells: Counter[tuple[str, str]] = Counter()
    by_incident: dict[str, Counter[str]] = {}
    first: dict[str, datetime] = {}
    paged: dict[str, datetime] = {}
    for tenant in stream.tenants.values():
        grouping = method(tenant)
        for happening in tenant.stream:
            fault = stream.fault[happening.id]
            group, at = grouping.get(happening.id, (-happening.id, None))
            incident = f"{tenant.name}/{group}"
            cells[fault, incident] += 1
            by_incident.setdefault(incident, Counter())[fault] += 1
            if fault in stream.noise:
                continue
            first[fault] = min(first.get(fault, happening.at), happening.at)
            if at is not None:
                paged[fault] = min(paged.get(fault, at), at)
    faults = Counter[str]()
    for (fault, _), count in cells.items():
        faults[fault] += count
    together = sum(_pairs(count) for count in cells.values())
    said = sum(_pairs(found.total()) for found in by_incident.values())
    true = sum(_pairs(count) for count in faults.values())
    real = {incident: Counter({f: n for f, n in found.items() if f not in stream.noise})
            for incident, found in by_incident.items()}  # fmt: skip
    heads = {found.most_common(1)[0][0] for found in real.values() if found}
    waits = [max(0.0, (paged[f] - at).total_seconds()) for f, at in first.items() if f in paged] or [0.0]
    incidents = sum(not i.rpartition("/")[2].startswith("-") for i in by_incident)
    return Score(
        precision=together / said if said else 1.0, recall=together / true if true else 1.0,
        noise_reduction=noise_reduction(alerts=stream.firings, incidents=incidents), incidents=incidents,
        faults=stream.faults, mixed=sum(len(found) > 1 for found in real.values()), swallowed=len(set(first) - heads),
        page_median=statistics.median(waits), page_worst=max(waits),
    )  # fmt: skip


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
