"""What heals by itself: which incident is tried, and what follows from how the run ended (DOMAIN §11)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from siems.domain import events as e
from siems.domain.alert import Alert
from siems.domain.deadlines import DueKind
from siems.domain.incident import Incident
from siems.domain.lifecycle import apply
from siems.domain.matchers import holds
from siems.domain.moves import Command
from siems.domain.permissions import SYSTEM
from siems.domain.run import Run, RunState, RunTurn
from siems.domain.self_heal import DAY, HealRule, Past, refusal
from siems.errors import Conflict, SiemsError
from siems.services import runbooks
from siems.services.escalation_notices import step_of
from siems.services.keeping import save
from siems.services.moving import in_force
from siems.services.run_planning import prepare
from siems.services.runs import made, roll_back
from siems.services.staffing import recipients
from siems.services.telling import page
from siems.storage import tables as t
from siems.storage.repositories.deadlines import Due
from siems.storage.repositories.runs import rule_of
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, Risk
from siems.wire import RunAsk

CAUSE = "self-healed"
"""The cause of an incident that siems has resolved by a runbook of its own accord."""
LOOK_BACK = timedelta(days=30)


# --- an incident opens -----------------------------------------------------------------------------------------


def incident_opened(uow: UnitOfWork, event: e.IncidentOpened) -> None:
    """Look at it again in a moment, where something may heal it. Asks memory only: an alert has brought this."""
    incident = event.incident
    rules = _matching(uow, incident)
    if rules:
        at = uow.now + min(rule.wait for rule in rules)
        uow.deadlines.set(incident.ref, DueKind.SELF_HEAL.value, at, company_id=incident.company_id)


def _matching(uow: UnitOfWork, incident: Incident) -> list[HealRule]:
    company = uow.company(incident.company_id)
    if not company.heals:
        return []
    alerts = uow.alerts.active_of(company, incident.id)
    return [rule for rule in company.heals.values() if any(_matches(rule, alert) for alert in alerts)]


def _matches(rule: HealRule, alert: Alert) -> bool:
    return all(holds(matcher, alert) for matcher in rule.matchers)


def due(uow: UnitOfWork, row: Due) -> None:
    """Try the first rule that may: nobody is on it, and nothing speaks against it."""
    incident = uow.incidents.find(row.company_id, int(row.object.removeprefix("INC-")))
    if incident is None or not incident.open or incident.merged_into is not None:
        return
    if incident.acknowledged_at is not None or incident.started_at is not None:
        return  # somebody is on it
    for rule in _matching(uow, incident):
        why = _try(uow, incident, rule)
        if not why:
            return
        text = f"self-healing by {rule.runbook} was not tried: {why}"
        uow.timeline.add(incident.company_id, incident.id, "run", text, actor=SYSTEM)
        uow.emit(
            e.Recorded(
                type="self_heal.refused", actor=SYSTEM, company_id=incident.company_id, object=incident.ref,
                reason=why, details={"runbook": rule.runbook},
            )
        )  # fmt: skip


def _try(uow: UnitOfWork, incident: Incident, rule: HealRule) -> str:
    """Begin a run; why not, where it may not."""
    company = uow.company(incident.company_id)
    alerts = [a for a in uow.alerts.active_of(company, incident.id) if _matches(rule, a)]
    hosts = sorted({alert.asset_name for alert in alerts})
    try:
        found = runbooks.find(uow.connection, company.id, rule.runbook)
        risk = rule_of(uow.connection, company.id).counts_as(found.effective_risk)
        if risk is not Risk.LOW or not found.approved:
            return f"it counts as {risk.value} risk"
        if found.runbook.digest != rule.digest:
            return "it was changed since it was allowed to"
        if why := refusal(rule, hosts, _past(uow, rule), uow.now):
            return why
        ask = RunAsk(runbook=rule.runbook, hosts=hosts, values=dict(rule.values), executor=rule.executor)
        # whether the daemon's own machine may be used is decided where it would be used
        planned = prepare(uow, SYSTEM, company.id, incident.id, ask, local=True)
    except SiemsError as why_not:
        return why_not.message
    made(uow, SYSTEM, company.id, incident.id, planned, f"self-healing of {incident.ref}", None, heals=True)
    return ""


def _past(uow: UnitOfWork, rule: HealRule) -> list[Past]:
    """When and where it has healed lately."""
    r, h = t.run.c, t.run_host.c
    since = uow.now - max(LOOK_BACK, DAY, rule.cool_down)
    rows = uow.connection.execute(
        select(r.id, r.requested_at, h.host)
        .select_from(t.run.join(t.run_host, h.run_id == r.id))
        .where(
            r.company_id == rule.company_id, r.runbook == rule.runbook, r.heals.is_(True),
            r.rollback_of.is_(None), r.requested_at >= since,
        )
    )  # fmt: skip
    hosts: dict[int, set[str]] = {}
    when = {}
    for number, at, host in rows:
        hosts.setdefault(number, set()).add(host)
        when[number] = at
    return [Past(when[number], frozenset(found)) for number, found in hosts.items()]


# --- a run has ended -------------------------------------------------------------------------------------------


def run_moved(uow: UnitOfWork, event: e.RunMoved) -> None:
    """Verified: the incident is resolved. Failed: back to what was, and somebody is called."""
    run = event.run
    if event.turn is not RunTurn.FINISHED or not run.heals or run.incident_id is None or run.rollback_of is not None:
        return
    incident = uow.incidents.find(run.company_id, run.incident_id)
    if incident is None or not incident.open:
        return
    if run.state is RunState.SUCCEEDED and run.verified:
        _healed(uow, incident, run)
    elif run.state is RunState.SUCCEEDED:
        _call(uow, incident, run, "it has no verify step that says whether it is well")
    else:
        _call(uow, incident, run, _back(uow, run) or "nothing is to be rolled back")


def _healed(uow: UnitOfWork, incident: Incident, run: Run) -> None:
    rule = uow.company(run.company_id).heals.get(run.runbook.name)
    alerts = uow.alerts.active_of(uow.company(run.company_id), incident.id)
    others = [a.signature for a in alerts if rule is not None and not _matches(rule, a)]
    if others:
        text = f"{run.ref} has healed its part; still active: {', '.join(sorted(set(others))[:5])}"
        uow.timeline.add(run.company_id, incident.id, "run", text, actor=SYSTEM)
        return
    note = f"self-healed by {run.ref} {run.runbook.name}, verified: {run.detail}"
    command = Command(
        action=Action.RESOLVE, actor=SYSTEM, now=uow.now, reason=note, note=note, cause=CAUSE, **in_force(uow, incident)
    )
    outcome = apply(incident, command)
    uow.emit(*(e.IncidentActed(step, command) for step in outcome.steps))
    save(uow, incident, outcome.incident)


def _back(uow: UnitOfWork, run: Run) -> str:
    """Begin the rollback; what to say of it."""
    try:
        back = roll_back(uow, SYSTEM, run.company_id, run.id, f"{run.ref} has failed")
    except Conflict:
        return ""
    return f"{back.ref} rolls it back"


def _call(uow: UnitOfWork, incident: Incident, run: Run, more: str) -> None:
    subject = f"self-healing of {incident.ref} did not succeed ({run.ref} {run.detail}; {more}): {incident.title}"
    people = {p.id for p in recipients(uow, incident, step_of(uow, incident))} | {incident.assignee or ""}
    page(uow, "run.heal_failed", incident, subject, people, unacknowledged=True, again=f":{run.ref}")
    uow.timeline.add(run.company_id, incident.id, "run", f"self-healing did not succeed: {more}", actor=SYSTEM)
