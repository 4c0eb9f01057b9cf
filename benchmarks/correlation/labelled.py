"""Labelled streams: alerts of several tenants, with the fault that each one belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from siems.domain.alert import Reading
from siems.domain.replay import Happening


@dataclass(frozen=True, slots=True)
class Raw:
    """One alert as a tool sends it. `fault` is the true incident; noise is a fault of its own."""

    at: datetime
    tenant: str
    fault: str
    reading: Reading
    over_at: datetime | None = None


@dataclass(slots=True)
class Tenant:
    """A client's inventory and its alerts."""

    name: str
    edges: Mapping[str, tuple[str, ...]]
    stream: list[Happening] = field(default_factory=list)


@dataclass(slots=True)
class Labelled:
    """A stream of all tenants. `fault` is by the id of the alert; `noise` names the faults that are single alerts."""

    name: str
    tenants: dict[str, Tenant]
    fault: dict[int, str]
    noise: frozenset[str]

    @property
    def firings(self) -> int:
        return sum(1 + h.repeats for tenant in self.tenants.values() for h in tenant.stream)

    @property
    def faults(self) -> int:
        return len(set(self.fault.values()) - self.noise)


def collect(
    name: str, raws: Iterable[Raw], edges: Mapping[str, Mapping[str, tuple[str, ...]]], noise: Iterable[str]
) -> Labelled:  # fmt: skip
    """A stream of what came: a firing with the fingerprint of an alert that is active is a repeat of it."""
    tenants = {tenant: Tenant(tenant, graph) for tenant, graph in edges.items()}
    found: list[dict[str, object]] = []
    active: dict[tuple[str, str], dict[str, object]] = {}
    for raw in sorted(raws, key=lambda r: (r.at, r.tenant, r.reading.asset_name, r.reading.signature)):
        print_ = raw.reading.fingerprint(raw.tenant)
        known = active.get((raw.tenant, print_))
        if known is not None and (known["over_at"] is None or raw.at <= known["over_at"]):  # type: ignore[operator]
            known["repeats"] += 1  # type: ignore[operator]
            known["last_at"] = raw.at
            continue
        fresh: dict[str, object] = {
            "at": raw.at, "reading": raw.reading, "fingerprint": print_, "repeats": 0, "last_at": None,
            "over_at": raw.over_at, "tenant": raw.tenant, "fault": raw.fault,
        }  # fmt: skip
        active[raw.tenant, print_] = fresh
        found.append(fresh)
    labels: dict[int, str] = {}
    for number, one in enumerate(found, 1):
        tenant, fault = str(one.pop("tenant")), str(one.pop("fault"))
        labels[number] = fault
        tenants[tenant].stream.append(Happening(id=number, **one))  # type: ignore[arg-type]
    return Labelled(name, tenants, labels, frozenset(noise))
