"""Removing what is old enough, a little at a time, so that alerts go on being stored meanwhile.

A sweep goes from table to table along their primary keys, which follow time, and looks at no more than a few hundred
rows in one verb; where it has come to stands in its deadline row. So no index is kept for its sake, and no verb holds
the writer for longer than some milliseconds, however much there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from siems.clock import to_micros
from siems.domain.deadlines import DueKind
from siems.domain.events import Recorded
from siems.domain.permissions import SYSTEM
from siems.domain.retention import Retention
from siems.storage.repositories.deadlines import Due
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP

SWEEP_EVERY = timedelta(hours=1)
CHUNK = 250
INCIDENTS_AT_ONCE = 100
HOUSE = "siems"
"""The object of deadlines that belong to no incident."""
TOLD = ("raw_body", "alert", "incident", "notification")
"""What leaves an entry in the record when it is removed: the rest comes and goes within days."""


@dataclass(slots=True)
class Place:
    """Where a sweep has come to: the table, the last row that was looked at, and what it has removed so far."""

    table: str = ""
    after: int = 0
    removed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What became of some rows: how many went, and the row to go on after; None when the table is done."""

    removed: int
    after: int | None


def sweep(uow: UnitOfWork, due: Due, kept: Retention) -> None:
    """Look at some rows, remove those that are old enough, and come back: at once while there are more."""
    place = msgspec.json.decode(due.payload, type=Place)
    table = place.table or next(iter(SWEEPS))
    step = SWEEPS[table](uow, place.after, kept)
    if step.removed:
        place.removed[table] = place.removed.get(table, 0) + step.removed
    order = list(SWEEPS)
    if step.after is not None:
        _again(uow, Place(table, step.after, place.removed))
    elif table != order[-1]:
        _again(uow, Place(order[order.index(table) + 1], 0, place.removed))
    else:
        _done(uow, place.removed)


def _again(uow: UnitOfWork, place: Place) -> None:
    payload = msgspec.json.encode(place).decode()
    uow.deadlines.set(HOUSE, DueKind.HOUSEKEEPING.value, uow.now, company_id=MSP, payload=payload)


def _done(uow: UnitOfWork, removed: dict[str, int]) -> None:
    uow.deadlines.set(HOUSE, DueKind.HOUSEKEEPING.value, uow.now + SWEEP_EVERY, company_id=MSP)
    told = {table: removed[table] for table in TOLD if table in removed}
    if told:
        uow.emit(
            Recorded(type="retention.swept", actor=SYSTEM, company_id=MSP, object=HOUSE, details={"removed": told})
        )


# --- tables ----------------------------------------------------------------------------------------------------

Sweep = Callable[[UnitOfWork, int, Retention], Step]


def _look(connection: Connection, statement: str, **values: Any) -> list[Any]:
    return list(connection.execute(text(statement), values))


def _remove(connection: Connection, statement: str, ids: Sequence[int]) -> int:
    """Run a DELETE with `IN :ids`; how many rows went."""
    if not ids:
        return 0
    return connection.execute(text(statement).bindparams(bindparam("ids", expanding=True)), {"ids": ids}).rowcount


def _oldest_first(table: str, key: str, at: str, age: Callable[[Retention], timedelta], *, but: str = "") -> Sweep:
    """Rows are added at the end and removed at the beginning; `but` is SQL for those that stay for now."""
    look = (
        f"SELECT {key} AS number, {at} AS at, {but or '1 = 0'} AS stays"  # noqa: S608
        f" FROM {table} WHERE {key} > :after ORDER BY {key} LIMIT :most"
    )
    remove = f"DELETE FROM {table} WHERE {key} IN :ids"  # noqa: S608

    def sweep(uow: UnitOfWork, after: int, kept: Retention) -> Step:
        oldest = to_micros(uow.now - age(kept))
        rows = _look(uow.connection, look, after=after, most=CHUNK)
        old = _until(rows, oldest)
        gone = _remove(uow.connection, remove, [row.number for row in old if not row.stays])
        return Step(gone, old[-1].number if len(old) == CHUNK else None)

    return sweep


def _until(rows: Sequence[Any], oldest: int) -> list[Any]:
    """The rows before the first that is young: all that follow came later."""
    young = next((index for index, row in enumerate(rows) if row.at >= oldest), len(rows))
    return list(rows[:young])


_ALERTS = """
SELECT a.id AS number, a.received_at AS at, a.status AS status, a.resolved_at AS resolved_at, i.state AS state
FROM alert AS a LEFT JOIN incident AS i ON i.id = a.incident_id
WHERE a.id > :after ORDER BY a.id LIMIT :most
"""


def _alerts(uow: UnitOfWork, after: int, kept: Retention) -> Step:
    """Alerts that are over, unless their incident is not closed."""
    oldest = to_micros(uow.now - kept.alerts)
    old = _until(_look(uow.connection, _ALERTS, after=after, most=CHUNK), oldest)
    over = [
        row.number
        for row in old
        if row.status != "active"
        and row.resolved_at is not None
        and row.resolved_at < oldest
        and row.state in (None, "CLOSED")
    ]
    gone = _remove(uow.connection, "DELETE FROM alert WHERE id IN :ids", over)
    return Step(gone, old[-1].number if len(old) == CHUNK else None)


_INCIDENTS = """
SELECT i.id AS number, i.created_at AS at, i.state AS state, i.closed_at AS closed_at
FROM incident AS i WHERE i.id > :after ORDER BY i.id LIMIT :most
"""
_NEEDED = """
SELECT incident_id AS number FROM alert WHERE incident_id IN :ids
UNION SELECT recurrence_of FROM incident WHERE recurrence_of IN :ids AND state <> 'CLOSED'
"""
_LINES = f"""
DELETE FROM timeline WHERE id IN (SELECT id FROM timeline WHERE incident_id IN :ids ORDER BY id LIMIT {CHUNK})
"""  # noqa: S608


def _incidents(uow: UnitOfWork, after: int, kept: Retention) -> Step:
    """Closed incidents with their story: first the lines, then, when none are left, the incidents.

    One that still has alerts stays, and so does one that an open incident is the recurrence of.
    """
    connection, oldest = uow.connection, to_micros(uow.now - kept.incidents)
    old = _until(_look(connection, _INCIDENTS, after=after, most=INCIDENTS_AT_ONCE), oldest)
    over = [r.number for r in old if r.state == "CLOSED" and r.closed_at is not None and r.closed_at < oldest]
    if over:
        needed = text(_NEEDED).bindparams(bindparam("ids", expanding=True))
        over = sorted(set(over) - {row.number for row in connection.execute(needed, {"ids": over})})
    if _remove(connection, _LINES, over) == CHUNK:
        return Step(0, after)
    _remove(connection, "DELETE FROM undo WHERE incident_id IN :ids", over)
    _remove(connection, "DELETE FROM sla_told WHERE incident_id IN :ids", over)
    for table in ("watcher", "parent_child", "advice", "advice_job", "advice_feedback"):
        _remove(connection, f"DELETE FROM {table} WHERE incident_id IN :ids", over)  # noqa: S608
    gone = _remove(connection, "DELETE FROM incident WHERE id IN :ids", over)
    return Step(gone, old[-1].number if len(old) == INCIDENTS_AT_ONCE else None)


def _short_lived(statement: str) -> Sweep:
    """Few rows of a day, in no order of time."""

    def sweep(uow: UnitOfWork, after: int, kept: Retention) -> Step:
        values = {"oldest": to_micros(uow.now - kept.answers), "most": CHUNK}
        gone = uow.connection.execute(text(statement), values).rowcount
        return Step(gone, 0 if gone == CHUNK else None)

    return sweep


def _found_texts(uow: UnitOfWork, after: int, kept: Retention) -> Step:
    """What can be searched goes when what it is of does; the order of the index is not that of time."""
    rows = _look(
        uow.connection, "SELECT id AS number, kind, at FROM search_doc WHERE id > :after ORDER BY id LIMIT :most",
        after=after, most=CHUNK,
    )  # fmt: skip
    ages = {"alert": to_micros(uow.now - kept.alerts)}
    old = [row.number for row in rows if row.at < ages.get(row.kind, to_micros(uow.now - kept.incidents))]
    gone = _remove(uow.connection, "DELETE FROM search_doc WHERE id IN :ids", old)
    return Step(gone, rows[-1].number if len(rows) == CHUNK else None)


KEPT_ANSWERS = timedelta(days=30)
"""The longest that an answer of an advisor may count as fresh."""


def _answers(uow: UnitOfWork, after: int, kept: Retention) -> Step:
    """Answers of advisors; and what asking has cost, once nobody compares it any more."""
    values = {"oldest": to_micros(uow.now - KEPT_ANSWERS), "most": CHUNK}
    gone = uow.connection.execute(
        text("DELETE FROM advice_cache WHERE key IN (SELECT key FROM advice_cache WHERE at < :oldest LIMIT :most)"),
        values,
    ).rowcount
    day = (uow.now - kept.incidents).date().isoformat()
    uow.connection.execute(text("DELETE FROM advice_use WHERE day < :day"), {"day": day})
    return Step(gone, 0 if gone == CHUNK else None)


def _vectors(uow: UnitOfWork, after: int, kept: Retention) -> Step:
    """What a sentence model made of a signature goes with the alerts; of one that still comes it is made anew."""
    gone = uow.connection.execute(
        text(
            "DELETE FROM sentence_vector WHERE (company_id, signature) IN"
            " (SELECT company_id, signature FROM sentence_vector WHERE at < :oldest LIMIT :most)"
        ),
        {"oldest": to_micros(uow.now - kept.alerts), "most": CHUNK},
    ).rowcount
    return Step(gone, 0 if gone == CHUNK else None)


SWEEPS: Mapping[str, Sweep] = MappingProxyType(
    {
        "raw_body": _oldest_first("raw_body", "id", "at", lambda kept: kept.raw),
        "alert": _alerts,
        "incident": _incidents,
        "event": _oldest_first("event", "cursor", "at", lambda kept: kept.events),
        "delivery": _oldest_first("delivery", "id", "at", lambda kept: kept.deliveries),
        "rejection": _oldest_first("rejection", "id", "at", lambda kept: kept.rejections),
        "notification": _oldest_first(
            "notification", "id", "created_at", lambda kept: kept.notifications, but="state IN ('pending', 'sending')"
        ),
        "page": _oldest_first(
            "page",
            "id",
            "created_at",
            lambda kept: kept.notifications,
            but="ended_at IS NULL AND acknowledged_at IS NULL",
        ),
        "message": _oldest_first(
            "message",
            "id",
            "created_at",
            lambda kept: kept.notifications,
            but="state IN ('pending', 'sending', 'failed', 'unknown')",
        ),
        "idempotency": _short_lived(
            "DELETE FROM idempotency WHERE (actor, route, key) IN"
            " (SELECT actor, route, key FROM idempotency WHERE at < :oldest LIMIT :most)"
        ),
        "undo": _short_lived(
            "DELETE FROM undo WHERE incident_id IN (SELECT incident_id FROM undo WHERE at < :oldest LIMIT :most)"
        ),
        "search_doc": _found_texts,
        "advice_cache": _answers,
        "sentence_vector": _vectors,
    }
)
"""How each table is swept, in this order: alerts go before the incidents that they belong to."""


def age_of(kept: Retention, table: str) -> timedelta | None:
    """How old what is over becomes in a table; None for what is kept for good, or as long as what it belongs to."""
    ages = {
        "raw_body": kept.raw, "alert": kept.alerts, "incident": kept.incidents, "event": kept.events,
        "delivery": kept.deliveries, "rejection": kept.rejections, "notification": kept.notifications,
        "message": kept.notifications, "page": kept.notifications,
        "idempotency": kept.answers, "undo": kept.answers, "timeline": kept.incidents,
    }  # fmt: skip
    return ages.get(table)
