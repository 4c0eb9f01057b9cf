"""What people do to incidents: one verb for every action, and the one that takes it back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

from sqlalchemy import delete, select

from siems.clock import from_micros, to_micros
from siems.domain.changing import replace
from siems.domain.escalation import Cause
from siems.domain.events import ActUndone, IncidentActed
from siems.domain.incident import Incident
from siems.domain.lifecycle import apply, check, permission_for
from siems.domain.moves import Command
from siems.domain.permissions import Actor, missing, require
from siems.errors import Conflict, InvalidField, StaleVersion
from siems.services import merging
from siems.services.assigning import find_person, named, told
from siems.services.escalations import Push, begin, escalate, opening, tell_of_start
from siems.services.keeping import save
from siems.services.moving import act_by_system, in_force
from siems.storage import tables as t
from siems.storage.rows import alert_from, incident_from, incident_row
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, AlertStatus, Category, HoldReason, Role, Severity
from siems.wire import ActAsk

E = TypeVar("E", bound=Enum)

UNDO_WITHIN = timedelta(seconds=10)
NOTICE_DELAY = UNDO_WITHIN

_RESTORED = (
    "state", "assignee", "assigned_at", "acknowledged_at", "started_at", "hold_reason", "hold_until", "touched",
    "resolved_at", "resolved_by", "resolution_notes", "cause", "closed_at", "clocks", "position",
    "escalation_level", "escalated_at", "escalates_at", "ack_due_at", "asked_at", "advanced_by", "recovered_at",
    "reopened_at",
)  # fmt: skip

_ALSO_RESTORED = {"severity": ("severity", "severity_pinned"), "edit": ("title", "category")}


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of it."""

    incident: Incident
    changed: bool
    steps: tuple[str, ...]
    undo_until: datetime | None
    other: Incident | None = None
    """The new incident that a split has made."""


def act(uow: UnitOfWork, actor: Actor, action: Action, company_id: str, number: int, ask: ActAsk) -> Acted:
    """Do something to an incident. Raises NotFound, Forbidden, Conflict, StaleVersion, UsageError."""
    ref = f"INC-{number}"
    if not actor.sees(company_id):
        raise missing(ref)
    before = uow.incidents.get(company_id, number)
    require(actor, permission_for(action, actor=actor), company_id, what=ref)
    assignee, choice = named(uow, actor, ask.to, before) if action is Action.ASSIGN else (None, None)
    require(actor, permission_for(action, actor=actor, assignee=assignee), company_id, what=ref)
    if action is Action.UNDO:
        return _undo(uow, actor, before, ask)
    if action in (Action.MERGE, Action.SPLIT):
        return _grouped(uow, actor, action, before, ask)
    command = _command(uow, actor, action, before, ask, assignee)
    if action is Action.ESCALATE:
        check(before, command)
        push = Push(
            cause=Cause.MANUAL, actor=actor, reason=ask.reason, to_level=ask.level,
            to=find_person(uow, actor, _me(actor, ask.to), company_id) if ask.to else None, anyway=ask.now,
        )  # fmt: skip
        return Acted(escalate(uow, before, push), True, (Action.ESCALATE.value,), None)
    command, skips, nobody = _where_it_begins(uow, before, command)
    outcome = apply(before, command)
    if not outcome.changed:
        return Acted(before, False, (), None)
    uow.emit(*told(outcome.incident, choice, actor), *(IncidentActed(step, command) for step in outcome.steps))
    after = answered(uow, outcome.incident, actor) if action is Action.NOTE else outcome.incident
    save(uow, before, after)
    until = _remember(uow, actor, before, after, action)
    if outcome.incident.position.cycle > before.position.cycle:
        tell_of_start(uow, outcome.incident, skips, nobody=nobody)
    steps = tuple(step.action.value for step in outcome.steps)
    return Acted(after, True, steps, until)


def _grouped(uow: UnitOfWork, actor: Actor, action: Action, before: Incident, ask: ActAsk) -> Acted:
    if action is Action.SPLIT:
        after, part = merging.split(uow, actor, before, ask)
        return Acted(after, True, (action.value,), uow.now + UNDO_WITHIN, part)
    after, changed = merging.merge(uow, actor, before, ask)
    return Acted(after, changed, (action.value,) if changed else (), uow.now + UNDO_WITHIN if changed else None)


def answered(uow: UnitOfWork, incident: Incident, actor: Actor) -> Incident:
    """A client has written: what waited for them waits no longer."""
    if actor.role is not Role.CLIENT or incident.hold_reason is not HoldReason.CLIENT:
        return incident
    return act_by_system(uow, incident, Action.RESUME, f"{actor.name} has answered")


def _command(
    uow: UnitOfWork, actor: Actor, action: Action, incident: Incident, ask: ActAsk, assignee: str | None
) -> Command:
    if ask.until is not None and ask.until.tzinfo is None:
        raise InvalidField("until has no time zone", hint="write it like 2026-03-10T14:00:00Z")
    severity = one_of(Severity, "severity", ask.severity) if action is Action.SEVERITY else None
    return Command(
        action=action, actor=actor, now=uow.now, reason=ask.reason, note=ask.note, cause=ask.cause,
        assignee=assignee, hold_reason=_hold_reason(ask.hold_for), until=ask.until, public=ask.public,
        version=ask.version, notice_delay=NOTICE_DELAY if ask.undoable else timedelta(0),
        ask_cause=ask.ask_cause, opens=opening(uow, incident.company_id), title=ask.title,
        category=one_of(Category, "category", ask.category), severity=severity,
        **in_force(uow, incident if severity is None else replace(incident, severity=severity)),
    )  # fmt: skip


def one_of(kind: type[E], name: str, word: str | None) -> E | None:
    """A member by what people type. Raises InvalidField."""
    if word is None:
        return None
    found = next((one for one in kind if word.strip().lower() in (one.name.lower(), str(one.value).lower())), None)
    if found is None:
        known = ", ".join(one.name if kind is Severity else str(one.value) for one in kind)
        raise InvalidField(f"{word!r} is no {name}", hint=f"one of: {known}")
    return found


def _me(actor: Actor, word: str) -> str:
    return actor.id if word in ("@me", "me") else word


def _where_it_begins(uow: UnitOfWork, before: Incident, command: Command) -> tuple[Command, tuple[str, ...], bool]:
    """(the command, why the first steps of a chain that begins with it are skipped, whether nobody is there)."""
    if command.action not in (Action.UNASSIGN, Action.REOPEN):
        return command, (), False
    nobodys = replace(before, assignee=None) if command.action is Action.UNASSIGN else before
    first, skips, nobody = begin(uow, nobodys, command.policy)
    return replace(command, first=first), skips, nobody


def _hold_reason(word: str | None) -> HoldReason | None:
    if word is None:
        return None
    try:
        return HoldReason(word.strip().lower())
    except ValueError as why:
        known = ", ".join(HoldReason)
        raise InvalidField(f"{word!r} is no reason to hold", hint=f"one of: {known}") from why


# --- taking it back --------------------------------------------------------------------------------------------


def _remember(uow: UnitOfWork, actor: Actor, before: Incident, after: Incident, action: Action) -> datetime | None:
    """Keep what was, for ten seconds, for the one who changed it."""
    if actor.machine:
        return None
    resolved = (
        [a.id for a in uow.alerts.active_of(uow.company(before.company_id), before.id)]
        if action is Action.RESOLVE
        else []
    )
    body = {
        "row": incident_row(before, uow.weights), "alerts": resolved,
        "note_at": to_micros(uow.now) if action is Action.NOTE else None,
    }  # fmt: skip
    uow.connection.execute(delete(t.undo).where(t.undo.c.incident_id == before.id))
    uow.insert(
        "undo",
        (before.id, before.company_id, actor.id, to_micros(uow.now), action.value, after.version, json.dumps(body)),
    )
    return uow.now + UNDO_WITHIN


def _undo(uow: UnitOfWork, actor: Actor, current: Incident, ask: ActAsk) -> Acted:
    """The same actor, within ten seconds, while the version is still theirs."""
    row = uow.connection.execute(select(t.undo).where(t.undo.c.incident_id == current.id)).first()
    if row is None or row.actor != actor.id or uow.now - row.at > UNDO_WITHIN:
        raise Conflict(
            f"there is nothing of yours to undo on {current.ref}",
            hint="an act can be taken back within 10 seconds, by who did it",
        )
    if row.version != current.version:
        raise StaleVersion(
            f"{current.ref} changed after your {row.action}, it cannot be undone",
            hint=f"look again:  siems incident show {current.ref}",
        )
    if row.action in (Action.MERGE.value, Action.SPLIT.value):
        return Acted(merging.take_back(uow, actor, current, row, ask.reason), True, (Action.UNDO.value,), None)
    body = json.loads(row.body)
    old = incident_from(body["row"])
    restored = (*_RESTORED, *_ALSO_RESTORED.get(row.action, ()))
    after = replace(current, version=current.version + 1, **{name: getattr(old, name) for name in restored})
    after = replace(after, active_count=old.active_count if body["alerts"] else after.active_count)
    save(uow, current, after)
    _revive(uow, body["alerts"], after)
    if body["note_at"] is not None:
        uow.connection.execute(
            delete(t.timeline).where(
                t.timeline.c.incident_id == current.id,
                t.timeline.c.kind == "note",
                t.timeline.c.at == from_micros(body["note_at"]),
            )
        )
    uow.connection.execute(delete(t.undo).where(t.undo.c.incident_id == current.id))
    uow.outbox.cancel(current.ref)
    uow.messages.take_back(current.ref, row.at)
    command = Command(action=Action.UNDO, actor=actor, now=uow.now, reason=ask.reason)
    uow.emit(ActUndone(current, after, row.action, command))
    return Acted(after, True, (Action.UNDO.value,), None)


def _revive(uow: UnitOfWork, alert_ids: Sequence[int], incident: Incident) -> None:
    """Alerts that were resolved with their incident are active again, unless a newer one has taken their place."""
    if not alert_ids:
        return
    company = uow.company(incident.company_id)
    rows = uow.connection.execute(select(*t.raw_columns(t.alert)).where(t.alert.c.id.in_(alert_ids)))
    for row in rows.all():
        alert = alert_from(row)
        if uow.alerts.active(company, alert.fingerprint) is None:
            uow.alerts.put(replace(alert, status=AlertStatus.ACTIVE, resolved_at=None))


def resolve_alerts(uow: UnitOfWork, incident: Incident) -> None:
    """Resolving an incident resolves its alerts; a later firing is a new one."""
    company = uow.company(incident.company_id)
    for alert in uow.alerts.active_of(company, incident.id):
        uow.alerts.put(replace(alert, status=AlertStatus.RESOLVED, resolved_at=uow.now))
    current = uow.incidents.get(incident.company_id, incident.id)
    uow.incidents.count(replace(current, active_count=0))
