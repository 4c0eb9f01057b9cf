"""What fires when a deadline is due: each row in a verb of its own, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from types import MappingProxyType

from siems.domain import strategies
from siems.domain.changing import replace
from siems.domain.deadlines import DueKind
from siems.domain.escalation import SLA_BREACH, UNACKNOWLEDGED, Cause, Policy
from siems.domain.events import ClockName, IncidentFlapping, SlaBreached, SlaWarned
from siems.domain.incident import Incident
from siems.domain.retention import DEFAULT_RETENTION, Retention
from siems.services import (
    handoffs,
    heartbeats,
    life_sign,
    paging,
    run_work,
    runs,
    self_audit,
    self_healing,
    shifts,
    silencing,
    status_updates,
    ticket_inbound,
)
from siems.services.escalations import Push, ack_timeout, escalate
from siems.services.keeping import due_of, save
from siems.services.moving import act_by_system
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
    when = due_of(uow, incident).get(kind)
    if when is not None and when > uow.now:
        uow.deadlines.set(due.object, due.kind, when, company_id=due.company_id)
    elif when is not None:
        _FIRES_OF_INCIDENTS[kind](uow, incident)


def postpone(uow: UnitOfWork, due: Due) -> None:
    """A row that cannot be fired is tried again later, so that it does not stand in the way of the others.

    One that another daemon has fired meanwhile stays gone.
    """
    if not uow.deadlines.take(due):
        return
    uow.deadlines.set(due.object, due.kind, uow.now + AGAIN_AFTER, company_id=due.company_id, payload=due.payload)


def _policy(uow: UnitOfWork, incident: Incident) -> Policy:
    return uow.policy_of(incident)


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
    """A breach is recorded for good, and advances the chain by one step where the policy says so."""
    after = replace(after, version=before.version + 1)
    save(uow, before, after)
    due = after.clocks.response_due if clock is ClockName.RESPONSE else after.clocks.resolution_due
    uow.emit(SlaBreached(after, clock, due))
    if strategies.verdict_of(SLA_BREACH, after, _policy(uow, after), uow.weights) is not None:
        escalate(uow, after, Push(cause=Cause.SLA_BREACH, reason=f"{clock.value} deadline passed"))


def _escalation(uow: UnitOfWork, incident: Incident) -> None:
    """Nobody has acknowledged within the step's wait."""
    verdict = strategies.verdict_of(UNACKNOWLEDGED, incident, _policy(uow, incident), uow.weights)
    if verdict is not None:
        escalate(uow, incident, Push(cause=Cause.UNACKNOWLEDGED, reason=verdict.reason))


def _strategy(uow: UnitOfWork, incident: Incident) -> None:
    """A strategy advances the chain by its own time, once."""
    pending = strategies.pending(incident, _policy(uow, incident), uow.weights)
    if pending is not None and pending.verdict.due_at <= uow.now:
        escalate(uow, incident, Push(cause=pending.cause, reason=pending.verdict.reason, strategy=pending.name))


def _system_act(uow: UnitOfWork, before: Incident, action: Action, *, note: str) -> None:
    after = act_by_system(uow, before, action, note)
    if after is not before:
        save(uow, before, after)


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
        DueKind.STRATEGY: _strategy,
        DueKind.ACK_TIMEOUT: ack_timeout,
        DueKind.HOLD_END: _hold_end,
        DueKind.AUTO_RESOLVE: _auto_resolve,
        DueKind.FLAP_END: _flap_end,
        DueKind.AUTO_CLOSE: _auto_close,
    }
)
"""What is derived from how an incident stands, by kind."""

_DERIVED = frozenset(_FIRES_OF_INCIDENTS)

_FIRES: Mapping[DueKind, Callable[[UnitOfWork, Due], None]] = MappingProxyType(
    {
        DueKind.HANDOFF: shifts.due,
        DueKind.HANDOFF_ACCEPT: handoffs.not_accepted,
        DueKind.HEARTBEAT: heartbeats.due,
        DueKind.PAGE: paging.due,
        DueKind.SILENCE_NOTICE: silencing.fire,
        DueKind.SILENCE_END: silencing.fire,
        DueKind.SILENCE_RELEASE: silencing.fire,
        DueKind.ALIVE: life_sign.sign,
        DueKind.GAP_FOLLOW_UP: life_sign.follow_up,
        DueKind.SELF_AUDIT: partial(self_audit.look, derived=_DERIVED),
        DueKind.REARM: partial(self_audit.rearm, derived=_DERIVED),
        DueKind.TICKET_POLL: ticket_inbound.fire,
        DueKind.STATUS_UPDATE: status_updates.fire,
        DueKind.RUN_EXPIRY: runs.expire,
        DueKind.RUN_TIMEOUT: run_work.too_long,
        DueKind.RUN_LEASE: run_work.lost,
        DueKind.SELF_HEAL: self_healing.due,
    }
)
"""Everything else that happens later."""
