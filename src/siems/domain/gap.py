"""A time in which siems was not there: what it was, and how it is told in one line (DOMAIN §15)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from siems.domain.heartbeat import span

LIMIT = timedelta(seconds=60)
"""A gap that is longer than this is told."""
NAMED = 3
"""How many silent integrations one line names."""
OWN = frozenset({"alive", "self_audit", "housekeeping", "gap_follow_up"})
"""Kinds of deadline that siems sets for itself: nobody waits for them."""


class Ending(StrEnum):
    """How the time before a gap ended."""

    ORDERLY = "orderly"
    SUDDEN = "sudden"
    STALLED = "stalled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """From the last sign of life to the next one. `end` is before `start` where the clock went back meanwhile."""

    start: datetime
    end: datetime
    ending: Ending
    late: Mapping[str, int] = field(default_factory=dict)
    """Words of `counted` → how many should have happened meanwhile."""
    critical: bool = False
    """Something about a CRITICAL incident was late."""
    unknown: int = 0
    """Messages of which nobody knows whether they went out."""
    silent: tuple[str, ...] = ()
    """Integrations that were sending before it and have not been heard since: `datadog/acme`."""

    @property
    def backwards(self) -> bool:
        return self.end < self.start

    @property
    def calm(self) -> bool:
        """Somebody has stopped siems, and nothing was due until it was started again."""
        return self.ending is Ending.ORDERLY and not (self.late or self.unknown or self.backwards)


def is_gap(start: datetime, end: datetime) -> bool:
    """Whether the time between two signs of life is worth telling, either way."""
    return abs(end - start) > LIMIT


def counted(kinds: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Late deadlines by what people call them, from (kind, how many). What siems does for itself is left out."""
    found: dict[str, int] = {}
    for kind, number in kinds:
        if kind not in OWN and number:
            word = _word(kind)
            found[word] = found.get(word, 0) + number
    return {word: found[word] for word in _ORDER if word in found}


_ORDER = ("escalation", "SLA deadline", "heartbeat", "end of a silence", "message", "other deadline")
_WORDS = {"escalation": "escalation", "heartbeat": "heartbeat", "message": "message"}


def _word(kind: str) -> str:
    if kind.startswith("sla_"):
        return "SLA deadline"
    if kind.startswith("silence_"):
        return "end of a silence"
    return _WORDS.get(kind, "other deadline")


def headline(gap: Gap) -> str:
    """`down 02:11–02:19 UTC; 3 escalations late; 1 message unknown; silent since: datadog/acme`."""
    parts = [_span(gap), *(f"{_many(number, word)} late" for word, number in gap.late.items())]
    if gap.unknown:
        parts.append(f"{_many(gap.unknown, 'message')} unknown")
    if gap.silent:
        more = f" and {len(gap.silent) - NAMED} more" if len(gap.silent) > NAMED else ""
        parts.append(f"silent since: {', '.join(gap.silent[:NAMED])}{more}")
    return "; ".join(parts)


def explained(gap: Gap) -> str:
    """What it was, in a sentence or two."""
    if gap.backwards:
        length = span(gap.start - gap.end)
        return (
            f"The clock of this machine stands {length} before the last sign of life. Deadlines keep their times,"
            " so they come later than was meant; nothing fires twice."
        )
    length = span(gap.end - gap.start)
    how = {
        Ending.ORDERLY: f"siems was stopped, and started again {length} later.",
        Ending.SUDDEN: f"siems ended without being stopped (a crash, a kill, no power), and was back {length} later.",
        Ending.STALLED: f"siems stood still for {length}: the process or the machine was suspended, or starved.",
    }[gap.ending]
    late = " What was due meanwhile happens now, once." if gap.late else " Nothing was due meanwhile."
    return how + late


def _span(gap: Gap) -> str:
    start, end = gap.start, gap.end
    days = start.date() != end.date()
    first, last = (f"{at:%Y-%m-%d %H:%M}" if days else f"{at:%H:%M}" for at in (start, end))
    if gap.backwards:
        return f"the clock went back from {first} to {last} UTC"
    return f"down {first} – {last} UTC" if days else f"down {first}–{last} UTC"


def _many(number: int, word: str) -> str:
    if number == 1:
        return f"1 {word}"
    return f"{number} {word.replace('end of', 'ends of') if word.startswith('end of') else word + 's'}"
