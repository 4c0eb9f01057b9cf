"""How an incident stood before a change: what is kept of it, so that any past moment can be shown again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from siems.clock import to_micros
from siems.domain.incident import Incident
from siems.vocabulary import State

SHOWN = frozenset(
    [
        "title",
        "severity",
        "state",
        "category",
        "rule",
        "created_at",
        "response_due",
        "response_met_at",
        "response_breached_at",
        "response_cancelled",
        "resolution_due",
        "resolution_met_at",
        "resolution_breached_at",
        "paused_since",
        "sla_snapshot",
        "policy_snapshot",
        "cycle",
        "round",
        "step",
        "escalation_level",
        "escalated_at",
        "escalates_at",
        "assets",
        "asset_count",
        "tool_sources",
        "critical_asset",
        "assignee",
        "acknowledged_at",
        "hold_reason",
        "hold_until",
        "flapping",
        "resolved_at",
        "resolved_by",
        "resolution_notes",
        "cause",
        "closed_at",
        "merged_into",
        "recurrence_of",
        "related",
        "version",
    ]
)
"""The columns that a board or an incident's screen shows, but for its counters, which alerts move by themselves."""
COUNTERS = ("alert_count", "repeat_count", "active_count", "last_alert_at")
_decided = attrgetter(
    "version", "state", "title", "severity", "clocks", "assets", "asset_count", "tool_sources", "assignee",
    "acknowledged_at", "escalation_level", "escalates_at", "escalated_at", "position", "hold_until", "hold_reason",
    "flapping", "critical_asset", "category", "rule", "created_at", "resolved_at", "resolved_by", "resolution_notes",
    "cause", "closed_at", "merged_into", "recurrence_of", "related", "sla_snapshot", "policy_snapshot",
)  # fmt: skip


_settled = attrgetter(*(name for name in Incident.__struct_fields__ if name not in COUNTERS))


def moved(before: Incident, after: Incident) -> bool:
    """Whether anything at all has changed besides its counters, shown or not."""
    return bool(_settled(before) != _settled(after))


def looks_other(before: Incident, after: Incident) -> bool:
    """Whether anything that is shown has changed besides its counters."""
    return bool(_decided(before) != _decided(after))


def difference(columns: Sequence[str], before: Sequence[Any], after: Sequence[Any]) -> dict[str, Any]:
    """What a row was, where it differs; of a list that has only grown, how long it was."""
    was: dict[str, Any] = {}
    for name, old, new in zip(columns, before, after, strict=True):
        if name in SHOWN and old != new:
            was[name] = _shorter(old, new) if name == "assets" else old
    return was


def _shorter(old: str, new: str) -> Any:
    before, after = json.loads(old), json.loads(new)
    return len(before) if after[: len(before)] == before else old


@dataclass(frozen=True, slots=True)
class Stand:
    """One change: what the row was before it, and its counters before and after. One that was `born` was not there."""

    at: datetime
    was: Mapping[str, Any]
    had: Sequence[int]
    has: Sequence[int]
    born: bool = False

    def undo(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as it was before."""
        old = {**row, **self.was, **dict(zip(COUNTERS, self.had, strict=True))}
        if isinstance(old["assets"], int):
            old["assets"] = json.dumps(json.loads(row["assets"])[: old["assets"]])
        return old


@dataclass(frozen=True, slots=True)
class Count:
    """The counters of an incident from a moment on."""

    at: datetime
    values: Sequence[int]


class Course:
    """One incident from a moment on: its row then, and after each change since; None while it is not there.

    One that is not `whole` has changed in ways that were not kept.
    """

    def __init__(self, row: Mapping[str, Any], stands: Sequence[Stand], *, whole: bool = True) -> None:
        rows: list[Mapping[str, Any] | None] = [row]
        for stand in reversed(stands):
            last = rows[-1]
            rows.append(None if stand.born or last is None else stand.undo(last))
        rows.reverse()
        self._rows, self._stands, self.whole = rows, stands, whole
        self._counts = [Count(stand.at, stand.has) for stand in stands if not stand.born]

    @property
    def first(self) -> Mapping[str, Any] | None:
        return self._rows[0]

    @property
    def born(self) -> bool:
        """Whether it came apart from another one meanwhile."""
        return self._rows[0] is None

    @property
    def changes(self) -> Sequence[datetime]:
        """When it changed, the oldest first."""
        return [stand.at for stand in self._stands]

    def counted(self, counts: Sequence[Count]) -> None:
        """What alerts did to its counters meanwhile. At one moment they know better than a change."""
        self._counts = sorted([*self._counts, *counts], key=lambda one: one.at)

    def at(self, moment: datetime) -> Mapping[str, Any] | None:
        """The row as it was at a moment, with what happened at that moment done."""
        place = sum(1 for stand in self._stands if stand.at <= moment)
        row = self._rows[place]
        if row is None or row["created_at"] > to_micros(moment):
            return None
        count = next((one for one in reversed(self._counts) if one.at <= moment), None)
        found = {**row, **(dict(zip(COUNTERS, count.values, strict=True)) if count is not None else {})}
        if found["state"] in (State.RESOLVED.value, State.CLOSED.value):
            found["active_count"] = 0
        return found
