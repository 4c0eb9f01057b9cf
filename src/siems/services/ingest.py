"""Taking alerts in: the verb behind every webhook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from siems.domain import correlation
from siems.domain.alert import Alert, Change, Read, Reading, Remark, fingerprint_of_key
from siems.domain.changing import replace
from siems.domain.correlation import Kind, Placement
from siems.domain.events import (
    AlertReceived,
    AlertRecovered,
    AlertRemarked,
    AlertRepeated,
    IncidentFlapping,
    IncidentRecovered,
    Recorded,
)
from siems.domain.incident import Incident, with_transition
from siems.domain.instant import in_order
from siems.domain.permissions import SYSTEM
from siems.domain.strategies import timed
from siems.errors import ReplayMismatch
from siems.services.keeping import save
from siems.services.placing import join_incident, open_incident, raise_severity
from siems.services.silencing import repeat_suppressed, silence_for, suppress
from siems.storage.indexing import index_alert, stop_waiting
from siems.storage.memory import CompanyMemory, Seen
from siems.storage.repositories.deliveries import Receipt
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import AlertStatus
from siems.wire import AlertAccepted, AlertsAccepted

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Incoming:
    """One verified request: whose it is, what a source read in it, and its bytes."""

    company_id: str
    source: str
    read: Read
    raw: bytes
    delivery_id: str | None
    body_hash: bytes

    @property
    def key(self) -> tuple[str, str, str] | None:
        return None if self.delivery_id is None else (self.company_id, self.source, self.delivery_id)


def accept(uow: UnitOfWork, incoming: Incoming) -> bytes:
    """Store and place every alert of a request, once per delivery id; the answer as JSON.

    Raises ReplayMismatch when the delivery id was used for another body.
    """
    key = incoming.key
    if key is not None and (receipt := uow.deliveries.find(key)) is not None:
        if receipt.body_hash != incoming.body_hash:
            raise ReplayMismatch(
                "this delivery id was used for another body", hint="give each delivery an id of its own"
            )
        return receipt.answer.replace('"duplicate":false', '"duplicate":true').encode()
    company = uow.company(incoming.company_id)
    said = _encode(_answer(uow, company, incoming))
    if key is not None:
        uow.deliveries.keep(key, Receipt(incoming.body_hash, said.decode()))
    return said


def _answer(uow: UnitOfWork, company: CompanyMemory, incoming: Incoming) -> AlertAccepted | AlertsAccepted:
    """What comes of everything that a body says."""
    raw, read = _Raw(uow, incoming), incoming.read
    # a remark on what ends with this body comes before its end, one on what begins with it after its beginning
    about = {remark: _remark(uow, company, incoming.source, remark) for remark in read.remarks}
    taken = _taken(uow, company, read.readings, raw, incoming)
    for remark, alert in about.items():
        about[remark] = alert or _remark(uow, company, incoming.source, remark)
    for change in read.changes:
        _change(uow, incoming, change)
    if read.many:
        return AlertsAccepted(message=read.said or "accepted", alerts=taken)
    if taken:
        return taken[0]
    noted = next(filter(None, about.values()), None)
    said = read.said or ("noted" if noted else "nothing active to note it on" if about else "nothing to alert on")
    return AlertAccepted(
        message=said, alert_id=None if noted is None else f"ALR-{noted.id}",
        incident_id=None if noted is None or noted.incident_id is None else f"INC-{noted.incident_id}",
        warnings=list(read.warnings),
    )  # fmt: skip


def _taken(
    uow: UnitOfWork, company: CompanyMemory, readings: Sequence[Reading], raw: _Raw, incoming: Incoming
) -> list[AlertAccepted]:
    """The answers in the order of the body; which of its alerts share an incident does not depend on that order."""
    names = [reading.fingerprint(company.id) for reading in readings]
    if len(readings) == 1:
        return [_take(uow, company, readings[0], names[0], raw, incoming)]
    active = company.alerts

    def settled(name: str) -> bool:
        known = active.get(name)
        return known is not None and known.incident_id is not None

    order = in_order(readings, names, settled, company.topology)
    found = {at: _take(uow, company, readings[at], names[at], raw, incoming) for at in order}
    return [found[at] for at in range(len(readings))]


def _remark(uow: UnitOfWork, company: CompanyMemory, source: str, remark: Remark) -> Alert | None:
    """What a tool says about an alert of its own is a note on its incident; the alert, when it is active."""
    alert = uow.alerts.active(company, fingerprint_of_key(company.id, source, remark.dedup_key))
    if alert is not None and alert.incident_id is not None:
        uow.emit(AlertRemarked(alert, uow.incidents.get(company.id, alert.incident_id), remark.text))
    return alert


def _change(uow: UnitOfWork, incoming: Incoming, change: Change) -> None:
    """A change is on record, for those who look for what happened before an incident."""
    details = {"summary": change.summary, "source": change.source, "links": change.links}
    company = incoming.company_id
    uow.emit(
        Recorded(type="change.reported", actor=SYSTEM, company_id=company, object=incoming.source, details=details)
    )


class _Raw:
    """The body as it came, stored once when an alert first needs it."""

    __slots__ = ("_incoming", "_number", "_uow")

    def __init__(self, uow: UnitOfWork, incoming: Incoming) -> None:
        self._uow = uow
        self._incoming = incoming
        self._number: int | None = None

    def number(self) -> int:
        if self._number is None:
            incoming = self._incoming
            self._number = self._uow.alerts.keep_raw(incoming.company_id, incoming.source, incoming.raw)
        return self._number


def _take(
    uow: UnitOfWork, company: CompanyMemory, reading: Reading, fingerprint: str, raw: _Raw, incoming: Incoming
) -> AlertAccepted:
    known = uow.alerts.active(company, fingerprint)
    warnings = [*incoming.read.warnings, *reading.warnings]
    if not reading.firing:
        known = known or _in_thread(company, reading)
        if known is None:
            return AlertAccepted(
                message="nothing active to resolve", alert_id=None, incident_id=None, warnings=warnings
            )
        alert = _recover(uow, company, known)
        message = "resolved"
    elif known is not None:
        alert = _repeat(uow, company, known, reading)
        message = "repeated"
    else:
        alert = _receive(uow, company, reading, fingerprint, raw)
        message = "suppressed" if alert.status is AlertStatus.SUPPRESSED else "accepted"
    incident_id = None if alert.incident_id is None else f"INC-{alert.incident_id}"
    return AlertAccepted(message=message, alert_id=f"ALR-{alert.id}", incident_id=incident_id, warnings=warnings)


def _in_thread(company: CompanyMemory, reading: Reading) -> Alert | None:
    """The one active alert whose message this recovery belongs to; several are none."""
    if not reading.thread:
        return None
    found = [
        alert for alert in company.alerts.values()
        if alert.tool_source == reading.tool_source
        and not {alert.labels.get("message-id"), alert.labels.get("thread")}.isdisjoint(reading.thread)
    ]  # fmt: skip
    return found[0] if len(found) == 1 else None


# --- a new alert -----------------------------------------------------------------------------------------------


def _receive(uow: UnitOfWork, company: CompanyMemory, reading: Reading, fingerprint: str, raw: _Raw) -> Alert:
    """Store a new alert and put it where the rules say."""
    now, rules = uow.now, company.rules
    silence = silence_for(company, reading, now)
    if silence is None:
        placement = correlation.place(reading, fingerprint, Seen(company, now), rules, now=now)
    else:
        placement = Placement(Kind.WAIT, "", "", ())
    alert = Alert(
        id=uow.next_number("alert"), company_id=company.id, incident_id=placement.incident_id,
        fingerprint=fingerprint, asset_name=reading.asset_name, signature=reading.signature,
        severity=reading.severity, original_severity=reading.original_severity, message=reading.message,
        tool_source=reading.tool_source, status=AlertStatus.ACTIVE, count=1, starts_at=reading.starts_at or now,
        received_at=now, last_seen_at=now, rule=placement.rule, evidence=placement.evidence,
        labels=reading.labels, links=reading.links, raw_id=raw.number(),
    )  # fmt: skip
    critical = uow.alerts.discover(company, alert.asset_name)
    if silence is not None:
        return suppress(uow, alert, silence, stored=False)
    if placement.kind is Kind.WAIT:
        uow.alerts.add(alert)
        index_alert(uow.journal, company, alert, placement.keys)
        uow.emit(AlertReceived(alert, None))
        return alert
    if placement.kind is Kind.OPEN:
        return open_incident(uow, company, alert, placement, critical=critical)
    return join_incident(uow, company, alert, placement, critical=critical)


# --- repeats and recoveries ------------------------------------------------------------------------------------


def _repeat(uow: UnitOfWork, company: CompanyMemory, known: Alert, reading: Reading) -> Alert:
    """The same alert again: it is counted, not stored anew."""
    now = uow.now
    alert = replace(
        known,
        count=known.count + 1,
        last_seen_at=now,
        message=reading.message,
        severity=max(known.severity, reading.severity),
    )
    if known.status is AlertStatus.SUPPRESSED:
        return repeat_suppressed(uow, company, known, alert)
    if known.incident_id is None:
        return _repeat_waiting(uow, company, alert, reading)
    before = uow.incidents.open_of(company, known.incident_id)
    uow.alerts.repeat(company, known, alert)
    incident = replace(before, repeat_count=before.repeat_count + 1, last_alert_at=now)
    if alert.severity > before.severity:
        incident = raise_severity(uow, incident, alert, f"{alert.signature} is now {alert.severity.name}")
        save(uow, before, incident)
    elif _watched(uow, before, incident):
        save(uow, before, incident)
    else:
        uow.incidents.repeat(company, incident)
    return alert


def _watched(uow: UnitOfWork, before: Incident, after: Incident) -> bool:
    """Whether a repeat may have reached the mark of a strategy: its score has moved, and its policy looks at it."""
    policy = uow.policy_of(after)
    return timed(policy) and before.static_score(uow.weights) != after.static_score(uow.weights)


def _repeat_waiting(uow: UnitOfWork, company: CompanyMemory, alert: Alert, reading: Reading) -> Alert:
    """A repeat counts towards the minimum; with enough of them the incident opens, unless a silence has begun."""
    if (silence := silence_for(company, alert, uow.now)) is not None:
        stop_waiting(uow.journal, company, alert)
        return suppress(uow, alert, silence, stored=True)
    placement = correlation.place(reading, alert.fingerprint, Seen(company, uow.now), company.rules, now=uow.now)
    critical = company.assets.get(alert.asset_name, False)
    if placement.kind is not Kind.WAIT:
        alert = replace(alert, rule=placement.rule, evidence=placement.evidence)
        stop_waiting(uow.journal, company, alert)
        go = open_incident if placement.kind is Kind.OPEN else join_incident
        return go(uow, company, alert, placement, critical=critical, stored=True)
    uow.alerts.put(replace(alert, evidence=placement.evidence))
    uow.emit(AlertRepeated(alert, None))
    return alert


def _recover(uow: UnitOfWork, company: CompanyMemory, known: Alert) -> Alert:
    """The tool says it is over. The last one starts the quiet delay."""
    alert = replace(known, status=AlertStatus.RESOLVED, resolved_at=uow.now, last_seen_at=uow.now)
    uow.alerts.put(alert)
    if known.incident_id is None:
        stop_waiting(uow.journal, company, alert)
        uow.emit(AlertRecovered(alert, None))
        return alert
    before = uow.incidents.get(company.id, known.incident_id)
    incident = replace(before, active_count=max(0, before.active_count - 1))
    if incident.active_count or not incident.open:
        uow.incidents.count(incident)
        uow.emit(AlertRecovered(alert, incident))
        return alert
    incident = with_transition(replace(incident, recovered_at=uow.now), now=uow.now, window=company.rules.window)
    save(uow, before, incident)
    uow.messages.cancel_pages(incident.ref, "all alerts have recovered")
    uow.outbox.cancel(incident.ref)
    uow.emit(AlertRecovered(alert, incident), IncidentRecovered(incident))
    if incident.flapping and not before.flapping:
        uow.emit(IncidentFlapping(incident, True))
    return alert
