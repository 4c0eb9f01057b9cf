"""What others do: group by a key alone, as Alertmanager does, and whatever comes without a pause between."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta

from benchmarks.correlation.labelled import Tenant
from benchmarks.correlation.scoring import Grouping, Method
from siems.domain.alert import Reading

START = datetime.min.replace(tzinfo=UTC)
GROUP_WAIT = timedelta(seconds=30)
"""How long Alertmanager waits by default before it tells of a new group."""

KEYS: dict[str, Callable[[Reading], Hashable]] = {
    "alertname": lambda r: r.signature,
    "instance": lambda r: r.asset_name,
    "alertname, instance": lambda r: (r.signature, r.asset_name),
    "site": lambda r: r.labels.get("site") or r.asset_name,
    "alertname, site": lambda r: (r.signature, r.labels.get("site") or r.asset_name),
}


def by_key(name: str) -> Method:
    """One group per key, for as long as something in it is active."""
    key = KEYS[name]

    def method(tenant: Tenant) -> Grouping:
        found: dict[int, tuple[int, datetime]] = {}
        groups: dict[Hashable, tuple[int, datetime, datetime]] = {}
        for happening in tenant.stream:
            name_ = key(happening.reading)
            known = groups.get(name_)
            end = happening.over_at or datetime.max.replace(tzinfo=UTC)
            if known is None or known[2] < happening.at:
                known = happening.id, happening.at + GROUP_WAIT, end
            groups[name_] = known[0], known[1], max(known[2], end)
            found[happening.id] = known[0], known[1]
        return found

    return method


def by_gap(gap: timedelta) -> Method:
    """One incident until nothing has come for so long."""

    def method(tenant: Tenant) -> Grouping:
        found: dict[int, tuple[int, datetime]] = {}
        group, last = 0, None
        opened = START
        for happening in tenant.stream:
            if last is None or happening.at - last > gap:
                group, opened = happening.id, happening.at
            last = happening.at
            found[happening.id] = group, opened
        return found

    return method
