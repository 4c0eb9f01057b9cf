"""What is measured (DOMAIN §14): which numbers there are, what each report shows, and how they come of plain sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType

from siems.domain.correlation import noise_reduction


class Unit(StrEnum):
    COUNT = "count"
    SECONDS = "seconds"
    PERCENT = "percent"


class Measure(StrEnum):
    """A number of a report. Counts are of incidents, but for `alerts`."""

    OPENED = "opened"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    OPEN_NOW = "open_now"
    ALERTS = "alerts"
    NOISE_REDUCTION = "noise_reduction"
    SELF_HEALED = "self_healed"
    SELF_HEALED_RATE = "self_healed_rate"
    ESCALATED = "escalated"
    ESCALATION_RATE = "escalation_rate"
    ANSWERED = "answered"
    MTTA = "mtta"
    MTTA_MEDIAN = "mtta_median"
    MTTA_P90 = "mtta_p90"
    MTTR = "mttr"
    MTTR_MEDIAN = "mttr_median"
    MTTR_P90 = "mttr_p90"
    RESPONSE = "response"
    RESPONSE_IN_TIME = "response_in_time"
    RESPONSE_BREACHED = "response_breached"
    RESPONSE_CANCELLED = "response_cancelled"
    RESPONSE_RUNNING = "response_running"
    RESOLUTION = "resolution"
    RESOLUTION_IN_TIME = "resolution_in_time"
    RESOLUTION_BREACHED = "resolution_breached"
    RESOLUTION_RUNNING = "resolution_running"
    BREACHES = "breaches"
    NOBODY_ON_CALL = "nobody_on_call"
    NOT_ANSWERED = "not_answered"
    WAITING_APPROVAL = "waiting_approval"
    WAITING_CLIENT = "waiting_client"
    WAITING_VENDOR = "waiting_vendor"
    WAITING_PARTS = "waiting_parts"
    WAITING_SCHEDULED = "waiting_scheduled"
    UNOWNED = "unowned"
    HANDED_ON = "handed_on"
    WORK = "work"


M = Measure
_SECONDS = frozenset({M.MTTA, M.MTTA_MEDIAN, M.MTTA_P90, M.MTTR, M.MTTR_MEDIAN, M.MTTR_P90})
_PERCENT = frozenset({M.NOISE_REDUCTION, M.SELF_HEALED_RATE, M.ESCALATION_RATE, M.RESPONSE, M.RESOLUTION})


def unit_of(measure: Measure) -> Unit:
    if measure in _SECONDS:
        return Unit.SECONDS
    return Unit.PERCENT if measure in _PERCENT else Unit.COUNT


_MOST = "missed targets that spent most of their time waiting for"
_DECIDED = "kept, of those kept or missed, among what opened in the range; what still runs is left out"
MEANING: Mapping[Measure, str] = MappingProxyType(
    {
        M.OPENED: "incidents that opened in the range",
        M.RESOLVED: "incidents whose last resolving was in the range",
        M.REOPENED: "incidents that opened in the range and were opened again later",
        M.OPEN_NOW: "incidents that are open now, whatever the range",
        M.ALERTS: "alerts of incidents that opened in the range, repeats too, and those that are part of none",
        M.NOISE_REDUCTION: "100 % less incidents per alert: how many alerts needed nobody's attention of their own",
        M.SELF_HEALED: "resolved in the range by recovery, by nobody's hand",
        M.SELF_HEALED_RATE: "resolved by recovery, of all that were resolved in the range",
        M.ESCALATED: "incidents that opened in the range and were escalated at least once",
        M.ESCALATION_RATE: "escalated at least once, of all that opened in the range",
        M.ANSWERED: "incidents that a person first answered in the range",
        M.MTTA: "mean time from opening to the first answer of a person, of those answered in the range",
        M.MTTA_MEDIAN: "half of those answered in the range waited no longer",
        M.MTTA_P90: "nine of ten of those answered in the range waited no longer",
        M.MTTR: "mean time from opening to the last resolving, of those resolved in the range",
        M.MTTR_MEDIAN: "half of those resolved in the range took no longer",
        M.MTTR_P90: "nine of ten of those resolved in the range took no longer",
        M.RESPONSE: f"response targets {_DECIDED}, as is what recovered before anybody was needed",
        M.RESPONSE_IN_TIME: "opened in the range, response target kept",
        M.RESPONSE_BREACHED: "opened in the range, response target missed",
        M.RESPONSE_CANCELLED: "opened in the range, recovered before anybody was needed",
        M.RESPONSE_RUNNING: "opened in the range, response target not yet due",
        M.RESOLUTION: f"resolution targets {_DECIDED}",
        M.RESOLUTION_IN_TIME: "opened in the range, resolution target kept",
        M.RESOLUTION_BREACHED: "opened in the range, resolution target missed",
        M.RESOLUTION_RUNNING: "opened in the range, resolution target not yet due",
        M.BREACHES: "missed targets of what opened in the range; an incident that missed both counts twice",
        M.NOBODY_ON_CALL: f"{_MOST} an answer, and the first step of the chain had nobody behind it",
        M.NOT_ANSWERED: f"{_MOST} an answer, though somebody was paged",
        M.WAITING_APPROVAL: f"{_MOST} the approval of a run",
        M.WAITING_CLIENT: f"{_MOST} the client, on hold, and the clock ran on",
        M.WAITING_VENDOR: f"{_MOST} a vendor, on hold, and the clock ran on",
        M.WAITING_PARTS: f"{_MOST} parts, on hold, and the clock ran on",
        M.WAITING_SCHEDULED: f"{_MOST} a planned date, on hold, and the clock ran on",
        M.UNOWNED: "missed targets that spent most of their time answered, but with nobody",
        M.HANDED_ON: "missed targets that spent most of their time being worked on, by three people in turn or more",
        M.WORK: "missed targets that spent most of their time being worked on",
    }
)
"""How each number comes about, for its reader."""

REPORTS: Mapping[str, tuple[Measure, ...]] = MappingProxyType(
    {
        "sla": (
            M.OPENED, M.RESPONSE, M.RESPONSE_IN_TIME, M.RESPONSE_BREACHED, M.RESPONSE_CANCELLED, M.RESPONSE_RUNNING,
            M.RESOLUTION, M.RESOLUTION_IN_TIME, M.RESOLUTION_BREACHED, M.RESOLUTION_RUNNING,
        ),
        "volume": (M.ALERTS, M.OPENED, M.REOPENED, M.RESOLVED, M.OPEN_NOW),
        "workload": (
            M.OPEN_NOW, M.OPENED, M.ANSWERED, M.RESOLVED, M.MTTA, M.MTTR, M.RESPONSE, M.RESOLUTION, M.ESCALATION_RATE,
        ),
        "noise": (M.ALERTS, M.OPENED, M.NOISE_REDUCTION, M.SELF_HEALED, M.SELF_HEALED_RATE),
        "mttr": (
            M.ANSWERED, M.MTTA, M.MTTA_MEDIAN, M.MTTA_P90, M.RESOLVED, M.MTTR, M.MTTR_MEDIAN, M.MTTR_P90, M.ESCALATED,
            M.ESCALATION_RATE,
        ),
        "causes": (
            M.BREACHES, M.NOBODY_ON_CALL, M.NOT_ANSWERED, M.WAITING_APPROVAL, M.WAITING_CLIENT, M.WAITING_VENDOR,
            M.WAITING_PARTS, M.WAITING_SCHEDULED, M.UNOWNED, M.HANDED_ON, M.WORK,
        ),
    }
)  # fmt: skip
"""What each report shows, in order."""

DEFAULT_BY: Mapping[str, str] = MappingProxyType(
    {
        "sla": "company",
        "volume": "company",
        "workload": "technician",
        "noise": "company",
        "mttr": "severity",
        "causes": "company",
    }
)


@dataclass(slots=True)
class Sums:
    """What is counted of a group of incidents; durations in microseconds."""

    opened: int = 0
    reopened: int = 0
    escalated: int = 0
    response_in_time: int = 0
    response_breached: int = 0
    response_cancelled: int = 0
    response_running: int = 0
    resolution_in_time: int = 0
    resolution_breached: int = 0
    resolution_running: int = 0
    alerts: int = 0
    answered: int = 0
    answering: int = 0
    resolved: int = 0
    resolving: int = 0
    self_healed: int = 0
    open_now: int = 0

    def add(self, other: Sums) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass(frozen=True, slots=True)
class Spread:
    """Half of them took no longer than `median`, nine of ten no longer than `p90`; in seconds."""

    median: float | None = None
    p90: float | None = None


NO_SPREAD = Spread()


def spread(micros: Sequence[int]) -> Spread:
    """The middle and the slow end: the smallest value that half, or nine of ten, do not exceed."""
    if not micros:
        return NO_SPREAD
    ordered = sorted(micros)
    return Spread(*(ordered[max(0, -(-len(ordered) * percent // 100) - 1)] / 1_000_000 for percent in (50, 90)))


def value_of(measure: Measure, sums: Sums, answers: Spread, resolutions: Spread) -> tuple[float | None, int]:
    """(a measure, of how many it is made); None where there is nothing to measure.

    A response that nobody was asked for any more, and a clock that still runs, are no part of a percentage.
    """
    s = sums
    match measure:
        case M.NOISE_REDUCTION:
            if not s.alerts:
                return None, 0
            return round(noise_reduction(alerts=s.alerts, incidents=s.opened), 1), s.alerts
        case M.SELF_HEALED_RATE:
            return _percent(s.self_healed, s.resolved)
        case M.ESCALATION_RATE:
            return _percent(s.escalated, s.opened)
        case M.RESPONSE:
            return _percent(s.response_in_time, s.response_in_time + s.response_breached)
        case M.RESOLUTION:
            return _percent(s.resolution_in_time, s.resolution_in_time + s.resolution_breached)
        case M.MTTA:
            return _mean(s.answering, s.answered)
        case M.MTTR:
            return _mean(s.resolving, s.resolved)
        case M.MTTA_MEDIAN | M.MTTA_P90:
            return (answers.median if measure is M.MTTA_MEDIAN else answers.p90), s.answered
        case M.MTTR_MEDIAN | M.MTTR_P90:
            return (resolutions.median if measure is M.MTTR_MEDIAN else resolutions.p90), s.resolved
        case _:
            count = int(getattr(s, measure.value))
            return float(count), count


def _percent(part: int, whole: int) -> tuple[float | None, int]:
    return (round(100 * part / whole, 1), whole) if whole else (None, 0)


def _mean(micros: int, count: int) -> tuple[float | None, int]:
    return (round(micros / count / 1_000_000, 3), count) if count else (None, 0)


def change(measure: Measure, now: float | None, before: float | None) -> float | None:
    """How a measure moved: percent of what it was, and for percentages the points between them."""
    if now is None or before is None:
        return None
    if unit_of(measure) is Unit.PERCENT:
        return round(now - before, 1)
    return round(100 * (now - before) / before, 1) if before else None
