"""What fires when a deadline is due: each row in a verb of its own, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from siems.domain import sla
from siems.domain.changing import replace
from siems.domain.deadlines import DueKind, deadlines_of
from siems.domain.escalation import Cause
from siems.domain.events import ClockName, IncidentActed, IncidentFlapping, SlaBreached, SlaWarned
from siems.domain.incident import Incident
from siems.domain.lifecycle import apply
from siems.domain.moves import Command
from siems.domain.permissions import SYSTEM
from siems.domain.retention import DEFAULT_RETENTION, Retention
from siems.services import heartbeats, silencing, status_updates, ticket_inbound
from siems.services.escalations import escalate
from siems.services.keeping import save
from siems.services.retention import sweep
from siems.storage.repositories.deadlines import Due
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, State

AGAIN_AFTER = timedelta(seconds=30)


def fire(uow: UnitOfWork, due: Due, kept: Retention = DEFAULT_RETENTION) -> bool:
    """Fire a due row; False when it is gone or in another daemon's hands."""
    if not uow.deadlines.take(due):
        return False
    kind = DueKind(due.kind)
    if kind is DueKind.HOUSEKEEPING:
        sweep(uow, due, kept)
    elif (work := _FIRES.get(kind)) is not None:
        work(uow, due)
    else:
        _fire_incident(uow, due, kind)
    return True


def _fire_incident(uow: UnitOfWork, due: Due, kind: DueKind) -> None:
    incident = uow.incidents.find(due.company_id, int(due.object.removeprefix("INC-")))
    if incident is None:
        return
    # the company's settings may have changed since the row was set: how it stands now decides
    when = deadlines_of(incident, uow.rules(due.company_id), _targets(uow, incident)).get(kind)
    if when is not None and when > uow.now:
        uow.deadlines.set(due.object, due.kind, when, company_id=due.company_id)
    elif when is not None:
        _FIRES_OF_INCIDENTS[kind](uow, incident)


def postpone(uow: UnitOfWork, due: Due) -> None:
    """A row that cannot be fired is tried again later, so that it does not stand in the way of the others."""
    uow.deadlines.set(due.object, due.kind, uow.now + AGAIN_AFTER, company_id=due.company_id, payload=due.payload)


def _targets(uow: UnitOfWork, incident: Incident) -> sla.Target:
    return uow.memory.targets_named(uow.connection, incident.sla_snapshot)[incident.severity]


def _response(uow: UnitOfWork, before: Incident) -> None:
    clocks = before.clocks
    if not before.open or not clocks.response_open or clocks.response_broken:
        return
    if clocks.response_warned_at is None and uow.now < clocks.response_due:
        after = replace(before, clocks=replace(clocks, response_warned_at=uow.now))
        _warn(uow, before, after, ClockName.RESPONSE)
        return
    broken = replace(
        clocks, response_warned_at=clocks.response_warned_at or uow.now, response_breached_at=clocks.response_due
    )
    _breach(uow, before, replace(before, clocks=broken), ClockName.RESPONSE)


def _resolution(uow: UnitOfWork, before: Incident) -> None:
    clocks = before.clocks
    if not before.open or not clocks.resolution_open or clocks.resolution_breached_at is not None:
        return
    if clocks.resolution_warned_at is None and uow.now < clocks.resolution_due:
        after = replace(before, clocks=replace(clocks, resolution_warned_at=uow.now))
        _warn(uow, before, after, ClockName.RESOLUTION)
        return
    broken = replace(
        clocks,
        resolution_warned_at=clocks.resolution_warned_at or uow.now,
        resolution_breached_at=clocks.resolution_due,
    )
    _breach(uow, before, replace(before, clocks=broken), ClockName.RESOLUTION)


def _warn(uow: UnitOfWork, before: Incident, after: Incident, clock: ClockName) -> None:
    save(uow, before, after)
    due = after.clocks.response_due if clock is ClockName.RESPONSE else after.clocks.resolution_due
    uow.emit(SlaWarned(after, clock, due))


def _breach(uow: UnitOfWork, before: Incident, after: Incident, clock: ClockName) -> None:
    """A breach is recorded for good, and advances the chain by one step."""
    after = replace(after, version=before.version + 1)
    save(uow, before, after)
    due = after.clocks.response_due if clock is ClockName.RESPONSE else after.clocks.resolution_due
    uow.emit(SlaBreached(after, clock, due))
    escalate(uow, after, cause=Cause.SLA_BREACH, actor=SYSTEM, reason=f"{clock.value} deadline passed")


def _escalation(uow: UnitOfWork, incident: Incident) -> None:
    """Nobody has acknowledged within the step's wait."""
    if not incident.open or incident.acknowledged_at is not None or incident.state is State.IN_PROGRESS:
        return
    escalate(uow, incident, cause=Cause.UNACKNOWLEDGED, actor=SYSTEM, reason="not acknowledged in time")


def _system_act(uow: UnitOfWork, before: Incident, action: Action, *, note: str) -> None:
    command = Command(action=action, actor=SYSTEM, now=uow.now, note=note, reason=note, target=_targets(uow, before))
    outcome = apply(before, command)
    if outcome.changed:
        save(uow, before, outcome.incident)
        uow.emit(*(IncidentActed(step, command) for step in outcome.steps))


def _hold_end(uow: UnitOfWork, incident: Incident) -> None:
    if incident.open and incident.on_hold:
        _system_act(uow, incident, Action.RESUME, note="the hold has ended")


def _auto_resolve(uow: UnitOfWork, incident: Incident) -> None:
    if incident.open and incident.recovered_at is not None and incident.active_count == 0:
        _system_act(uow, incident, Action.RESOLVE, note="all alerts have recovered")


def _flap_end(uow: UnitOfWork, before: Incident) -> None:
    if before.open and before.flapping:
        after = replace(before, flapping=False, transitions=())
        save(uow, before, after)
        uow.emit(IncidentFlapping(after, False))


def _auto_close(uow: UnitOfWork, incident: Incident) -> None:
    if incident.state is State.RESOLVED:
        _system_act(uow, incident, Action.CLOSE, note="resolved for long enough")


_FIRES_OF_INCIDENTS: Mapping[DueKind, Callable[[UnitOfWork, Incident], None]] = MappingProxyType(
    {
        DueKind.RESPONSE: _response,
        DueKind.RESOLUTION: _resolution,
        DueKind.ESCALATION: _escalation,
        DueKind.HOLD_END: _hold_end,
        DueKind.AUTO_RESOLVE: _auto_resolve,
        DueKind.FLAP_END: _flap_end,
        DueKind.AUTO_CLOSE: _auto_close,
    }
)
"""What is derived from how an incident stands, by kind."""

_FIRES: Mapping[DueKind, Callable[[UnitOfWork, Due], None]] = MappingProxyType(
    {
        DueKind.HEARTBEAT: heartbeats.due,
        DueKind.SILENCE_NOTICE: silencing.fire,
        DueKind.SILENCE_END: silencing.fire,
        DueKind.SILENCE_RELEASE: silencing.fire,
        DueKind.TICKET_POLL: ticket_inbound.fire,
        DueKind.STATUS_UPDATE: status_updates.fire,
    }
)
"""Everything else that happens later."""
