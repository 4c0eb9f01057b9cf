"""Looking up escalation policies, and trying one on an incident that is only pretended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from siems.clock import within_reason
from siems.domain import sla, strategies
from siems.domain.changing import replace
from siems.domain.escalation import SLA_BREACH, Cause, Policy, Position, Step, advance, due_after, first_step
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM, Actor, Permission, require, require_role
from siems.domain.policies import NamedPolicy, document_of, hook_hint
from siems.errors import InvalidField
from siems.services.escalations import opening
from siems.services.policy_lookup import find_policy, sees
from siems.services.staffing import named as person_named
from siems.services.staffing import obstacles, reach
from siems.storage.repositories import policies as rows
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Category, Severity, State
from siems.wire import PolicyTrial, PolicyTrialAsk, PolicyView, TrialStep

LONGEST_TRIAL = 200


def list_policies(connection: Connection, actor: Actor, company_id: str | None) -> list[PolicyView]:
    """Those of the MSP, and those of the companies in the reader's scope; or what one company may use."""
    require_role(actor, Permission.COMPANY_SETTINGS)
    users = rows.users_of(connection)
    return [
        _view(named, users, actor) for named in rows.all_policies(connection)
        if sees(actor, named) and (company_id is None or named.company_id in (MSP, company_id))
    ]  # fmt: skip


def readable(connection: Connection, ref: str, actor: Actor) -> NamedPolicy:
    """A policy that this reader may look at. Raises NotFound, Forbidden."""
    named = find_policy(connection, ref, actor)
    if named.company_id == MSP:
        require_role(actor, Permission.COMPANY_SETTINGS)
    else:
        require(actor, Permission.COMPANY_SETTINGS, named.company_id, what=ref)
    return named


def show_policy(connection: Connection, ref: str, actor: Actor) -> PolicyView:
    return _view(readable(connection, ref, actor), rows.users_of(connection), actor)


def view(connection: Connection, named: NamedPolicy, actor: Actor) -> PolicyView:
    return _view(named, rows.users_of(connection), actor)


def _view(named: NamedPolicy, users: dict[str, list[str]], actor: Actor) -> PolicyView:
    return PolicyView(
        id=named.id, company_id=named.company_id, name=named.name, version=named.version,
        changed_at=named.changed_at, policy=document_of(named.policy),
        companies=[company for company in users.get(named.id, []) if company != MSP and actor.sees(company)],
    )  # fmt: skip


# --- trying it -------------------------------------------------------------------------------------------------


@dataclass
class _Trial:
    """An incident that is only pretended, as time passes and nobody does anything."""

    uow: UnitOfWork
    policy: Policy
    incident: Incident
    warns: bool = False
    """Whether warnings of deadlines are shown too."""
    over: bool = False
    lines: list[TrialStep] = field(default_factory=list)


def trial_company(connection: Connection, named: NamedPolicy, actor: Actor) -> str:
    """Where to try a policy when nobody says: with its owner, else with the first company that uses it."""
    if named.company_id != MSP:
        return named.company_id
    users = [c for c in rows.users_of(connection).get(named.id, []) if c != MSP and actor.sees(c)]
    if users:
        return users[0]
    if actor.sees(MSP):
        return MSP
    raise InvalidField("for which company?", hint="--company acme")


def trial(
    uow: UnitOfWork, actor: Actor, policy_id: str, company_id: str, ask: PolicyTrialAsk, *, allowed: bool = False,
    warns: bool = False,
) -> PolicyTrial:  # fmt: skip
    """Who would be paged, when and why not: as it would go if nobody did anything. It changes nothing.

    `allowed`: whoever asks may know it of this company, though not change its settings. `warns`: with the warnings of
    its deadlines, which page whoever the chain has reached.
    """
    if not allowed:
        require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    named = find_policy(uow.connection, policy_id, SYSTEM if allowed else actor)
    return walk(uow, named, company_id, ask, warns=warns)


def walk(
    uow: UnitOfWork, named: NamedPolicy, company_id: str, ask: PolicyTrialAsk, *, warns: bool = False
) -> PolicyTrial:
    """The trial itself, of a policy that need not be kept anywhere. Raises InvalidField."""
    if ask.at is not None and ask.at.tzinfo is None:
        raise InvalidField("at has no time zone", hint="write it like 2026-03-10T14:00:00Z")
    severity = Severity.__members__.get(ask.severity.upper())
    if severity is None:
        raise InvalidField(f"{ask.severity[:40]!r} is no severity", hint="LOW, MEDIUM, HIGH or CRITICAL")
    at = within_reason(ask.at) if ask.at else uow.now
    incident = pretended(uow, company_id, severity, at, ask.assignee)
    run = _Trial(uow, named.policy, incident, warns)
    _begin(run, at)
    while len(run.lines) < LONGEST_TRIAL and _next(run):
        pass
    return PolicyTrial(
        id=named.id, policy_id=named.id, name=named.name, company_id=company_id, severity=severity.name, opened_at=at,
        steps=run.lines,
    )  # fmt: skip


def pretended(
    uow: UnitOfWork, company_id: str, severity: Severity, at: datetime, assignee: str = ""
) -> Incident:  # fmt: skip
    """An incident as it would be if it opened at a time; it is kept nowhere."""
    terms = uow.company(company_id).settings.terms
    person = person_named(uow, assignee) if assignee else None
    if assignee and (person is None or not person.covers(company_id)):
        raise InvalidField(f"there is no user {assignee[:64]!r} who works for {company_id}", hint="siems user list")
    return Incident(
        id=0, company_id=company_id, title="a pretended incident", severity=severity,
        state=State.ASSIGNED if person else State.OPEN, category=Category.OTHER, rule="", signature="", created_at=at,
        last_alert_at=at, sla_snapshot="", policy_snapshot="",
        clocks=sla.begin(terms[severity], now=at, calendar=terms.calendar_for(severity)),
        assignee=person.id if person else None, alert_count=1, active_count=1,
    )  # fmt: skip


def _begin(run: _Trial, at: datetime) -> None:
    found = obstacles(run.uow, run.incident, run.policy, at)
    index = first_step(run.policy, found)
    _skips(run, at, [i for i in sorted(found) if index is None or i < index], found)
    if index is None:
        text = "NOBODY would be paged: no step has anybody behind it; all admins are told"
        run.over = True
        run.lines.append(TrialStep(at=at, kind="end", text=text))
        return
    _take(run, at, run.policy.steps[index], Position(1, 0, index), run.policy.wait(index, run.incident.severity), "")


def _skips(run: _Trial, at: datetime, indices: list[int], found: dict[int, str]) -> None:
    for i in indices:
        step = run.policy.steps[i]
        targets = [target.label() for target in step.targets]
        text = f"skipped: level {step.level} {found[i]}"
        run.lines.append(TrialStep(at=at, kind="skip", level=step.level, text=text, targets=targets))


def _take(run: _Trial, at: datetime, step: Step, position: Position, wait: timedelta | None, why: str) -> None:
    """Page whom the step reaches at that time, and wait."""
    reached = reach(run.uow, run.incident, step, at)
    run.lines.append(
        TrialStep(
            at=at, kind="page", level=step.level, round=position.round, text=why, important=step.important,
            targets=[target.label() for target in step.targets], people=[p.name for p in reached.paged],
            inbox=[p.name for p in reached.told], webhooks=[hook_hint(name) for name in reached.webhooks],
        )
    )  # fmt: skip
    due = due_after(
        run.policy, wait, run.incident.severity, now=at,
        opens=opening(run.uow, run.incident.company_id),
    )  # fmt: skip
    run.incident = replace(
        run.incident,
        position=position,
        escalates_at=due,
        escalation_level=max(run.incident.escalation_level, step.level),
    )


def _next(run: _Trial) -> bool:
    """What happens next by itself; False when nothing does any more."""
    warning = _warning(run)
    found = [] if run.over else _coming(run)
    if warning is not None and (not found or warning[0] < min(found)[0]):
        _warn(run, *warning)
        return True
    if not found or not run.lines:
        return False
    at, _, cause, name, why = min(found)
    incident = run.incident
    if cause is Cause.SLA_BREACH:
        run.incident = replace(incident, clocks=replace(incident.clocks, **{f"{name}_breached_at": at}))
        if SLA_BREACH not in run.policy.strategies:
            run.lines.append(TrialStep(at=at, kind="breach", text=f"{why}; this policy does not escalate for it"))
            return True
    elif cause is not Cause.UNACKNOWLEDGED:
        run.incident = replace(incident, advanced_by=(*incident.advanced_by, name))
    _advance(run, at, cause, why)
    return True


def _coming(run: _Trial) -> list[tuple[datetime, int, Cause, str, str]]:
    """What may advance the chain: when, in which order of one instant (that of due rows), by what, and why."""
    incident, clocks = run.incident, run.incident.clocks
    found: list[tuple[datetime, int, Cause, str, str]] = []
    if incident.escalates_at is not None:
        found.append((incident.escalates_at, 0, Cause.UNACKNOWLEDGED, "", "not acknowledged"))
    waiting = strategies.pending(incident, run.policy, run.uow.weights)
    if waiting is not None:
        found.append((waiting.verdict.due_at, 3, waiting.cause, waiting.name, waiting.verdict.reason))
    if clocks.response_breached_at is None:
        found.append((clocks.response_due, 2, Cause.SLA_BREACH, "response", "response deadline passed"))
    if clocks.resolution_breached_at is None:
        found.append((clocks.resolution_due, 1, Cause.SLA_BREACH, "resolution", "resolution deadline passed"))
    return found


def _warning(run: _Trial) -> tuple[datetime, str] | None:
    """The next warning of a deadline: when, and of which."""
    if not run.warns:
        return None
    incident, clocks = run.incident, run.incident.clocks
    terms = run.uow.company(incident.company_id).settings.terms
    response, resolution = sla.warnings_due(clocks, terms[incident.severity], terms.calendar_for(incident.severity))
    found = []
    if clocks.response_warned_at is None and clocks.response_breached_at is None:
        found.append((response, "response"))
    if clocks.resolution_warned_at is None and clocks.resolution_breached_at is None:
        found.append((resolution, "resolution"))
    return min(found, default=None)


def _warn(run: _Trial, at: datetime, clock: str) -> None:
    """Whoever the chain has reached is paged again, whatever the severity."""
    clocks = replace(run.incident.clocks, **{f"{clock}_warned_at": at})
    step = run.policy.steps[run.incident.position.step]
    run.lines.append(
        TrialStep(
            at=at, kind="warning", level=step.level, text=f"the {clock} deadline is near",
            targets=[target.label() for target in step.targets],
            people=[p.name for p in reach(run.uow, run.incident, step, at).paged],
        )
    )  # fmt: skip
    run.incident = replace(run.incident, clocks=clocks)


def _advance(run: _Trial, at: datetime, cause: Cause, why: str) -> None:
    found = obstacles(run.uow, run.incident, run.policy, at)
    staffed = {i: i not in found for i in range(len(run.policy.steps))}
    decision = advance(
        run.policy, run.incident.position, level=run.incident.escalation_level, severity=run.incident.severity,
        cause=cause, staffed=staffed,
    )  # fmt: skip
    if decision is None:
        run.incident = replace(run.incident, escalates_at=None)
        _skips(run, at, sorted(found), found)
        run.over = True
        run.lines.append(TrialStep(at=at, kind="end", text="the chain is used up: nobody further is paged"))
        return
    _skips(run, at, [level - 1 for level in decision.skipped if level - 1 in found], found)
    _take(run, at, decision.step, decision.position, decision.wait, why)
