"""Escalating: the chain goes on, somebody else owns it, and everybody concerned hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from siems.domain.calendars import next_open
from siems.domain.changing import replace
from siems.domain.escalation import (
    ANSWER_WITHIN,
    Cause,
    Decision,
    Opens,
    Policy,
    Position,
    Step,
    StepTarget,
    TargetKind,
    advance,
    due_after,
    first_step,
)
from siems.domain.events import AckAsked, AckLapsed, ChainEnded, IncidentEscalated, StepsSkipped
from siems.domain.incident import Incident
from siems.domain.moves import Command, attend
from siems.domain.permissions import SYSTEM, Actor
from siems.services.keeping import save
from siems.services.oncall import on_call
from siems.services.staffing import Reached, least_loaded, obstacles, reach
from siems.storage.memory import Person
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, State


def opens_at(uow: UnitOfWork, company_id: str, instant: datetime) -> datetime:
    """From an instant on, when the company is open: itself while it is. Companies without hours are always open."""
    return next_open(uow.company(company_id).settings.terms.calendar, instant)


def opening(uow: UnitOfWork, company_id: str) -> Opens:
    """`opens_at` of one company."""
    return partial(opens_at, uow, company_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Why the chain goes on, and how far: by one step, to a level, or to a person."""

    cause: Cause
    actor: Actor = SYSTEM
    reason: str
    to_level: int | None = None
    to: Person | None = None
    anyway: bool = False
    """Take a step although its condition is not met."""
    strategy: str = ""
    """The strategy by whose own time it goes on; it does so once."""


def escalate(uow: UnitOfWork, before: Incident, push: Push) -> Incident:
    """Advance the chain by one step (or to a level or person) and return the incident as it is then."""
    policy = uow.policy_of(before)
    decision, blocked = _decide(uow, before, policy, push)
    if decision is None:
        return _end(uow, before, policy, push, nobody=len(blocked) == len(policy.steps))
    reached = Reached((push.to,)) if push.to is not None else reach(uow, before, decision.step)
    owner = _new_owner(uow, before, policy, decision.step, reached, push)
    # an ack stops the steps that wait for one, for the rest of this cycle
    wait = decision.wait if before.acknowledged_at is None else None
    after = replace(
        before,
        position=decision.position,
        escalation_level=decision.level,
        escalated_at=uow.now,
        escalates_at=due_after(policy, wait, before.severity, now=uow.now, opens=opening(uow, before.company_id)),
        assignee=owner,
        assigned_at=uow.now if owner != before.assignee else before.assigned_at,
        state=State.ASSIGNED if before.state is State.OPEN and owner else before.state,
        advanced_by=_advanced_by(before, push),
        escalations=before.escalations + 1,
        version=before.version + 1,
    )
    if not push.actor.machine:
        after = attend(after, Command(action=Action.ESCALATE, actor=push.actor, now=uow.now, policy=policy))
    save(uow, before, after)
    skips = tuple(f"level {level} {blocked[level]}" for level in decision.skipped if level in blocked)
    uow.emit(
        IncidentEscalated(
            before, after, decision, push.cause, push.actor, push.reason, tuple(p.id for p in reached.paged), uow.now,
            told=tuple(p.id for p in reached.told), webhooks=reached.webhooks, skips=skips,
        )
    )  # fmt: skip
    return after


def _decide(
    uow: UnitOfWork, before: Incident, policy: Policy, push: Push
) -> tuple[Decision | None, dict[int, str]]:  # fmt: skip
    """(the step to take, why each level that cannot be taken cannot)."""
    found = obstacles(uow, before, policy)
    if push.anyway:
        found = {i: why for i, why in found.items() if not reach(uow, before, policy.steps[i])}
    staffed = {i: i not in found for i in range(len(policy.steps))}
    level = push.to_level
    if push.to is not None:
        staffed = dict.fromkeys(staffed, True)  # that person is there
        level = _level_of(uow, before, policy, push.to)
    decision = advance(
        policy, before.position, level=before.escalation_level, severity=before.severity, cause=push.cause,
        staffed=staffed, to_level=level,
    )  # fmt: skip
    return decision, {policy.steps[i].level: why for i, why in found.items()}


def _level_of(uow: UnitOfWork, incident: Incident, policy: Policy, person: Person) -> int | None:
    """The next level that pages this person, from where the chain is; None: as if nobody was named."""
    ahead = policy.steps[incident.position.step + 1 :]
    return next((s.level for s in ahead if person in reach(uow, incident, s).paged), None)


def _new_owner(
    uow: UnitOfWork, before: Incident, policy: Policy, step: Step, reached: Reached, push: Push
) -> str | None:  # fmt: skip
    if push.to is not None:
        return push.to.id
    if not policy.reassign or all(target.kind is TargetKind.OWNER for target in step.targets):
        return before.assignee
    chosen = least_loaded(uow, before.company_id, list(reached.paged))
    return chosen.id if chosen is not None else before.assignee


def _advanced_by(before: Incident, push: Push) -> tuple[str, ...]:
    return (*before.advanced_by, push.strategy) if push.strategy else before.advanced_by


def _end(uow: UnitOfWork, before: Incident, policy: Policy, push: Push, *, nobody: bool) -> Incident:
    """There is no next step: the chain is used up, or nobody is behind any of its steps."""
    after = replace(before, escalates_at=None, advanced_by=_advanced_by(before, push), version=before.version + 1)
    save(uow, before, after)
    uow.emit(ChainEnded(after, uow.now, nobody))
    return after


# --- where a chain begins --------------------------------------------------------------------------------------


def begin(uow: UnitOfWork, incident: Incident, policy: Policy) -> tuple[int, tuple[str, ...], bool]:
    """(the step from 0 at which its chain begins, why the steps before it are skipped, whether nobody is there)."""
    first = policy.steps[0]
    if first.condition is None and any(t.kind is TargetKind.OWNER for t in first.targets) and uow.people():
        return 0, (), False  # somebody is there whenever anybody is
    found = obstacles(uow, incident, policy)
    index = first_step(policy, found)
    skips = tuple(f"level {policy.steps[i].level} {why}" for i, why in found.items() if index is None or i < index)
    return index or 0, skips, index is None


def opened_on_chain(uow: UnitOfWork, incident: Incident, policy: Policy) -> Incident:
    """A new incident at the step at which its chain begins; says what was skipped."""
    index, skips, nobody = begin(uow, incident, policy)
    wait = None if nobody else policy.wait(index, incident.severity)
    incident = replace(
        incident, position=Position(1, 0, index), escalation_level=policy.steps[index].level,
        escalates_at=due_after(
            policy, wait, incident.severity, now=uow.now, opens=opening(uow, incident.company_id)
        ),
    )  # fmt: skip
    tell_of_start(uow, incident, skips, nobody=nobody)
    return incident


def tell_of_start(uow: UnitOfWork, incident: Incident, skips: Iterable[str], *, nobody: bool) -> None:
    if nobody:
        uow.emit(ChainEnded(incident, uow.now, True))
    elif skips:
        uow.emit(StepsSkipped(incident, tuple(skips)))


# --- still on it? ----------------------------------------------------------------------------------------------

_CALLED_BACK = Step(0, (StepTarget(TargetKind.OWNER), StepTarget(TargetKind.ONCALL)))
"""Whom a chain pages that goes on since nobody answered."""


def ack_timeout(uow: UnitOfWork, before: Incident) -> None:
    """Nobody has done anything for long: the owner is asked; without an answer the chain resumes."""
    if not before.open or before.on_hold or before.ack_due_at is None:
        return
    if before.asked_at is None and before.assignee is not None:
        after = replace(before, asked_at=uow.now, ack_due_at=uow.now + ANSWER_WITHIN)
        save(uow, before, after)
        uow.emit(AckAsked(after, uow.now + ANSWER_WITHIN))
        return
    _resume_chain(uow, before)


def _resume_chain(uow: UnitOfWork, before: Incident) -> None:
    """A new cycle at owner and on-call, as if nobody had acknowledged; the level stays where it was."""
    policy = uow.policy_of(before)
    reached = reach(uow, before, _CALLED_BACK)
    wait = policy.wait(0, before.severity)
    after = replace(
        before,
        state=State.ASSIGNED if before.assignee else State.OPEN,
        acknowledged_at=None,
        started_at=None,
        asked_at=None,
        ack_due_at=None,
        position=Position(before.position.cycle + 1),
        escalated_at=uow.now,
        escalates_at=due_after(policy, wait, before.severity, now=uow.now, opens=opening(uow, before.company_id)),
        version=before.version + 1,
    )
    save(uow, before, after)
    told = tuple(p.id for p in reached.told)
    uow.emit(AckLapsed(before, after, tuple(p.id for p in reached.paged), told, uow.now))


def keeps_owner(uow: UnitOfWork, incident: Incident) -> bool:
    """Whether an alert that reopens an incident leaves it with its assignee: only while they are on call."""
    return incident.assignee is not None and any(p.id == incident.assignee for p in on_call(uow, incident.company_id))
