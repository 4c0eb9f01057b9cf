"""How many alerts incidents had at a past moment: from the stream's events, which tell it with each alert."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, text

from siems.clock import from_micros, to_micros
from siems.domain.stands import Count, Course
from siems.services.stands import STAND, chunks
from siems.storage import tables as t
from siems.storage.repositories.stream import stream_bounds

_BACK = """
SELECT cursor, at, type, object, data FROM event
WHERE cursor < :cursor AND type IN ('alert.received', 'alert.repeated', 'alert.recovered')
ORDER BY cursor DESC LIMIT 1000
"""
_BETWEEN = """
SELECT cursor, at, type, object, data FROM event
WHERE cursor >= :first AND cursor < :last AND type IN ('alert.received', 'alert.repeated', 'alert.recovered')
ORDER BY cursor
"""


LATE = timedelta(minutes=2)
"""Repeats are told at most so much later than they came, even where time runs faster."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an event says of an alert."""

    at: datetime
    type: str
    alert: int
    data: Mapping[str, Any]

    @property
    def when(self) -> datetime:
        """When it was so: repeats are told a moment later."""
        last = self.data.get("last_alert_at")
        return self.at if last is None or self.type != "alert.repeated" else datetime.fromisoformat(last)

    @property
    def incident(self) -> int | None:
        ref = self.data.get("incident_id")
        return int(ref.removeprefix("INC-")) if ref else None

    @property
    def count(self) -> Count | None:
        """The counters of its incident from then on; None where an earlier version did not tell them."""
        said = self.data
        if self.incident is None or "last_alert_at" not in said:
            return None
        last = to_micros(datetime.fromisoformat(said["last_alert_at"]))
        return Count(self.when, (said["alert_count"], said["repeat_count"], said["active_count"], last))


def cursor_after(connection: Connection, moment: datetime) -> int:
    """The cursor of the first event after a moment; events are numbered in the order of their commits."""
    oldest, newest = stream_bounds(connection)
    low, high, limit = max(oldest, 1), newest + 1, to_micros(moment)
    probe = text("SELECT cursor, at FROM event WHERE cursor >= :middle ORDER BY cursor LIMIT 1")
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(probe, {"middle": middle}).first()
        if row is None or row.at > limit:
            high = middle
        else:
            low = max(middle, row.cursor) + 1
    return low


def told_since(connection: Connection) -> datetime | None:
    """From when on events are there, where older ones were removed; None where none were."""
    oldest, newest = stream_bounds(connection)
    if oldest <= 1 and bool(oldest) == bool(newest):
        return None
    at = connection.execute(text("SELECT at FROM event ORDER BY cursor LIMIT 1")).scalar()
    return datetime.max.replace(tzinfo=UTC) if at is None else from_micros(at)


def forgotten(connection: Connection, after: datetime) -> list[str]:
    """What the record no longer has of a time, in words; nothing where it has all of it."""
    since = told_since(connection)
    if since is None or since <= after:
        return []
    return ["repeats of alerts" + ("" if since.year == 9999 else f" before {since:%Y-%m-%d %H:%M}Z")]


def told_between(connection: Connection, after: datetime, until: datetime) -> list[Told]:
    """What became of alerts after a moment, up to another one, in that order."""
    span = {"first": cursor_after(connection, after), "last": cursor_after(connection, until + LATE)}
    told = map(told_of, connection.execute(text(_BETWEEN), span))
    return sorted((one for one in told if after < one.when <= until), key=lambda one: one.when)


def told_of(row: Any) -> Told:
    """What a row of `event` says."""
    return Told(from_micros(row.at), row.type, int(row.object.removeprefix("ALR-")), json.loads(row.data))


def _backwards(connection: Connection, moment: datetime) -> Iterator[Told]:
    """What had been told of by then, the newest first."""
    cursor = cursor_after(connection, moment + LATE)
    while rows := connection.execute(text(_BACK), {"cursor": cursor}).all():
        yield from (told for row in rows if (told := told_of(row)).when <= moment)
        cursor = rows[-1].cursor


def settle(connection: Connection, found: Mapping[int, Course], at: datetime) -> bool:
    """Tell each incident its counters as they were at a moment. Whether the record had them all."""
    wanted: dict[int, datetime] = {}
    still: list[int] = []
    for number, course in found.items():
        row = course.first
        if row is not None and row["last_alert_at"] > to_micros(at):
            wanted[number] = from_micros(row["created_at"])
        elif row is not None and row["alert_count"]:
            still.append(number)
    _recovered(connection, {number: found[number] for number in still}, at)
    if not wanted:
        return True
    known = _kept(connection, sorted(wanted), at)
    counts = _last_told(connection, wanted, known, at)
    for number, count in counts.items():
        found[number].counted([count])
    missing = sorted(wanted.keys() - counts.keys())
    for number, count in _by_alerts(connection, missing, at).items():
        found[number].counted([count])
    return not missing


def _recovered(connection: Connection, found: Mapping[int, Course], at: datetime) -> None:
    """Where no alert came until the next change, some may have recovered."""
    again: dict[int, int] = {}
    a = t.alert.c
    for some in chunks(sorted(found)):
        rows = connection.execute(
            select(a.incident_id, a.resolved_at).where(a.incident_id.in_(some), a.resolved_at > at, a.received_at <= at)
        )
        for number, resolved_at in rows:
            changes = found[number].changes
            if not changes or resolved_at < changes[0]:
                again[number] = again.get(number, 0) + 1
    for number, more in again.items():
        row = found[number].first
        assert row is not None
        values = (row["alert_count"], row["repeat_count"], row["active_count"] + more, row["last_alert_at"])
        found[number].counted([Count(at, values)])


def _kept(connection: Connection, numbers: list[int], at: datetime) -> dict[int, Count]:
    """The counters after the last change before the moment."""
    line, found = t.timeline.c, dict[int, Count]()
    for some in chunks(numbers):
        newest = (
            select(func.max(line.id))
            .where(line.incident_id.in_(some), line.kind == STAND, line.at <= at)
            .group_by(line.incident_id)
        )
        rows = connection.execute(select(line.incident_id, line.at, line.data).where(line.id.in_(newest)))
        for number, when, data in rows:
            if has := json.loads(data).get("has"):
                found[number] = Count(when, has)
    return found


def _last_told(
    connection: Connection, wanted: Mapping[int, datetime], known: Mapping[int, Count], at: datetime
) -> dict[int, Count]:  # fmt: skip
    """What the last event before the moment says, or what was kept after it."""
    found: dict[int, Count] = {}
    open_ = dict(wanted)
    for told in _backwards(connection, at):
        for number in [n for n, kept in known.items() if n in open_ and kept.at > told.when]:
            found[number] = known[number]
            del open_[number]
        if not open_ or told.at < min(open_.values()):
            break
        ref, count = told.incident, told.count
        if ref is not None and ref in open_ and count is not None:
            found[ref] = count
            del open_[ref]
    return found | {number: known[number] for number in open_.keys() & known.keys()}


def _by_alerts(connection: Connection, numbers: Iterable[int], at: datetime) -> dict[int, Count]:
    """What the alerts themselves say: repeats are not among it."""
    a, found = t.alert.c, dict[int, list[int]]()
    for some in chunks(list(numbers)):
        rows = connection.execute(
            select(a.incident_id, a.received_at, a.resolved_at).where(a.incident_id.in_(some), a.received_at <= at)
        )
        for number, received_at, resolved_at in rows:
            held = found.setdefault(number, [0, 0, 0, 0])
            held[0] += 1
            held[2] += resolved_at is None or resolved_at > at
            held[3] = max(held[3], to_micros(received_at))
    return {number: Count(at, values) for number, values in found.items()}
