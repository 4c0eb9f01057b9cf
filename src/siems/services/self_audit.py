"""siems looks after itself: rows that are late, and deadlines that are not there although they should be.

Each minute a stretch of the incidents is compared with their deadline rows, so that all of them are within the hour.
What does not fit is not repaired here: a row of its own fires for it, under the lock of its company, looks again, and
sets what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from sqlalchemy import Connection, bindparam, text

from siems.clock import from_micros, to_micros
from siems.domain.alert import Read, Reading
from siems.domain.deadlines import DueKind
from siems.domain.events import DeadlinesRepaired
from siems.domain.incident import Incident
from siems.services.ingest import Incoming, accept
from siems.services.keeping import due_of
from siems.services.life_sign import AUDIT_EVERY, ensure, late_messages
from siems.services.retention import HOUSE
from siems.services.silencing import deadlines_of_silence
from siems.storage.repositories.deadlines import Due
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Severity

CHUNK = 500
"""Incidents that one verb looks at."""
PASSES = 50
"""In how many minutes all of them are looked at."""
LATER = timedelta(seconds=1)

Kinds = frozenset[DueKind]
"""Kinds of deadline that are derived from how an incident stands."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """Rows that should have been done before a time: how many, and the oldest."""

    deadlines: int
    oldest: datetime | None
    messages: int

    def __bool__(self) -> bool:
        return bool(self.deadlines or self.messages)

    def better_than(self, other: Lateness) -> bool:
        """Whether somebody works on it: the oldest is another, or there are fewer."""
        if self.deadlines + self.messages < other.deadlines + other.messages:
            return True
        return bool(self.oldest and other.oldest and self.oldest > other.oldest)


def lateness(connection: Connection, before: datetime) -> Lateness:
    """What should have been done before this time."""
    row = connection.execute(
        text("SELECT count(*) AS many, min(due_at) AS oldest FROM deadline WHERE due_at < :n"),
        {"n": to_micros(before)},
    ).one()
    oldest = None if row.oldest is None else from_micros(row.oldest)
    return Lateness(int(row.many), oldest, late_messages(connection, before))


def alarm(
    uow: UnitOfWork, signature: str, message: str, *, firing: bool = True, severity: Severity = Severity.HIGH
) -> None:
    """An alert of the MSP's own about siems: one incident, however often it is told, until it is over."""
    if MSP not in uow.memory.companies:
        return
    reading = Reading(
        asset_name="siems", signature=signature, severity=severity, original_severity="", message=message,
        tool_source="siems", firing=firing,
    )  # fmt: skip
    body = message.encode()
    accept(uow, Incoming(MSP, "siems", Read((reading,)), body, None, sha256(body).digest()))


# --- deadlines that are not there ------------------------------------------------------------------------------


class Place(msgspec.Struct):
    """How far the look has come, how much of this minute's stretch is left, and when the minute began."""

    after: int = 0
    left: int = 0
    began: int = 0


def look(uow: UnitOfWork, due: Due, *, derived: Kinds) -> None:
    """Compare some incidents with their rows; at once again while this minute's stretch is not done."""
    ensure(uow)
    place = msgspec.json.decode(due.payload, type=Place)
    highest = int(uow.connection.execute(text("SELECT max(id) FROM incident")).scalar() or 0)
    if place.left <= 0:
        place.left, place.began = -(-highest // PASSES), to_micros(uow.now)
    if place.after == 0:
        _look_at_others(uow)
    for object, company_id in _suspects(uow, place.after, derived):
        uow.deadlines.set(object, DueKind.REARM.value, uow.now, company_id=company_id)
    place.after += CHUNK
    place.left -= CHUNK
    if place.after >= highest:
        place.after = place.left = 0
    again = uow.now if place.left > 0 else from_micros(place.began) + AUDIT_EVERY
    payload = msgspec.json.encode(place).decode()
    uow.deadlines.set(HOUSE, DueKind.SELF_AUDIT.value, again, company_id=MSP, payload=payload)


def _suspects(uow: UnitOfWork, after: int, derived: Kinds) -> list[tuple[str, str]]:
    """(object, company) of incidents of this stretch whose rows are not those that they ask for."""
    incidents = uow.connection.execute(
        text("SELECT id, company_id, state FROM incident WHERE id > :a AND id <= :b"),
        {"a": after, "b": after + CHUNK},
    ).all()
    rows = rows_of(uow.connection, [f"INC-{row.id}" for row in incidents])
    found = []
    for row in incidents:
        object = f"INC-{row.id}"
        incident = None if row.state == "CLOSED" else uow.incidents.find(row.company_id, row.id)
        missing, beyond = compared(wanted(uow, incident), rows.get(object, {}), derived)
        if missing or beyond:
            found.append((object, row.company_id))
    return found


def rows_of(connection: Connection, objects: list[str]) -> dict[str, dict[str, datetime]]:
    """The deadline rows of these objects: kind → when."""
    found: dict[str, dict[str, datetime]] = {}
    if objects:
        rows = connection.execute(
            text("SELECT object, kind, due_at FROM deadline WHERE object IN :o").bindparams(
                bindparam("o", expanding=True)
            ),
            {"o": objects},
        )
        for object, kind, due_at in rows:
            found.setdefault(object, {})[kind] = from_micros(due_at)
    return found


def wanted(uow: UnitOfWork, incident: Incident | None) -> dict[DueKind, datetime]:
    """The deadlines that an incident should have as it stands."""
    if incident is None:
        return {}
    return due_of(uow, incident)


def compared(
    asked: Mapping[DueKind, datetime], there: Mapping[str, datetime], derived: Kinds
) -> tuple[dict[DueKind, datetime], list[str]]:
    """(what is missing or too late, what nobody asks for). A row that comes too early looks again by itself."""
    missing = {
        kind: at for kind, at in asked.items() if kind.value not in there or there[kind.value] > at + LATER
    }  # fmt: skip
    beyond = sorted(kind.value for kind in derived if kind.value in there and kind not in asked)
    return missing, beyond


def _look_at_others(uow: UnitOfWork) -> None:
    """Heartbeats and silences: few, so all of them at the beginning of each pass."""
    asked: dict[str, tuple[str, dict[str, datetime]]] = {}
    for company in list(uow.memory.companies.values()):
        for beat in company.heartbeats.values():
            if beat.down_at is not None:
                asked[beat.id] = (company.id, {DueKind.HEARTBEAT.value: beat.down_at})
        for silence in company.silences.values():
            kinds = {kind.value: at for kind, at in deadlines_of_silence(silence, uow.now).items()}
            asked[silence.ref] = (company.id, kinds)
    objects = sorted(asked)
    for begin in range(0, len(objects), CHUNK):
        part = objects[begin : begin + CHUNK]
        rows = rows_of(uow.connection, part)
        for object in part:
            company_id, kinds = asked[object]
            if kinds.keys() - rows.get(object, {}).keys():
                uow.deadlines.set(object, DueKind.REARM.value, uow.now, company_id=company_id)


def rearm(uow: UnitOfWork, due: Due, *, derived: Kinds) -> None:
    """Look again at one object, now that its company is held, and set what is missing."""
    there = rows_of(uow.connection, [due.object]).get(due.object, {})
    there.pop(DueKind.REARM.value, None)
    missing, beyond = _lost(uow, due, there, derived)
    if not missing and not beyond:
        return
    for kind, at in missing.items():
        uow.deadlines.set(due.object, kind.value, at, company_id=due.company_id)
    for name in beyond:
        uow.deadlines.cancel(due.object, name)
    armed = tuple(sorted(kind.value for kind in missing))
    uow.emit(DeadlinesRepaired(due.object, due.company_id, armed, tuple(beyond)))
    if armed:
        message = f"{due.object} had lost a deadline ({', '.join(armed)}); it is set again"
        alarm(uow, "deadline_lost", message, severity=Severity.MEDIUM)


def _lost(
    uow: UnitOfWork, due: Due, there: Mapping[str, datetime], derived: Kinds
) -> tuple[dict[DueKind, datetime], list[str]]:
    if due.object.startswith("INC-"):
        incident = uow.incidents.find(due.company_id, int(due.object.removeprefix("INC-")))
        return compared(wanted(uow, incident), there, derived)
    company = uow.company(due.company_id)
    asked: dict[DueKind, datetime] = {}
    if due.object.startswith("SIL-"):
        silence = company.silences.get(int(due.object.removeprefix("SIL-")))
        asked = {} if silence is None else deadlines_of_silence(silence, uow.now)
    elif (beat := company.heartbeats.get(due.object)) is not None and beat.down_at is not None:
        asked = {DueKind.HEARTBEAT: beat.down_at}
    return {kind: at for kind, at in asked.items() if kind.value not in there}, []
