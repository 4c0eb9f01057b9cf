"""Windows that come again: a rule of RFC 5545 on the wall clock of a named zone.

Both ends of a window stand on the wall clock, and the step from there to UTC never goes back: windows that follow
each other without a gap do so on the days of a change of the clock, too, and none happens twice.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrulestr

from siems.errors import InvalidField

_DAYS = {"mon": "MO", "tue": "TU", "wed": "WE", "thu": "TH", "fri": "FR", "sat": "SA", "sun": "SU"}
_TAKEN = {
    "FREQ": r"DAILY|WEEKLY|MONTHLY",
    "INTERVAL": r"[1-9]|1[0-2]",
    "BYDAY": r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)){0,6}",
    "BYMONTHDAY": r"-?([1-9]|[12]\d|3[01])(,-?([1-9]|[12]\d|3[01])){0,30}",
    "COUNT": r"[1-9]\d{0,2}",
    "UNTIL": r"\d{8}(T\d{6})?",
}
_HINT = "daily, 'weekly sat,sun', 'monthly 2tue', 'monthly 15', or a rule of RFC 5545"
_LOOKED_AT = 400


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when, in UTC; the end is not part of it."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """`anchor` is the first start and `length` how long each lasts, both on the wall clock of `zone`."""

    rule: str
    zone: str
    anchor: datetime
    length: timedelta

    def __str__(self) -> str:
        ends = self.anchor + self.length
        return f"{told(self.rule)} {self.anchor:%H:%M}-{ends:%H:%M} {self.zone}"


def recurring(text: str, zone: str, starts: datetime, length: timedelta) -> Recurrence:
    """The recurrence that people asked for. Raises InvalidField for a rule, a zone, or windows that overlap."""
    wall = starts.astimezone(zone_named(zone)).replace(tzinfo=None, microsecond=0)
    found = Recurrence(rule=parse_rule(text), zone=zone, anchor=wall, length=length)
    try:
        walls = list(islice(_walls(found, wall), _LOOKED_AT))
    except ValueError as why:
        raise InvalidField(f"{text[:80]!r} cannot be read: {why}", hint=_HINT) from why
    if not walls:
        raise InvalidField(f"{text[:80]!r} never happens after {wall:%Y-%m-%d %H:%M}", hint=_HINT)
    if any(following - one < length for one, following in pairwise(walls)):
        raise InvalidField("the windows overlap: each lasts longer than what lies between them", hint="--for 2h")
    return found


def parse_rule(text: str) -> str:
    """`weekly sat,sun` or `FREQ=WEEKLY;BYDAY=SA,SU` as the latter. Raises InvalidField."""
    word, _, rest = text.strip().partition(" ")
    if "=" in text:
        rule = text.strip().upper().removeprefix("RRULE:")
    elif word.lower() in ("daily", "weekly", "monthly"):
        rule = f"FREQ={word.upper()}{_on(word.lower(), rest.strip().lower())}"
    else:
        raise InvalidField(f"{text[:80]!r} does not say how often", hint=_HINT)
    parts = dict(part.partition("=")[::2] for part in rule.split(";") if part)
    for name, value in parts.items():
        if name not in _TAKEN:
            raise InvalidField(f"{name[:20]} is not taken in a rule", hint=f"what is: {', '.join(_TAKEN)}")
        if not re.fullmatch(_TAKEN[name], value):
            raise InvalidField(f"{name}={value[:40]} is not taken in a rule", hint=_HINT)
    if "FREQ" not in parts:
        raise InvalidField("the rule does not say how often", hint="FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY")
    if parts["FREQ"] != "MONTHLY" and re.search(r"\d", parts.get("BYDAY", "")):
        raise InvalidField("only months have a second tuesday", hint="'monthly 2tue', or 'weekly tue'")
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _on(word: str, rest: str) -> str:
    """The days of `weekly sat,sun`, `monthly 2tue`, `monthly last-sun`, `monthly 15` as a part of a rule."""
    if not rest:
        return ""
    days, numbers = [], []
    for said in re.split(r"[,\s]+", rest):
        found = re.fullmatch(r"(last-|-?[1-5])?([a-z]{3})[a-z]*", said)
        if found and found[2] in _DAYS:
            days.append((found[1] or "").replace("last-", "-1") + _DAYS[found[2]])
        elif word == "monthly" and (said == "last" or re.fullmatch(_TAKEN["BYMONTHDAY"], said)):
            numbers.append("-1" if said == "last" else said)
        else:
            raise InvalidField(f"{said[:40]!r} is no day for {word}", hint=_HINT)
    return (f";BYDAY={','.join(days)}" if days else "") + (f";BYMONTHDAY={','.join(numbers)}" if numbers else "")


def told(rule: str) -> str:
    """A rule in words: `weekly SA,SU`."""
    parts = dict(part.partition("=")[::2] for part in rule.split(";"))
    unit = {"DAILY": "days", "WEEKLY": "weeks", "MONTHLY": "months"}[parts["FREQ"]]
    often = f"every {parts['INTERVAL']} {unit}" if parts.get("INTERVAL", "1") != "1" else parts["FREQ"].lower()
    until = f"until {parts['UNTIL']}" if "UNTIL" in parts else f"{parts['COUNT']} times" if "COUNT" in parts else ""
    return " ".join(word for word in (often, parts.get("BYDAY"), parts.get("BYMONTHDAY"), until) if word)


def windows(recurrence: Recurrence, after: datetime) -> Iterator[Window]:
    """The windows that end after an instant, in order."""
    zone, length = zone_named(recurrence.zone), recurrence.length
    here = after.astimezone(zone).replace(tzinfo=None)
    for wall in _walls(recurrence, here - length - timedelta(days=2)):
        starts, ends = instant(wall, zone), instant(wall + length, zone)
        if ends == starts:  # it lies in the hour that the clock leaves out: it happens right after
            ends = starts + length
        if ends > after:
            yield Window(starts, ends)


def _walls(recurrence: Recurrence, since: datetime) -> Iterator[datetime]:
    rule = rrulestr(recurrence.rule, dtstart=recurrence.anchor)
    yield from rule.xafter(max(since, recurrence.anchor), inc=True)


def zone_named(name: str) -> ZoneInfo:
    """Raises InvalidField for what is no time zone."""
    try:
        return _zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as why:
        raise InvalidField(f"{name[:40]!r} is no time zone", hint="write it like Europe/Oslo or UTC") from why


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When a clock on the wall shows this: the first time where it does so twice, and where it leaves this out the
    moment at which it jumps. A later wall time is never an earlier instant."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    other = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first <= other:
        return first
    jumped, second = first.astimezone(zone).utcoffset(), timedelta(seconds=1)
    spread = range((first - other) // second + 1)
    return other + second * bisect_left(
        spread, True, key=lambda n: (other + second * n).astimezone(zone).utcoffset() == jumped
    )
