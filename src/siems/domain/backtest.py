"""Two replays of the same alerts side by side: what one settings' incidents become under the other's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from siems.domain.replay import Outcome, Placed

BUCKETS = 24


@dataclass(frozen=True, slots=True)
class Regrouped:
    """Alerts that were in several incidents and are in one, or the other way round."""

    alerts: tuple[Placed, ...]
    parts: int
    """Of how many incidents it was made, or into how many it falls."""

    @property
    def telling(self) -> Placed:
        """The alert whose rule keeps them together: the last that was joined by more than its own key."""
        folded = [p for p in self.alerts if p.rule.startswith("auto:")]
        return folded[-1] if folded else self.alerts[-1]


def joined(before: Outcome, after: Outcome) -> list[Regrouped]:
    """Incidents of `after` that hold what were several incidents of `before`, the largest first."""
    return _regrouped(before, after)


def split(before: Outcome, after: Outcome) -> list[Regrouped]:
    """Incidents of `before` that are several in `after`, the largest first."""
    return _regrouped(after, before)


def _regrouped(one: Outcome, other: Outcome) -> list[Regrouped]:
    """The incidents of the other that are several of the one; why they are together there."""
    was = {p.happening.id: p.group for p in one.placed}
    placed = {p.happening.id: p for p in other.placed}
    found = []
    for alerts in other.members().values():
        # an alert that waits for an incident is none; it makes no part
        parts = {was[alert] for alert in alerts} - {None}
        if len(parts) > 1:
            found.append(Regrouped(tuple(placed[alert] for alert in alerts), len(parts)))
    return sorted(found, key=lambda r: (-r.parts, -len(r.alerts), r.alerts[0].happening.id))


def opened(outcome: Outcome, since: datetime, until: datetime) -> list[int]:
    """How many incidents opened in each of 24 equal parts of a time."""
    width = max((until - since) / BUCKETS, timedelta(microseconds=1))
    found = Counter(
        min(BUCKETS - 1, (group.created_at - since) // width)
        for group in outcome.groups.values()
        if group.merged_into is None
    )
    return [found[number] for number in range(BUCKETS)]
