"""The priority score: base + critical asset + duplicates + several tools - age (DOMAIN §4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from siems.vocabulary import Severity


@dataclass(frozen=True, slots=True)
class Weights:
    """The numbers of the score; settings may change them."""

    base: dict[Severity, int] = field(
        default_factory=lambda: {Severity.LOW: 10, Severity.MEDIUM: 30, Severity.HIGH: 60, Severity.CRITICAL: 90}
    )
    critical_asset: int = 20
    per_duplicate: int = 2
    duplicates_at_most: int = 20
    several_tools: int = 10
    per_hour: int = 1
    age_at_most: int = 10


DEFAULT_WEIGHTS = Weights()


def duplicates(*, alert_count: int, repeat_count: int) -> int:
    """How many alerts more than one: Σ(count - 1) + alerts - 1."""
    return max(0, repeat_count + alert_count - 1)


def static_score(
    severity: Severity,
    *,
    critical_asset: bool,
    duplicates: int,
    tools: int,
    weights: Weights = DEFAULT_WEIGHTS,
) -> int:
    """The part of the score that does not change by itself."""
    return (
        weights.base[severity]
        + (weights.critical_asset if critical_asset else 0)
        + min(weights.duplicates_at_most, weights.per_duplicate * duplicates)
        + (weights.several_tools if tools >= 2 else 0)
    )


def age_term(created_at: datetime, *, as_of: datetime, weights: Weights = DEFAULT_WEIGHTS) -> int:
    """What age takes away: one per full hour, at most ten. Computed when read, never stored."""
    hours = max(0, (as_of - created_at) // timedelta(hours=1))
    return min(weights.age_at_most, weights.per_hour * hours)


def terms(
    severity: Severity,
    *,
    critical_asset: bool,
    duplicates: int,
    tools: int,
    created_at: datetime,
    as_of: datetime,
    weights: Weights = DEFAULT_WEIGHTS,
) -> dict[str, int]:
    """Each term by name, for `explain`; they add up to the score."""
    return {
        "base": weights.base[severity],
        "critical_asset": weights.critical_asset if critical_asset else 0,
        "duplicates": min(weights.duplicates_at_most, weights.per_duplicate * duplicates),
        "multi_tool": weights.several_tools if tools >= 2 else 0,
        "age": -age_term(created_at, as_of=as_of, weights=weights),
    }
