"""Times as people type them: `2h`, `14:00`, `tomorrow 9am`, `2026-03-10`, RFC 3339. A bare number is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from siems.errors import InvalidField
from siems.grammar import parse_span

_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(am|pm)?", re.ASCII)
_AGO = re.compile(r"-((?:\d+(?:\.\d+)?[wdhms])+)|((?:\d+(?:\.\d+)?[wdhms])+) ago", re.ASCII)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def seconds(text: str | None) -> int | None:
    """A duration in whole seconds. Raises InvalidField."""
    return None if text is None else int(parse_span(text).total_seconds())


def moment(text: str, now: datetime | None = None, zone: tzinfo | None = None) -> datetime:
    """An absolute time in UTC; what has no zone is in `zone`, else in this machine's. Raises InvalidField."""
    here = (now or datetime.now(UTC)).astimezone(zone)
    word = text.strip().lower()
    if word.isascii() and word.isdigit():
        raise InvalidField(f"{text!r} has no unit", hint=f"did you mean {word}m?")
    if re.fullmatch(r"(\d+(\.\d+)?[wdhms])+", word):
        return (here + parse_span(word)).astimezone(UTC)
    if found := _iso(text.strip(), zone):
        return found
    day, _, rest = word.partition(" ")
    offset = _day_offset(day, here)
    if offset is None:
        day, rest, offset = "", word, 0
    match = _CLOCK.fullmatch(rest.strip()) if rest.strip() else None
    if rest.strip() and (match is None or (match[2] is None and match[3] is None)):
        raise InvalidField(f"{text!r} is no time", hint="write it like 2h, 14:00, 'tomorrow 9am' or 2026-03-10T14:00Z")
    hour, minute = _hour(match, text) if match else (0, 0)
    at = (here + timedelta(days=offset)).replace(hour=hour, minute=minute, second=0, microsecond=0)
    if not day and at <= here:
        at += timedelta(days=1)
    return at.astimezone(UTC)


def _iso(text: str, zone: tzinfo | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _day_offset(word: str, here: datetime) -> int | None:
    if word == "today":
        return 0
    if word == "tomorrow":
        return 1
    if word[:3] in _DAYS and word.isalpha():
        return (_DAYS.index(word[:3]) - here.weekday() - 1) % 7 + 1
    return None


def _hour(match: re.Match[str], text: str) -> tuple[int, int]:
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if half and not 1 <= hour <= 12:
        raise InvalidField(f"{text!r} is no time", hint="write it like 9am or 21:00")
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    if hour > 23 or minute > 59:
        raise InvalidField(f"{text!r} is no time", hint="write it like 9am or 21:00")
    return hour, minute


def past(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """A time that has been, in UTC: `-3h`, `3h ago`, `yesterday 14:00`, `14:00` (the last one), `2026-03-10T14`.

    What has no zone is in `zone`, else in this machine's. Raises InvalidField for a time to come.
    """
    word = text.strip().lower()
    here = now.astimezone(zone)
    if not word:
        raise InvalidField("no time is given", hint="write it like -3h, 'yesterday 14:00' or 2026-03-10T14")
    ago = _AGO.fullmatch(word)
    if ago is not None:
        return (here - parse_span(ago[1] or ago[2])).astimezone(UTC)
    day, _, rest = word.partition(" ")
    if day == "yesterday":
        found = moment(f"today {rest}".strip(), now, zone).astimezone(here.tzinfo)
        return (found - timedelta(days=1)).astimezone(UTC)
    found = moment(text, now, zone)
    if (
        found > now
        and _iso(text.strip(), zone) is None
        and not re.match(r"\d+(\.\d+)?[wdms]|\d+h\b|today|tomorrow", word)
    ):
        back = timedelta(days=7 if day[:3] in _DAYS else 1)
        found = (found.astimezone(here.tzinfo) - back).astimezone(UTC)
    if found > now:
        raise InvalidField(f"{text!r} is still to come", hint="write it like -3h, 'yesterday 14:00' or 2026-03-10T14")
    return found
