"""Repeats of active alerts, nine alerts of ten: each is on disk at once, but not in its row at once.

A repeat changes two rows somewhere among many, and every page that a commit touches is written and synced. So a
batch appends its repeats to a log, a few to a page, and the counters of alerts and incidents are written together
a moment later (`fold`): before anybody reads, before a verb that may ask the database, and after a second of load
or a tenth of quiet. The log holds what is not folded yet; after a crash `recover` folds it.

Where daemons share a database each batch is folded in its own transaction, since others read it at once.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select, text, update

from siems.clock import to_micros
from siems.domain.alert import Alert
from siems.domain.changing import replace
from siems.domain.events import AlertRepeated
from siems.domain.incident import Incident
from siems.domain.priority import Weights
from siems.storage import tables as t
from siems.storage.rows import incident_from

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

FOLD_SECONDS = 1.0
FOLD_QUIET_SECONDS = 0.1
FOLD_MOST = 5_000

_ALERT = "UPDATE alert SET count = ?, last_seen_at = ?, severity = ?, message = ? WHERE id = ?"
_INCIDENT = "UPDATE incident SET last_alert_at = ?, static_score = ?, repeat_count = ? WHERE id = ?"


class Repeats:
    """The repeats of a batch, and those of earlier ones that are not in their rows yet."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._log: list[tuple[object, ...]] = []
        self._folding = False

    def add(self, alert: Alert, before: Alert) -> None:
        """An alert was seen once more; its counters are as they should be read."""
        uow = self._uow
        if not uow.dialect.shared:
            # the first since its row was written says the message in any case: older rows of the log are out of date
            same = alert.message == before.message and alert.id in uow.memory.repeated
            said = None if same else alert.message
            row = (alert.company_id, alert.id, to_micros(alert.last_seen_at), alert.count, int(alert.severity), said)
            uow.journal.append(self._log, row)
        uow.journal.set(uow.memory.repeated, alert.id, alert)

    def written(self, alert_id: int) -> None:
        """An alert's row is written anyway."""
        self._uow.journal.drop(self._uow.memory.repeated, alert_id)

    @property
    def due(self) -> bool:
        """Whether the counters have waited for long enough."""
        memory = self._uow.memory
        waiting = len(memory.repeated)
        return bool(waiting) and (
            self._uow.dialect.shared or waiting > FOLD_MOST or time.monotonic() - memory.folded_at > FOLD_SECONDS
        )

    def fold(self) -> None:
        """Write the counters of all that was repeated, and tell whoever listens."""
        uow, memory = self._uow, self._uow.memory
        if not memory.repeated or self._folding:
            return
        self._folding = memory.folding = True
        uow.after_commit.append(self._folded)
        alerts, incidents = list(memory.repeated.values()), dict[int, Incident]()
        for alert in alerts:
            company = uow.company(alert.company_id)
            uow.alerts.see(company, alert.asset_name, alert.last_seen_at)
            incident = None if alert.incident_id is None else company.incidents.get(alert.incident_id)
            if incident is not None:
                incidents[incident.id] = incident
            uow.react(AlertRepeated(alert, incident))
        uow.run(_ALERT, [_alert_counters(a) for a in alerts])
        uow.run(_INCIDENT, [_incident_counters(i, uow.weights) for i in incidents.values()])
        if not uow.dialect.shared:
            uow.journal.replace(self, "_log", [])
            uow.connection.exec_driver_sql("DELETE FROM repeat_log")
        uow.journal.replace(memory, "repeated", {})
        memory.folded_at = time.monotonic()
        self._folding = False

    def _folded(self) -> None:
        self._uow.memory.folding = False

    def flush(self) -> None:
        if self._log:
            self._uow.run(self._uow.dialect.insert("repeat_log"), self._log)
            self._log = []


def _alert_counters(alert: Alert) -> tuple[object, ...]:
    return alert.count, to_micros(alert.last_seen_at), int(alert.severity), alert.message, alert.id


def _incident_counters(incident: Incident, weights: Weights) -> tuple[object, ...]:
    return to_micros(incident.last_alert_at), incident.static_score(weights), incident.repeat_count, incident.id


def recover(connection: Connection, weights: Weights) -> int:
    """Fold what a process that ended without doing so has left; how many alerts it concerned."""
    log, a = t.repeat_log.c, t.alert.c
    last = select(log.alert_id, func.max(log.id).label("id")).group_by(log.alert_id).subquery()
    rows = connection.execute(
        select(log.alert_id, log.at, log.severity, log.count.label("times")).join(last, last.c.id == log.id)
    ).all()
    if not rows:
        return 0
    incidents: dict[int, datetime] = {}
    for row in rows:
        said = connection.execute(
            select(log.message).where(log.alert_id == row.alert_id, log.message.is_not(None)).order_by(log.id.desc())
        ).scalar()
        values = {"count": row.times, "last_seen_at": row.at, "severity": row.severity}
        # rows that were written since know more
        connection.execute(
            update(t.alert)
            .where(a.id == row.alert_id, a.count < row.times)
            .values(**values, **({} if said is None else {"message": said}))
        )
        incident_id = connection.execute(select(a.incident_id).where(a.id == row.alert_id)).scalar()
        if incident_id is not None:
            incidents[incident_id] = max(row.at, incidents.get(incident_id, row.at))
    for number, seen in sorted(incidents.items()):
        _recount(connection, number, seen, weights)
    connection.execute(text("DELETE FROM repeat_log"))
    return len(rows)


def _recount(connection: Connection, number: int, last: datetime, weights: Weights) -> None:
    a, i = t.alert.c, t.incident.c
    repeats = connection.execute(select(func.sum(a.count - 1)).where(a.incident_id == number)).scalar()
    row = connection.execute(select(*t.raw_columns(t.incident)).where(i.id == number)).first()
    if row is None:
        return
    incident = incident_from(row)
    now = replace(incident, repeat_count=int(repeats or 0), last_alert_at=max(incident.last_alert_at, last))
    last_at, score, count, _ = _incident_counters(now, weights)
    connection.execute(
        text("UPDATE incident SET last_alert_at = :l, static_score = :s, repeat_count = :r WHERE id = :i"),
        {"l": last_at, "s": score, "r": count, "i": number},
    )
