"""Alerts, the raw bodies they came in, and the assets they name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from siems.clock import to_micros
from siems.domain.alert import MAX_NAME, Alert
from siems.domain.asset import Asset
from siems.domain.changing import replace
from siems.domain.incident import Incident
from siems.storage import tables as t
from siems.storage.indexing import give_key, keys_for, wide_key
from siems.storage.memory import CompanyMemory
from siems.storage.repositories.assets import asset_row
from siems.storage.rows import alert_from, alert_row
from siems.vocabulary import AlertStatus

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_UPDATE = (
    "UPDATE alert SET count = ?, last_seen_at = ?, severity = ?, message = ?, status = ?, resolved_at = ?,"
    " incident_id = ?, suppressed_by = ?, rule = ?, evidence = ? WHERE id = ?"
)

_SEEN = "UPDATE asset SET last_seen_at = ? WHERE company_id = ? AND name = ?"
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when an asset was last seen: what is written for each alert is what a storm costs."""


class Alerts:
    """The alerts of a batch. `put` keeps any change, `repeat` only what a repeat moves."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._new: dict[int, Alert] = {}
        self._changed: dict[int, Alert] = {}
        self._moved: list[tuple[int, int]] = []
        self._seen: list[tuple[int, str, str]] = []

    def active(self, company: CompanyMemory, fingerprint: str) -> Alert | None:
        """The alert with this fingerprint that is not over: active, or suppressed."""
        return company.alerts.get(fingerprint)

    def active_of(self, company: CompanyMemory, incident_id: int) -> list[Alert]:
        """The active alerts of an incident."""
        return [company.alerts[fingerprint] for fingerprint in tuple(company.active_of.get(incident_id, ()))]

    def add(self, alert: Alert) -> None:
        """A new alert."""
        alert = self._uow.memory.shared(alert)
        self._uow.journal.set(self._new, alert.id, alert)
        self._remember(alert)

    def put(self, alert: Alert) -> None:
        """An alert as it is now."""
        journal = self._uow.journal
        journal.set(self._new if alert.id in self._new else self._changed, alert.id, alert)
        self._uow.repeats.written(alert.id)
        self._remember(alert)

    def repeat(self, company: CompanyMemory, before: Alert, alert: Alert) -> None:
        """An active alert that was seen again, and stays where it is."""
        journal, number = self._uow.journal, alert.id
        if number in self._new or number in self._changed:
            journal.set(self._new if number in self._new else self._changed, number, alert)
        else:
            self._uow.repeats.add(alert, before)
        journal.set(company.alerts, alert.fingerprint, alert)

    def _remember(self, alert: Alert) -> None:
        journal, company = self._uow.journal, self._uow.company(alert.company_id)
        if alert.status is not AlertStatus.RESOLVED:
            journal.set(company.alerts, alert.fingerprint, alert)
            if alert.incident_id is not None:
                active = company.active_of.setdefault(alert.incident_id, {})
                if alert.fingerprint not in active:
                    journal.set(active, alert.fingerprint, None)
            return
        known = company.alerts.get(alert.fingerprint)
        if known is not None and known.id == alert.id:
            journal.drop(company.alerts, alert.fingerprint)
            if alert.incident_id is not None:
                journal.drop(company.active_of.get(alert.incident_id, {}), alert.fingerprint)

    def move(self, company: CompanyMemory, absorbed: int, survivor: int) -> None:
        """All alerts of one incident belong to another from now on."""
        for alert in self.active_of(company, absorbed):
            self.put(replace(alert, incident_id=survivor))
        self._uow.journal.append(self._moved, (survivor, absorbed))

    def find_again(self, company: CompanyMemory, incident: Incident) -> None:
        """Let an incident that was closed be found by its alerts again, but take nothing from another open one."""
        journal, columns = self._uow.journal, t.raw_columns(t.alert)
        rows = self._uow.connection.execute(select(*columns).where(t.alert.c.incident_id == incident.id))
        keys = {key for row in rows for key in keys_for(alert_from(row), company.rules)}
        for key in sorted({*keys, wide_key(incident.signature)} if incident.folded else keys):
            owner = company.incidents.get(company.keys.get(key, 0))
            if owner is None or not owner.open:
                give_key(journal, company, incident.id, key)

    def discover(self, company: CompanyMemory, asset: str) -> bool:
        """Whether the asset is critical; one never seen before is written down."""
        critical = company.assets.get(asset)
        uow = self._uow
        if critical is not None:
            self.see(company, asset, uow.now)
            return critical
        uow.journal.set(company.assets, asset, False)
        uow.journal.set(company.seen_at, asset, uow.now)
        found = Asset(company_id=company.id, name=asset[:MAX_NAME], first_seen_at=uow.now, last_seen_at=uow.now)
        uow.insert("asset", asset_row(found))
        return False

    def see(self, company: CompanyMemory, asset: str, at: datetime) -> None:
        """An alert is about this asset, to the minute."""
        before = company.seen_at.get(asset)
        if before is None or at - before >= SEEN_EVERY:
            self._uow.journal.set(company.seen_at, asset, at)
            self._uow.journal.append(self._seen, (to_micros(at), company.id, asset))

    def keep_raw(self, company_id: str, source: str, body: bytes) -> int:
        """The number under which a body is kept as it came."""
        number = self._uow.next_number("raw_body")
        self._uow.insert("raw_body", (number, company_id, source, to_micros(self._uow.now), body))
        return number

    def flush(self) -> None:
        uow = self._uow
        if self._new:
            uow.run(uow.dialect.insert("alert"), [alert_row(a) for a in self._new.values()])
        uow.run(
            _UPDATE,
            [
                (
                    a.count, to_micros(a.last_seen_at), int(a.severity), a.message, a.status.value,
                    None if a.resolved_at is None else to_micros(a.resolved_at), a.incident_id, a.suppressed_by,
                    a.rule, a.evidence, a.id,
                )
                for a in self._changed.values()
            ],
        )  # fmt: skip
        uow.run("UPDATE alert SET incident_id = ? WHERE incident_id = ?", self._moved)
        uow.run(_SEEN, self._seen)
        self._new, self._changed, self._moved, self._seen = {}, {}, [], []
