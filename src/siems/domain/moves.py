"""What each action makes of an incident: one small function per action, without asking whether it is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from siems.domain import sla
from siems.domain.calendars import Calendar
from siems.domain.changing import replace
from siems.domain.escalation import DEFAULT_POLICY, Opens, Policy, Position, at_once, due_after
from siems.domain.incident import Incident
from siems.domain.permissions import Actor
from siems.vocabulary import Action, Category, HoldReason, Severity, State

UNSTATED = "unstated"
"""The cause of a breach that nobody has given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What somebody wants done, with all that the action may need."""

    action: Action
    actor: Actor
    now: datetime
    reason: str = ""
    note: str = ""
    cause: str = ""
    assignee: str | None = None
    hold_reason: HoldReason | None = None
    until: datetime | None = None
    public: bool = False
    version: int | None = None
    target: sla.Target | None = None
    calendar: Calendar | None = None
    pausing: frozenset[HoldReason] = sla.PAUSING_REASONS
    ask_cause: bool = False
    """Resolving what was breached is refused without a cause; else it is stored as unstated."""
    policy: Policy = DEFAULT_POLICY
    first: int = 0
    """The step (from 0) at which a chain that begins now begins: the first that can be taken."""
    opens: Opens = at_once
    """From a time, the next at which the company is open."""
    keeps_owner: bool = False
    """The assignee is on call, so that an alert that reopens it leaves it with them."""
    notice_delay: timedelta = timedelta(0)
    """How long notices of this act wait, so that an undo can stop them."""
    severity: Severity | None = None
    """The one to set; `target` and `calendar` are those of this severity then."""
    title: str | None = None
    category: Category | None = None


Move = Callable[[Incident, Command], Incident]


def _assign(incident: Incident, command: Command) -> Incident:
    machine = command.actor.machine
    to = command.assignee if command.action is Action.ASSIGN else command.actor.id
    state = State.IN_PROGRESS if incident.state is State.IN_PROGRESS else State.ASSIGNED
    after = replace(incident, assignee=to, assigned_at=command.now, state=state)
    if machine:
        return after
    after = replace(after, clocks=sla.respond(after.clocks, now=command.now))
    if incident.state is State.IN_PROGRESS:
        return after
    return _restart_chain(replace(after, acknowledged_at=None), command, first=0)  # on them, whoever step 1 names


def _unassign(incident: Incident, command: Command) -> Incident:
    after = replace(incident, assignee=None, assigned_at=None, acknowledged_at=None, started_at=None, state=State.OPEN)
    return _restart_chain(_end_hold(after, command), command)


def _ack(incident: Incident, command: Command) -> Incident:
    return replace(
        incident,
        acknowledged_at=incident.acknowledged_at or command.now,
        escalates_at=None,
        clocks=sla.respond(incident.clocks, now=command.now),
    )


def _start(incident: Incident, command: Command) -> Incident:
    return replace(
        incident,
        state=State.IN_PROGRESS,
        started_at=command.now,
        escalates_at=None,
        clocks=sla.respond(incident.clocks, now=command.now),
    )


def _hold(incident: Incident, command: Command) -> Incident:
    held = replace(_end_hold(incident, command), hold_reason=command.hold_reason, hold_until=command.until)
    if command.hold_reason in command.pausing:
        held = replace(held, clocks=sla.pause(held.clocks, now=command.now))
    return held


def _end_hold(incident: Incident, command: Command) -> Incident:
    """No longer waiting: the resolution clock runs again."""
    clocks = sla.unpause(incident.clocks, now=command.now, calendar=command.calendar)
    return replace(incident, hold_reason=None, hold_until=None, clocks=clocks)


def _resolve(incident: Incident, command: Command) -> Incident:
    person = not command.actor.machine
    clocks = sla.resolve(incident.clocks, now=command.now, by_person=person, calendar=command.calendar)
    unstated = UNSTATED if person and clocks.breached() else None
    return replace(
        _end_hold(incident, command),
        state=State.RESOLVED,
        resolved_at=command.now,
        resolved_by=command.actor.id,
        resolution_notes=command.note or command.reason or None,
        cause=command.cause.strip() or unstated,
        escalates_at=None,
        clocks=clocks,
    )


def _close(incident: Incident, command: Command) -> Incident:
    return replace(incident, state=State.CLOSED, closed_at=command.now)


def _reopen(incident: Incident, command: Command) -> Incident:
    by_alert = command.actor.machine
    if command.target is None:
        raise ValueError("reopening needs the target of the severity")
    after = replace(
        incident,
        closed_at=None, resolved_at=None, resolved_by=None, resolution_notes=None, cause=None, recovered_at=None,
        clocks=sla.reopen(
            incident.clocks, now=command.now, target=command.target, by_alert=by_alert, calendar=command.calendar
        ),
        reopened_at=command.now, advanced_by=(),
    )  # fmt: skip
    if not by_alert:
        if after.assignee:
            return replace(after, state=State.IN_PROGRESS)
        return _restart_chain(replace(after, state=State.OPEN, acknowledged_at=None), command)
    # nobody is on it any more, so nobody is asked whether they still are
    after = replace(
        after, state=State.OPEN, acknowledged_at=None, started_at=None, ack_due_at=None, asked_at=None
    )  # fmt: skip
    if not (command.keeps_owner and after.assignee):
        after = replace(after, assignee=None, assigned_at=None)
    return _restart_chain(after, command)


def _restart_chain(incident: Incident, command: Command, first: int | None = None) -> Incident:
    """A new cycle of the chain, from its first step that can be taken."""
    policy, step = command.policy, command.first if first is None else first
    return replace(
        incident,
        position=Position(incident.position.cycle + 1, 0, step),
        escalation_level=policy.steps[step].level,
        escalated_at=None,
        escalates_at=due_after(
            policy, policy.wait(step, incident.severity), incident.severity, now=command.now, opens=command.opens
        ),
    )


def attend(incident: Incident, command: Command) -> Incident:
    """A person has done something: whoever took it up is still on it, and the ack timeout begins again."""
    taken_up = incident.open and (incident.acknowledged_at is not None or incident.state is State.IN_PROGRESS)
    timeout = command.policy.ack_timeouts.get(incident.severity) if taken_up else None
    due = None if timeout is None else command.now + timeout
    return replace(incident, ack_due_at=due, asked_at=None)


def _severity(incident: Incident, command: Command) -> Incident:
    """A person's word on how bad it is: it stays, whatever alerts say. What got worse is due, and asked for, sooner."""
    if command.severity is None or command.target is None:
        raise ValueError("setting a severity needs it, and its target")
    if command.severity == incident.severity:
        return replace(incident, severity_pinned=True)
    raised = command.severity > incident.severity
    recount = sla.raise_severity if raised else partial(sla.lower_severity, opened=incident.created_at)
    after = replace(
        incident, severity=command.severity, severity_pinned=True,
        clocks=recount(incident.clocks, command.target, now=command.now, calendar=command.calendar),
    )  # fmt: skip
    if raised and after.on_hold:
        after = _end_hold(after, command)
    taken_up = after.acknowledged_at is not None or after.state is State.IN_PROGRESS
    if raised and not taken_up:
        wait = command.policy.wait(after.position.step, after.severity)
        sooner = due_after(command.policy, wait, after.severity, now=command.now, opens=command.opens)
        if sooner is not None:
            after = replace(after, escalates_at=min(after.escalates_at or sooner, sooner))
    return after


def _edit(incident: Incident, command: Command) -> Incident:
    title = incident.title if command.title is None else command.title.strip()
    return replace(incident, title=title, category=command.category or incident.category)


def _note(incident: Incident, command: Command) -> Incident:
    return incident


MOVES: Mapping[Action, Move] = MappingProxyType(
    {
        Action.ASSIGN: _assign,
        Action.UNASSIGN: _unassign,
        Action.ACK: _ack,
        Action.START: _start,
        Action.HOLD: _hold,
        Action.RESUME: _end_hold,
        Action.NOTE: _note,
        Action.RESOLVE: _resolve,
        Action.CLOSE: _close,
        Action.REOPEN: _reopen,
        Action.SEVERITY: _severity,
        Action.EDIT: _edit,
    }
)
"""What each action makes of the incident."""
