"""An alert finds its incident: it opens one, joins one, reopens one, and folds others into one."""

from __future__ import annotations

from datetime import datetime, timedelta

from siems.domain import sla
from siems.domain.alert import Alert, category_of
from siems.domain.changing import replace
from siems.domain.correlation import CASCADE, Kind, Placement, Rules
from siems.domain.escalation import due_after
from siems.domain.events import (
    AlertReceived,
    IncidentAbsorbed,
    IncidentActed,
    IncidentFlapping,
    IncidentOpened,
    SeverityRaised,
)
from siems.domain.grouping import made_title
from siems.domain.incident import Incident, include_asset, title_for, with_transition
from siems.domain.lifecycle import apply
from siems.domain.moves import Command
from siems.domain.permissions import SYSTEM
from siems.services import parent_joins
from siems.services.assigning import find_owner, told
from siems.services.escalations import begin, keeps_owner, opened_on_chain, opening, tell_of_start
from siems.services.keeping import save
from siems.services.moving import act_by_system, in_force
from siems.storage.indexing import fold, give_key, index_alert, keys_for, stop_waiting
from siems.storage.memory import CompanyMemory
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, AlertStatus, State


def open_incident(
    uow: UnitOfWork, company: CompanyMemory, alert: Alert, placement: Placement, *, critical: bool,
    stored: bool = False, title: str = "", quiet: bool = False,
) -> Alert:  # fmt: skip
    """A new incident, with the alerts that waited for it. A quiet one waits for no ack and calls nobody to work."""
    now = uow.now
    alert = replace(alert, incident_id=uow.next_number("incident"))
    assert alert.incident_id is not None
    waited = _waiting(uow, company, placement, alert)
    alerts = [*waited, alert]
    folded = [uow.incidents.get(company.id, number) for number in placement.absorb]
    severity = max([*(a.severity for a in alerts), *(i.severity for i in folded)])
    assets = tuple(dict.fromkeys(a.asset_name for a in alerts))
    terms = company.settings.terms
    incident = Incident(
        id=alert.incident_id, company_id=company.id, title=title or title_for(alert.signature, assets),
        severity=severity, state=State.OPEN, category=category_of(alert.signature), rule=placement.rule,
        signature=alert.signature, created_at=now, last_alert_at=now,
        clocks=sla.begin(terms[severity], now=now, calendar=terms.calendar_for(severity)),
        sla_snapshot=company.sla_snapshot, policy_snapshot=company.policy_snapshot, assets=assets,
        asset_count=len(assets), tool_sources=tuple(dict.fromkeys(a.tool_source for a in alerts)),
        critical_asset=critical or any(company.assets.get(name, False) for name in assets),
        alert_count=len(alerts), repeat_count=sum(a.count - 1 for a in alerts), active_count=len(alerts),
        recurrence_of=placement.recurrence_of, folded=bool(placement.new_keys), related=placement.link,
    )  # fmt: skip
    choice = None
    under = None if quiet else parent_joins.taking(uow, incident)
    if under is not None and under.acknowledged_by is not None:
        incident = parent_joins.held(uow, incident, under)
    elif not quiet:
        incident, choice = find_owner(uow, incident)
        incident = opened_on_chain(uow, incident, company.policy)
    save(uow, None, incident)
    for old in waited:
        moved = replace(old, incident_id=incident.id)
        uow.alerts.put(moved)
        index_alert(uow.journal, company, moved, keys_for(moved, company.rules))
    if stored:
        uow.alerts.put(alert)
    else:
        uow.alerts.add(alert)
    index_alert(uow.journal, company, alert, (*placement.keys, *placement.new_keys))
    uow.emit(AlertReceived(alert, incident), IncidentOpened(incident, quiet, under), *told(incident, choice))
    if placement.absorb:
        _take_in(uow, company, incident, placement)
    return alert


def _take_in(uow: UnitOfWork, company: CompanyMemory, incident: Incident, placement: Placement) -> None:
    """What came first from downstream is folded into the upstream incident that has just opened."""
    after = incident
    for number in placement.absorb:
        after = _absorb(uow, company, number, after, placement)
    save(uow, incident, replace(after, title=_title(after, after.signature)))


def _waiting(uow: UnitOfWork, company: CompanyMemory, placement: Placement, alert: Alert) -> list[Alert]:
    """The alerts that had no incident yet and go where this one goes; they wait no longer."""
    under = (fingerprint for key in placement.keys for fingerprint in company.waiting.get(key, ()))
    found: list[Alert] = []
    for fingerprint in dict.fromkeys((*under, *placement.gather)):
        old = company.alerts.get(fingerprint)
        if old is not None and old.incident_id is None and old.id != alert.id and old.status is AlertStatus.ACTIVE:
            found.append(old)
            stop_waiting(uow.journal, company, old)
    return found


def join_incident(
    uow: UnitOfWork, company: CompanyMemory, alert: Alert, placement: Placement, *, critical: bool, stored: bool = False
) -> Alert:  # fmt: skip
    """One more alert of an incident that is there; others may fold into it."""
    assert placement.incident_id is not None
    before = uow.incidents.open_of(company, placement.incident_id)
    incident = before
    if placement.kind is Kind.REOPEN:
        incident = _reopen(uow, incident, placement)
    if incident.on_hold:
        incident = _stop_waiting(uow, company, incident, alert, placement)
    for number in placement.absorb:
        incident = _absorb(uow, company, number, incident, placement)
    if placement.link:
        incident = replace(incident, related=tuple(dict.fromkeys((*incident.related, *placement.link))))
    incident = include_asset(incident, alert.asset_name)
    tools = incident.tool_sources
    incident = replace(
        incident,
        rule=placement.rule if placement.rule.startswith("auto:") else incident.rule,
        folded=incident.folded or bool(placement.new_keys),
        tool_sources=tools if alert.tool_source in tools else (*tools, alert.tool_source),
        critical_asset=incident.critical_asset or critical,
        alert_count=incident.alert_count + 1,
        repeat_count=incident.repeat_count + alert.count - 1,
        active_count=incident.active_count + 1,
        last_alert_at=uow.now,
        recovered_at=None,
    )
    incident = _gather(uow, company, incident, _waiting(uow, company, placement, alert))
    incident = replace(incident, title=_title(incident, alert.signature))
    incident = _noisy_again(uow, company.rules, before, incident)
    incident = raise_severity(uow, incident, alert, placement.evidence)
    alert = replace(alert, incident_id=incident.id)
    save(uow, before, incident)
    if stored:
        uow.alerts.put(alert)
    else:
        uow.alerts.add(alert)
    index_alert(uow.journal, company, alert, placement.keys)
    for key in placement.new_keys:
        give_key(uow.journal, company, incident.id, key)
    uow.emit(AlertReceived(alert, incident))
    return alert


def _gather(uow: UnitOfWork, company: CompanyMemory, incident: Incident, waited: list[Alert]) -> Incident:
    """The incident with alerts that waited for one."""
    for old in waited:
        moved = replace(old, incident_id=incident.id)
        uow.alerts.put(moved)
        index_alert(uow.journal, company, moved, keys_for(moved, company.rules))
        incident = replace(
            include_asset(incident, old.asset_name),
            tool_sources=tuple(dict.fromkeys((*incident.tool_sources, old.tool_source))),
            critical_asset=incident.critical_asset or company.assets.get(old.asset_name, False),
            alert_count=incident.alert_count + 1,
            repeat_count=incident.repeat_count + old.count - 1,
            active_count=incident.active_count + 1,
        )
    return incident


def _title(incident: Incident, signature: str) -> str:
    """A grouped incident tells how much it holds."""
    if not made_title(incident):
        return incident.title
    if incident.rule == CASCADE and incident.asset_count > 1:
        root = title_for(incident.signature, incident.assets[:1])
        return f"{root}, {incident.asset_count - 1} more affected"
    if signature != incident.signature:
        where = incident.assets[0] if incident.asset_count == 1 else f"{incident.asset_count} servers"
        return f"{incident.alert_count} problems on {where}"
    if incident.asset_count > 1:
        return title_for(incident.signature, ("",) * incident.asset_count)
    return incident.title


def _reopen(uow: UnitOfWork, incident: Incident, placement: Placement) -> Incident:
    force = in_force(uow, incident)
    keeps = keeps_owner(uow, incident)
    first, skips, nobody = begin(uow, incident if keeps else replace(incident, assignee=None), force["policy"])
    command = Command(
        action=Action.REOPEN, actor=SYSTEM, now=uow.now, reason=placement.evidence, first=first,
        opens=opening(uow, incident.company_id), keeps_owner=keeps, **force,
    )  # fmt: skip
    outcome = apply(incident, command)
    after, choice = find_owner(uow, outcome.incident)
    # the last step shows the owner too, so that only they are paged
    steps = (*outcome.steps[:-1], replace(outcome.steps[-1], after=after)) if choice is not None else outcome.steps
    uow.emit(*(IncidentActed(step, command) for step in steps), *told(after, choice))
    tell_of_start(uow, after, skips, nobody=nobody)
    return after


def _stop_waiting(
    uow: UnitOfWork, company: CompanyMemory, incident: Incident, alert: Alert, placement: Placement
) -> Incident:  # fmt: skip
    """What has spread, or folds in something worse, is not waited for any more."""
    folded = [uow.incidents.get(company.id, number) for number in placement.absorb]
    worst = max((one.severity for one in folded), default=incident.severity)
    if worst > incident.severity and not incident.severity_pinned:
        return act_by_system(uow, incident, Action.RESUME, f"it is {worst.name} now")
    assets = dict.fromkeys((alert.asset_name, *(asset for one in folded for asset in one.assets)))
    new = [asset for asset in assets if asset not in incident.assets]
    if new and incident.asset_count <= len(incident.assets):  # beyond the limit nobody can tell who is new
        return act_by_system(uow, incident, Action.RESUME, f"{new[0]} has joined")
    return incident


def _absorb(uow: UnitOfWork, company: CompanyMemory, number: int, survivor: Incident, placement: Placement) -> Incident:
    """Fold one incident into the survivor and close it."""
    absorbed = uow.incidents.get(company.id, number)
    keys = tuple(company.keys_of.get(number, ()))
    closed = replace(
        absorbed, state=State.CLOSED, closed_at=uow.now, merged_into=survivor.id, escalates_at=None,
        active_count=0, version=absorbed.version + 1,
    )  # fmt: skip
    uow.alerts.move(company, number, survivor.id)
    fold(uow.journal, company, number, survivor.id)
    save(uow, absorbed, closed)
    for key in keys:
        give_key(uow.journal, company, survivor.id, key)
    after = survivor
    for asset in absorbed.assets:
        after = include_asset(after, asset)
    after = replace(
        after,
        alert_count=after.alert_count + absorbed.alert_count,
        repeat_count=after.repeat_count + absorbed.repeat_count,
        active_count=after.active_count + absorbed.active_count,
        tool_sources=tuple(dict.fromkeys((*after.tool_sources, *absorbed.tool_sources))),
        critical_asset=after.critical_asset or absorbed.critical_asset,
        created_at=min(after.created_at, absorbed.created_at),
        clocks=sla.strictest(after.clocks, absorbed.clocks),
        escalates_at=_earlier(after, absorbed),
        folded=after.folded or bool(placement.new_keys),
        version=after.version + 1,
    )
    if absorbed.severity > after.severity and not after.severity_pinned:
        after = replace(after, severity=absorbed.severity)
    uow.messages.cancel(absorbed.ref, f"folded into INC-{survivor.id}")
    uow.outbox.cancel(absorbed.ref)
    uow.emit(IncidentAbsorbed(closed, survivor, after, placement.evidence))
    return after


def _earlier(survivor: Incident, absorbed: Incident) -> datetime | None:
    """When the chain goes on: the earlier time of both, unless somebody has acknowledged the survivor."""
    times = [at for at in (survivor.escalates_at, absorbed.escalates_at) if at is not None]
    return survivor.escalates_at if survivor.acknowledged_at is not None else min(times, default=None)


def _noisy_again(uow: UnitOfWork, rules: Rules, before: Incident, incident: Incident) -> Incident:
    """Firing after everything had recovered is a transition; enough of them are flapping."""
    if before.recovered_at is None:
        return incident
    after = with_transition(incident, now=uow.now, window=rules.window)
    if after.flapping and not before.flapping:
        uow.emit(IncidentFlapping(after, True))
    return after


def _asked_sooner(incident: Incident, timeout: timedelta | None, now: datetime) -> Incident:
    """What got worse is asked about sooner, when somebody has it."""
    taken_up = incident.acknowledged_at is not None or incident.state is State.IN_PROGRESS
    if timeout is None or not taken_up or incident.asked_at is not None:
        return incident
    return replace(incident, ack_due_at=min(incident.ack_due_at or now + timeout, now + timeout))


def raise_severity(uow: UnitOfWork, incident: Incident, alert: Alert, evidence: str) -> Incident:
    """The highest severity of its active alerts is the incident's, unless a person has set it."""
    if alert.severity <= incident.severity or incident.severity_pinned:
        return incident
    if incident.on_hold:  # what got worse is not waited for
        incident = act_by_system(uow, incident, Action.RESUME, f"it is {alert.severity.name} now")
    terms = uow.memory.terms_named(uow.connection, incident.sla_snapshot)
    policy = uow.policy_of(incident)
    after = replace(
        incident,
        severity=alert.severity,
        clocks=sla.raise_severity(
            incident.clocks, terms[alert.severity], now=uow.now, calendar=terms.calendar_for(alert.severity)
        ),
        version=incident.version + 1,
    )
    wait = policy.wait(after.position.step, after.severity)
    sooner = due_after(policy, wait, after.severity, now=uow.now, opens=opening(uow, after.company_id))
    if after.acknowledged_at is None and sooner is not None:
        after = replace(after, escalates_at=min(after.escalates_at or sooner, sooner))
    after = _asked_sooner(after, policy.ack_timeouts.get(after.severity), uow.now)
    uow.emit(SeverityRaised(incident, after, evidence))
    return after
