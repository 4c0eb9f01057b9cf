"""What may be done to an incident, by whom, and what it becomes (DOMAIN §6).

OPEN → ASSIGNED → IN_PROGRESS → RESOLVED → CLOSED. `PHASES` says for each state which actions lead on and, for
the others, what the next legal step is; `apply` takes the steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from siems.domain import sla
from siems.domain.changing import replace
from siems.domain.incident import Incident
from siems.domain.moves import MOVES, Command, attend
from siems.domain.permissions import Actor, Permission, allowed
from siems.errors import Conflict, InvalidField, StaleVersion, UsageError
from siems.vocabulary import Action, State

HOLD_AT_MOST = timedelta(days=7)
TITLE_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Phase:
    """One state: the actions it allows, and the sentence that answers each of the others."""

    state: State
    allows: frozenset[Action]
    instead: str


_OPEN_ACTIONS = {
    Action.ASSIGN, Action.START, Action.RESOLVE, Action.ESCALATE, Action.NOTE,
    Action.MERGE, Action.SPLIT, Action.SEVERITY, Action.EDIT,
}  # fmt: skip

PHASES: Mapping[State, Phase] = MappingProxyType(
    {
        State.OPEN: Phase(
            State.OPEN,
            frozenset({*_OPEN_ACTIONS, Action.ACK}),
            "take it first:  siems incident ack {ref}",
        ),
        State.ASSIGNED: Phase(
            State.ASSIGNED,
            frozenset({*_OPEN_ACTIONS, Action.ACK, Action.UNASSIGN, Action.HOLD, Action.RESUME}),
            "start it first:  siems incident start {ref}",
        ),
        State.IN_PROGRESS: Phase(
            State.IN_PROGRESS,
            frozenset({*_OPEN_ACTIONS, Action.UNASSIGN, Action.HOLD, Action.RESUME}),
            'resolve it first:  siems incident resolve {ref} --note "..."',
        ),
        State.RESOLVED: Phase(
            State.RESOLVED,
            frozenset({Action.CLOSE, Action.REOPEN, Action.NOTE}),
            'reopen it first:  siems incident reopen {ref} --reason "..."',
        ),
        State.CLOSED: Phase(
            State.CLOSED,
            frozenset({Action.REOPEN, Action.NOTE}),
            'reopen it first:  siems incident reopen {ref} --reason "..."',
        ),
    }
)

_PAST = {
    Action.ASSIGN: "assigned", Action.UNASSIGN: "unassigned", Action.ACK: "acknowledged", Action.START: "started",
    Action.HOLD: "put on hold", Action.RESUME: "resumed", Action.RESOLVE: "resolved", Action.CLOSE: "closed",
    Action.REOPEN: "reopened", Action.ESCALATE: "escalated", Action.NOTE: "noted", Action.UNDO: "undone",
    Action.MERGE: "merged", Action.SPLIT: "split", Action.SEVERITY: "given another severity", Action.EDIT: "edited",
}  # fmt: skip

EVENT_NAMES = {
    Action.ASSIGN: "incident.assigned", Action.UNASSIGN: "incident.unassigned", Action.ACK: "incident.acknowledged",
    Action.START: "incident.started", Action.HOLD: "incident.held", Action.RESUME: "incident.resumed",
    Action.NOTE: "incident.noted", Action.RESOLVE: "incident.resolved", Action.CLOSE: "incident.closed",
    Action.REOPEN: "incident.reopened", Action.ESCALATE: "incident.escalated", Action.UNDO: "incident.undone",
    Action.SEVERITY: "incident.severity_set", Action.EDIT: "incident.edited",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """One step that was taken: each is audited and shown by itself."""

    action: Action
    before: Incident
    after: Incident


@dataclass(frozen=True, slots=True)
class Outcome:
    incident: Incident
    steps: tuple[Taken, ...] = field(default=())

    @property
    def changed(self) -> bool:
        return bool(self.steps)


def check(incident: Incident, command: Command) -> None:
    """Raise what stands in the way: Conflict naming the next legal step, StaleVersion, UsageError."""
    _fresh(incident, command)
    _legal(incident, command)


def apply(incident: Incident, command: Command) -> Outcome:
    """Do it, with the steps it implies. Raises what `check` raises; escalating is `escalation.advance`."""
    _fresh(incident, command)
    if _already(incident, command):
        return Outcome(incident)
    _legal(incident, command)
    steps: list[Taken] = []
    for action in _implied(incident, command):
        before = incident
        after = MOVES[action](before, command)
        if not command.actor.machine or action is Action.RESUME:
            after = attend(after, command)
        version = before.version if action is Action.NOTE else before.version + 1
        after = replace(after, version=version, touched=after.touched or not command.actor.machine)
        steps.append(Taken(action, before, after))
        incident = after
    return Outcome(incident, tuple(steps))


def available(incident: Incident, actor: Actor) -> tuple[Action, ...]:
    """The actions this reader may take now, so that no console copies the table."""
    allows = _allows(incident) if incident.merged_into is None else {Action.NOTE}
    mine = incident.assignee == actor.id
    gives_away = allowed(actor, Permission.ASSIGN_OTHERS, incident.company_id)
    out: list[Action] = []
    for action in Action:
        if action not in allows or not _permitted(action, incident, actor):
            continue
        if action is Action.ASSIGN and mine and _taken_up(incident) and not gives_away:
            continue
        if action is Action.START and incident.state is State.IN_PROGRESS:
            continue
        if action is Action.ACK and incident.acknowledged_at is not None and incident.asked_at is None:
            continue
        if action is Action.HOLD and not _taken_up(incident):
            continue
        if action is Action.RESUME and not incident.on_hold:
            continue
        if action is Action.SPLIT and incident.alert_count < 2:
            continue
        out.append(action)
    return tuple(out)


def _allows(incident: Incident) -> Set[Action]:
    """What its state allows; who is asked whether they are still on it may always answer with an ack."""
    allows = PHASES[incident.state].allows
    return allows | {Action.ACK} if incident.open and incident.asked_at is not None else allows


def permission_for(action: Action, *, actor: Actor, assignee: str | None = None) -> Permission:
    """The row of the permission table that an action stands in."""
    match action:
        case Action.CLOSE:
            return Permission.CLOSE
        case Action.SEVERITY:
            return Permission.SEVERITY
        case Action.ASSIGN if assignee is not None and assignee != actor.id:
            return Permission.ASSIGN_OTHERS
        case Action.NOTE:
            return Permission.CREATE_INCIDENT
        case _:
            return Permission.WORK


def _permitted(action: Action, incident: Incident, actor: Actor) -> bool:
    return allowed(actor, permission_for(action, actor=actor), incident.company_id)


def _fresh(incident: Incident, command: Command) -> None:
    if command.version is not None and command.version != incident.version:
        raise StaleVersion(
            f"{incident.ref} is at version {incident.version}, you saw {command.version}: it changed meanwhile",
            hint=f"look again:  siems incident show {incident.ref}",
        )


def _taken_up(incident: Incident) -> bool:
    """Somebody is on it: acknowledged, or in progress (a person may reopen what was never acknowledged)."""
    return incident.acknowledged_at is not None or incident.state is State.IN_PROGRESS


def _already(incident: Incident, command: Command) -> bool:
    """Doing what is already done is success that changes nothing."""
    if incident.merged_into is not None:
        return False
    match command.action:
        case Action.ACK:
            return incident.open and _taken_up(incident) and incident.asked_at is None
        case Action.START:
            return incident.state is State.IN_PROGRESS
        case Action.ASSIGN:
            return _assigned_already(incident, command)
        case Action.UNASSIGN:
            return incident.state is State.OPEN and incident.assignee is None
        case Action.HOLD:
            return (
                incident.on_hold
                and incident.hold_reason == command.hold_reason
                and incident.hold_until == command.until
            )
        case Action.RESUME:
            return incident.open and not incident.on_hold
        case Action.RESOLVE:
            return incident.state is State.RESOLVED
        case Action.CLOSE:
            return incident.state is State.CLOSED
        case Action.REOPEN:
            return incident.open
        case Action.SEVERITY:
            return incident.open and incident.severity_pinned and incident.severity == command.severity
        case Action.EDIT:
            return incident.open and _says(incident, command)
        case _:
            return False


def _says(incident: Incident, command: Command) -> bool:
    """Whether it has this title and this category already."""
    if command.title is None and command.category is None:
        return False
    same = command.title is None or command.title.strip() == incident.title
    return same and command.category in (None, incident.category)


def _assigned_already(incident: Incident, command: Command) -> bool:
    """It is theirs; but who takes what was given to them and not yet seen, acknowledges it."""
    if not incident.open or incident.state is State.OPEN or incident.assignee != command.assignee:
        return False
    takes = command.assignee == command.actor.id and not command.actor.machine
    return not takes or _taken_up(incident)


def _legal(incident: Incident, command: Command) -> None:
    action = command.action
    if incident.merged_into is not None and action is not Action.NOTE:
        raise Conflict(
            f"{incident.ref} was folded into INC-{incident.merged_into}, it cannot be {_PAST[action]}",
            hint=f"work on the survivor:  siems incident show INC-{incident.merged_into}",
        )
    phase = PHASES[incident.state]
    if action not in _allows(incident):
        raise Conflict(
            f"{incident.ref} is {incident.state.value}, it cannot be {_PAST[action]}",
            hint=phase.instead.format(ref=incident.ref),
        )
    if action is Action.HOLD and not _taken_up(incident):
        raise Conflict(
            f"{incident.ref} is not acknowledged, it cannot be put on hold",
            hint=f"acknowledge it first:  siems incident ack {incident.ref}",
        )
    _complete(incident, command)


def _late(incident: Incident, now: datetime) -> bool:
    """Whether resolving it now leaves a breach behind."""
    return sla.resolve(incident.clocks, now=now, by_person=True).breached()


def _complete(incident: Incident, command: Command) -> None:
    """What an action needs to be told, or UsageError naming the flag."""
    action, person = command.action, not command.actor.machine
    if action is Action.RESOLVE and person and not command.note.strip():
        raise UsageError("resolving needs a note that says what was done", hint='add  --note "..."')
    if action is Action.RESOLVE and command.ask_cause and not command.cause.strip() and _late(incident, command.now):
        raise UsageError(f"{incident.ref} has missed a deadline: what was the cause?", hint='add  --cause "..."')
    if action in (Action.REOPEN, Action.ESCALATE) and person and not command.reason.strip():
        raise UsageError(f"{action.value} needs a reason", hint='add  --reason "..."')
    if action is Action.NOTE and not command.note.strip():
        raise UsageError("the note is empty", hint="write the text after the id, or pipe it in with -")
    if action is Action.ASSIGN and not command.assignee:
        raise UsageError("assign to whom?", hint="add  --to NAME  or  --to @me")
    if action is Action.SEVERITY:
        if command.severity is None:
            raise UsageError("which severity?", hint="LOW, MEDIUM, HIGH or CRITICAL")
        if person and not command.reason.strip():
            raise UsageError("a severity set by hand needs a reason", hint='add  --reason "..."')
    if action is Action.EDIT:
        if command.title is None and command.category is None:
            raise UsageError("what shall be changed?", hint="add  --title or --category")
        if command.title is not None and not 0 < len(command.title.strip()) <= TITLE_AT_MOST:
            raise InvalidField(f"a title has 1 to {TITLE_AT_MOST} characters", hint='--title "VPN down"')
    if action is Action.HOLD:
        if command.hold_reason is None:
            raise UsageError("hold needs what it waits for", hint="add  --for client|vendor|parts|scheduled")
        if command.until is None:
            raise UsageError("hold needs an end", hint="add  --until 4h  or  --until 'tomorrow 9am'")
        if not command.now < command.until <= command.now + HOLD_AT_MOST:
            raise InvalidField("a hold ends in the future, at most 7 days from now", hint="add  --until 3d")


def _implied(incident: Incident, command: Command) -> tuple[Action, ...]:
    """The steps that an action takes, the missing ones first."""
    me, action = command.actor.id, command.action
    match action:
        case Action.ASSIGN if command.assignee == me and not command.actor.machine:
            if incident.assignee == me and incident.state is State.ASSIGNED:
                return (Action.ACK,)
            return (action,) if incident.state is State.IN_PROGRESS else (action, Action.ACK)
        case Action.ACK if incident.assignee is None:
            return (Action.ASSIGN, action)
        case Action.START:
            take = () if incident.assignee == me else (Action.ASSIGN,)
            ack = () if incident.acknowledged_at is not None and not take else (Action.ACK,)
            return (*take, *ack, action)
        case Action.RESOLVE if not command.actor.machine and incident.state is not State.IN_PROGRESS:
            take = () if incident.assignee else (Action.ASSIGN,)
            ack = () if incident.acknowledged_at is not None else (Action.ACK,)
            return (*take, *ack, Action.START, action)
        case _:
            return (action,)
