"""Rotations as people write them: `weekly`, `12h`, `mon 09:00`, `mon-fri 09:00-17:00`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from siems.domain.rotation import DAY, DAYS, UNITS, Kind, Layer, Restriction, turn_number
from siems.errors import InvalidField

LONGEST = {Kind.HOURLY: 24 * 14, Kind.DAILY: 366, Kind.WEEKLY: 52}
MOST_MEMBERS = 100
_UNITS = {"h": Kind.HOURLY, "d": Kind.DAILY, "w": Kind.WEEKLY}
_ROTATION = re.compile(r"(?:every\s+)?(\d{1,3})\s*(h|hours?|d|days?|w|weeks?)", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_STRETCH = re.compile(r"(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})", re.ASCII)
ROTATION_HINT = "daily, weekly, 12h, 3d or 2w"
HANDOFF_HINT = "09:00, or of weekly rotations 'mon 09:00'"
RESTRICTION_HINT = "'mon-fri 09:00-17:00', 'sat,sun', 'daily 22:00-06:00'"


def parse_rotation(text: str) -> tuple[Kind, int]:
    """(what a turn is counted in, how many of it) of `weekly`, `12h`, `every 2 weeks`. Raises InvalidField."""
    word = text.strip().lower()
    if word in (Kind.DAILY, Kind.WEEKLY):
        return Kind(word), 1
    found = _ROTATION.fullmatch(word)
    if found is None:
        raise InvalidField(f"{text[:40]!r} is no rotation", hint=ROTATION_HINT)
    kind, every = _UNITS[found[2][0]], int(found[1])
    if not 1 <= every <= LONGEST[kind]:
        raise InvalidField(f"a turn lasts from 1 to {LONGEST[kind]} of these: {text[:40]!r}", hint=ROTATION_HINT)
    return kind, every


def rotation_text(layer: Layer) -> str:
    """`weekly`, `12h`: what `parse_rotation` reads."""
    if layer.every == 1 and layer.kind is not Kind.HOURLY:
        return layer.kind.value
    return f"{layer.every}{layer.kind.value[0]}"


def parse_handoff(text: str) -> tuple[int | None, time]:
    """(weekday, time) of `mon 09:00`, `09:00` or `mon`. Raises InvalidField."""
    weekday, at = None, time(9)
    for word in text.strip().lower().split():
        if word[:3] in DAYS and word.isalpha():
            weekday = DAYS.index(word[:3])
        else:
            at = _clock(word, text, HANDOFF_HINT)
    return weekday, at


def handoff_text(layer: Layer) -> str:
    day = f"{DAYS[layer.anchor.weekday()]} " if layer.kind is Kind.WEEKLY else ""
    return f"{day}{layer.anchor:%H:%M}"


def _clock(word: str, text: str, hint: str) -> time:
    found = _CLOCK.fullmatch(word)
    if found is None or int(found[1]) > 24 or int(found[2]) > 59 or (int(found[1]) == 24 and int(found[2])):
        raise InvalidField(f"{text[:40]!r} cannot be read", hint=hint)
    return time(int(found[1]) % 24, int(found[2]))


def parse_restriction(text: str) -> Restriction:
    """A stretch of certain weekdays. Raises InvalidField."""
    days: set[int] = set()
    starts = ends = time(0)
    rest = text.strip().lower()
    if found := _STRETCH.search(rest):
        starts, ends = (_clock(word, text, RESTRICTION_HINT) for word in found.groups())
        rest = (rest[: found.start()] + rest[found.end() :]).strip()
    for word in rest.replace(" ", ",").split(","):
        if word:
            days |= _days(word, text)
    return Restriction(frozenset(days or range(7)), starts, ends)


def _days(word: str, text: str) -> set[int]:
    if word in ("daily", "every", "day"):
        return set(range(7))
    first, _, last = word.partition("-")
    ends = [day[:3] for day in (first, last or first)]
    if any(day not in DAYS for day in ends):
        raise InvalidField(f"{text[:40]!r} cannot be read", hint=RESTRICTION_HINT)
    start, end = (DAYS.index(day) for day in ends)
    return {(start + n) % 7 for n in range((end - start) % 7 + 1)}


def parse_day(name: str, text: str) -> date:
    """Raises InvalidField."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as why:
        raise InvalidField(f"{name} is no date: {text[:40]!r}", hint="write it like 2026-03-10") from why


def build(
    *, name: str, rotation: str, handoff: str, members: tuple[str, ...], restrictions: list[str], start: str, end: str,
    zone: ZoneInfo, now: datetime,
) -> Layer:  # fmt: skip
    """A layer from what was written. Without a start its first member is on call now. Raises InvalidField."""
    kind, every = parse_rotation(rotation)
    weekday, clock = parse_handoff(handoff)
    if weekday is not None and kind is not Kind.WEEKLY:
        raise InvalidField(f"only weekly rotations hand over on a weekday: {handoff[:40]!r}", hint="--handoff 09:00")
    if not members:
        raise InvalidField("a rotation needs members", hint="--members jon,sam")
    if len(members) > MOST_MEMBERS:
        raise InvalidField(f"a rotation has at most {MOST_MEMBERS} members")
    begins = datetime.combine(parse_day("start", start), clock) if start else None
    reference = begins or now.astimezone(zone).replace(tzinfo=None, microsecond=0)
    anchor = datetime.combine(reference.date(), clock)
    if kind is Kind.WEEKLY:
        anchor -= (anchor.weekday() - (weekday or 0)) % 7 * DAY
    if anchor > reference:
        anchor -= DAY if kind is not Kind.WEEKLY else 7 * DAY
    anchor += (reference - anchor) // (UNITS[kind] * every) * (UNITS[kind] * every)
    ends = datetime.combine(parse_day("end", end), clock) if end else None
    if ends is not None and ends <= reference:
        raise InvalidField(f"the layer would end on {end} before it begins", hint="--end 2027-01-01")
    if len(set(members)) == 1:
        members = members[:1]
    return Layer(
        name=name, kind=kind, every=every, anchor=anchor, members=members,
        restrictions=tuple(parse_restriction(text) for text in restrictions), starts=begins, ends=ends,
    )  # fmt: skip


def continued(before: Layer, after: Layer, zone: ZoneInfo, now: datetime) -> Layer:
    """The changed layer, turned so that whoever is on call by it now stays so until the next handoff."""
    current = before.members[turn_number(before, zone, now) % len(before.members)]
    if current not in after.members:
        return after
    return replace(after, anchor=after.anchor - after.step * after.members.index(current), starts=before.starts)
