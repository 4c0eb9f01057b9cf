"""Tiers: templates of how fast a client is served, when their time counts, and which holds stop the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from siems.domain.calendars import parse_hours
from siems.domain.sla import DEFAULT_TARGETS, PAUSING_REASONS, Target, Targets
from siems.errors import InvalidField
from siems.vocabulary import HoldReason, Severity

STANDARD = "silver"
"""What a client gets for whom nothing else was said."""
OFFICE_HOURS = parse_hours("Mon-Fri 08:00-17:00")
"""The hours of a tier that counts business hours, where a client names none."""


@dataclass(frozen=True, slots=True)
class Tier:
    """A template; what a company changes afterwards is its own."""

    name: str
    targets: Targets
    business: bool = False
    pausing: frozenset[HoldReason] = PAUSING_REASONS


def _within(**hours: tuple[float, float]) -> Targets:
    hour = timedelta(hours=1)
    return {Severity[name]: Target(first * hour, last * hour) for name, (first, last) in hours.items()}


TIERS: Mapping[str, Tier] = MappingProxyType(
    {
        "gold": Tier("gold", _within(CRITICAL=(0.25, 2), HIGH=(1, 4), MEDIUM=(4, 12), LOW=(8, 24))),
        "silver": Tier("silver", DEFAULT_TARGETS),
        "bronze": Tier(
            "bronze",
            _within(CRITICAL=(1, 8), HIGH=(4, 16), MEDIUM=(9, 27), LOW=(18, 45)),
            business=True,
            pausing=frozenset({*PAUSING_REASONS, HoldReason.VENDOR, HoldReason.PARTS}),
        ),
    }
)


def tier_named(name: str) -> Tier:
    """Raises InvalidField for what is no tier."""
    try:
        return TIERS[name.strip().lower()]
    except KeyError as why:
        raise InvalidField(f"there is no tier {name[:40]!r}", hint=f"one of: {', '.join(TIERS)}") from why
