"""Business hours: when a clock that does not run around the clock counts, exact across changes of the wall clock.

A minute counts when the clock on the wall of the calendar's zone shows an opening hour then; where the hour is shown
twice both count, and where it is left out none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from siems.domain.recurrence import zone_named
from siems.errors import InvalidField

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MINUTES = 24 * 60
ALWAYS = "24x7"
LOOKED_AHEAD = timedelta(days=3_660)
"""Further than this no deadline is looked for: one that lay later lies here."""

_DAY, _MINUTE, _NOTHING = timedelta(days=1), timedelta(minutes=1), timedelta(0)
_REACH = timedelta(hours=15)

Span = tuple[int, int]
"""Minutes of the day, from and up to."""
Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When a company is open: `hours` per weekday (Monday first), holidays, and single days that differ.

    `country` is `NO` or `DE-BY`. `opened` are days with hours of their own; without any they take those of their
    weekday, or of the first day of the week that has some.
    """

    zone: str
    hours: tuple[tuple[Span, ...], ...]
    country: str = ""
    opened: tuple[tuple[date, tuple[Span, ...]], ...] = ()
    closed: tuple[date, ...] = ()


def business_between(calendar: Calendar | None, a: datetime, b: datetime) -> timedelta:
    """How much of the time from `a` to `b` counts; nothing when `b` is not later. Without a calendar all of it."""
    if b <= a:
        return _NOTHING
    if calendar is None:
        return b - a
    total = _NOTHING
    for starts, ends in _open(calendar, a):
        if starts >= b:
            break
        total += min(ends, b) - max(starts, a)
    return total


def add_business(calendar: Calendar | None, start: datetime, span: timedelta) -> datetime:
    """The first instant at which `span` has been counted since `start`; `start` itself for no span."""
    if calendar is None:
        return start + span
    if span <= _NOTHING:
        return start
    latest = start + LOOKED_AHEAD
    for starts, ends in _open(calendar, start):
        if starts >= latest:
            break
        begins = max(starts, start)
        if ends - begins >= span:
            return begins + span
        span -= ends - begins
    return latest


def next_open(calendar: Calendar | None, instant: datetime) -> datetime:
    """From an instant on, when the calendar is open: itself while it is, or where there is none."""
    soon = timedelta(microseconds=1)
    return instant if calendar is None else max(instant, add_business(calendar, instant, soon) - soon)


def take_business(calendar: Calendar | None, end: datetime, span: timedelta) -> datetime:
    """The last instant from which `span` is counted until `end`: when to warn."""
    if calendar is None:
        return end - span
    if span <= _NOTHING:
        return end
    earliest = end - LOOKED_AHEAD
    day = end.astimezone(zone_named(calendar.zone)).date() + _DAY
    while True:
        for starts, ends in reversed(_intervals(calendar, day)):
            ends = min(ends, end)
            if ends - starts >= span:
                return ends - span
            span -= max(ends - starts, _NOTHING)
        day -= _DAY
        if datetime(day.year, day.month, day.day, tzinfo=UTC) < earliest:
            return earliest


def _open(calendar: Calendar, since: datetime) -> Iterator[Interval]:
    """What is open after an instant, in order and without an overlap."""
    day = since.astimezone(zone_named(calendar.zone)).date() - _DAY
    last = since
    for number in range(LOOKED_AHEAD.days + 3):
        for starts, ends in _intervals(calendar, day + number * _DAY):
            if ends > last:
                yield max(starts, last), ends
                last = ends


@lru_cache(maxsize=16_384)
def _intervals(calendar: Calendar, day: date) -> tuple[Interval, ...]:
    """The open stretches of one day on the wall, as instants in order."""
    spans = spans_of(calendar, day)
    if not spans:
        return ()
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    found: list[Interval] = []
    for begins, until, offset in _offsets(calendar.zone, day):
        for first, last in spans:
            starts = max(begins, midnight + first * _MINUTE - offset)
            ends = min(until, midnight + last * _MINUTE - offset)
            if starts < ends:
                found.append((starts, ends))
    return tuple(sorted(found))


@lru_cache(maxsize=16_384)
def _offsets(name: str, day: date) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """(from, until, offset from UTC) around a day: more than one where the clock changes."""
    zone = zone_named(name)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    starts, ends = midnight - _REACH, midnight + _DAY + _REACH
    if _offset(zone, starts) == _offset(zone, ends):
        return ((starts, ends, _offset(zone, starts)),)
    found, begins, at = [], starts, starts
    while at < ends:
        following = min(at + timedelta(hours=1), ends)
        if _offset(zone, at) != _offset(zone, following):
            change = _change(zone, at, following)
            found.append((begins, change, _offset(zone, at)))
            begins = change
        at = following
    return (*found, (begins, ends, _offset(zone, ends)))


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or _NOTHING


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the clock changes between two instants."""
    old, second = _offset(zone, before), timedelta(seconds=1)
    while after - before > second:
        middle = before + (after - before) // second // 2 * second
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


# --- days ------------------------------------------------------------------------------------------------------


def spans_of(calendar: Calendar, day: date) -> tuple[Span, ...]:
    """The opening hours of one day: exceptions come before holidays, holidays before the weekday."""
    for opened, hours in calendar.opened:
        if opened == day:
            return hours or calendar.hours[day.weekday()] or next((spans for spans in calendar.hours if spans), ())
    if day in calendar.closed or day in holidays_of(calendar.country, day.year):
        return ()
    return calendar.hours[day.weekday()]


def why_closed(calendar: Calendar, day: date) -> str:
    """What a day is that has no hours: the holiday's name, `closed`, `weekend`; empty for an open one."""
    if spans_of(calendar, day):
        return ""
    if day in calendar.closed:
        return "closed"
    return holidays_of(calendar.country, day.year).get(day, "weekend" if day.weekday() > 4 else "closed")


@lru_cache(maxsize=1_024)
def holidays_of(country: str, year: int) -> Mapping[date, str]:
    """The holidays of a country and perhaps its part in one year, by day. Raises InvalidField for an unknown one.

    The first call takes a while, since it loads the country's rules.
    """
    if not country:
        return {}
    import holidays  # takes a third of a second, which only those pay who have holidays

    nation, _, part = country.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if nation not in known:
        raise InvalidField(f"no holidays are known of {country!r}", hint="--holidays NO, DE-BY, US-CA, or none")
    if part and part not in known[nation]:
        raise InvalidField(f"{nation} has no part {part!r}", hint=f"--holidays {nation}, or one of its parts: "
                           f"{', '.join(f'{nation}-{name}' for name in known[nation][:8])}")  # fmt: skip
    return dict(holidays.country_holidays(nation, subdiv=part or None, years=year, language="en_US"))


# --- as people write it ----------------------------------------------------------------------------------------


def parse_hours(text: str) -> tuple[tuple[Span, ...], ...]:
    """`Mon-Fri 08:00-17:00`, `Mon-Thu 8-12,13-17; Fri 8-15`, `Sat 22:00-02:00`. Raises InvalidField."""
    week: list[list[Span]] = [[] for _ in DAYS]
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        named, _, rest = part.partition(" ")
        for day in _weekdays(named):
            for first, last in parse_spans(rest):
                if first < last:
                    week[day].append((first, last))
                else:  # over midnight: the rest is the next day's
                    week[day].append((first, DAY_MINUTES))
                    week[(day + 1) % 7] += [(0, last)] if last else []
    hours = tuple(_merged(spans) for spans in week)
    if not any(hours):
        raise InvalidField(f"{text[:60]!r} names no hours", hint='--hours "Mon-Fri 08:00-17:00"')
    return hours


def _weekdays(text: str) -> list[int]:
    """`Mon-Fri`, `Sat,Sun`, `daily`."""
    if text.lower() == "daily":
        return list(range(7))
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, end = _weekday(first), _weekday(last or first)
        found += [(start + step) % 7 for step in range((end - start) % 7 + 1)]
    return found


def _weekday(word: str) -> int:
    short = word.strip().lower()[:3]
    for number, name in enumerate(DAYS):
        if short == name.lower():
            return number
    raise InvalidField(f"{word[:20]!r} is no day of the week", hint='--hours "Mon-Fri 08:00-17:00; Sat 10:00-14:00"')


def parse_spans(text: str) -> tuple[Span, ...]:
    """`08:00-12:00,13-17:30` as minutes of the day. Raises InvalidField."""
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        first, dash, last = part.partition("-")
        span = (_minute(first), _minute(last)) if dash else (0, 0)
        if not dash or span[0] == span[1] or span[0] == DAY_MINUTES:
            raise InvalidField(f"{part[:20]!r} says not from when to when", hint="write it like 08:00-17:00")
        found.append(span)
    if not found:
        raise InvalidField("the hours of a day are missing", hint='--hours "Mon-Fri 08:00-17:00"')
    return tuple(found)


def _minute(text: str) -> int:
    hour, _, minute = text.strip().partition(":")
    if all(word.isascii() and word.isdigit() and len(word) <= 2 for word in (hour, minute or "0")):
        found = int(hour) * 60 + int(minute or 0)
        if found <= DAY_MINUTES and int(minute or 0) < 60:
            return found
    raise InvalidField(f"{text[:20]!r} is no time of the day", hint="write it like 08:00, at most 24:00")


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order, and what touches or overlaps as one."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def parse_opened(text: str) -> tuple[date, tuple[Span, ...]]:
    """`2026-12-24`, or `2026-12-24 09:00-12:00`. Raises InvalidField."""
    day, _, rest = text.strip().partition(" ")
    return parse_day(day), _merged(parse_spans(rest)) if rest.strip() else ()


def parse_day(text: str) -> date:
    """Raises InvalidField."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as why:
        raise InvalidField(f"{text[:20]!r} is no day", hint="write it like 2026-12-24") from why


def told(calendar: Calendar | None) -> str:
    """In a line, as it can be typed again: `Mon-Fri 08:00-17:00 Europe/Oslo, holidays NO`; `24x7` for none."""
    if calendar is None:
        return ALWAYS
    words = [f"{told_hours(calendar.hours)} {calendar.zone}"]
    words += [f"holidays {calendar.country}"] if calendar.country else []
    words += [f"open {day}{' ' if hours else ''}{_said(hours)}" for day, hours in calendar.opened]
    words += [f"closed {day}" for day in calendar.closed]
    return ", ".join(words)


def told_hours(hours: Sequence[tuple[Span, ...]]) -> str:
    """`Mon-Thu 08:00-17:00; Fri 08:00-15:00`: neighbours that are alike are one."""
    groups: list[tuple[int, int]] = []
    for day, spans in enumerate(hours):
        if groups and hours[groups[-1][0]] == spans:
            groups[-1] = (groups[-1][0], day)
        else:
            groups.append((day, day))
    return "; ".join(
        f"{DAYS[first]}{'' if first == last else f'-{DAYS[last]}'} {_said(hours[first])}"
        for first, last in groups
        if hours[first]
    )


def _said(spans: Iterable[Span]) -> str:
    return ",".join(f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in spans)
