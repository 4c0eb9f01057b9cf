"""Whether a clock will be missed at the pace of the last cases: a plain comparison, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

FEWEST = 5
"""With fewer cases nothing is said."""


class Verdict(StrEnum):
    LATE = "late"
    """Half of the cases took longer than there is time."""
    TIGHT = "tight"
    """One in ten did."""
    IN_TIME = "in time"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long cases took on the clock: half of them no longer than `median`, nine of ten no longer than `p90`."""

    median: timedelta
    p90: timedelta
    cases: int


def pace(took: Sequence[timedelta]) -> Pace | None:
    """None for too few cases."""
    if len(took) < FEWEST:
        return None
    ordered = sorted(took)
    return Pace(_rank(ordered, 50), _rank(ordered, 90), len(ordered))


def _rank(ordered: Sequence[timedelta], percent: int) -> timedelta:
    """The smallest value that so many percent do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def verdict(usual: Pace, *, spent: timedelta, left: timedelta) -> Verdict:
    """What is to be expected of a clock that has run for `spent` and has `left`.

    One that already took longer than half of the cases is measured by the slow ones.
    """
    whole = spent + left
    expected = usual.median if spent < usual.median else usual.p90
    if left <= timedelta(0) or expected > whole:
        return Verdict.LATE
    return Verdict.TIGHT if usual.p90 > whole or spent >= usual.p90 else Verdict.IN_TIME
