"""Incidents that people open themselves: about what no tool tells, or of an alert that waits for more of its kind."""

from __future__ import annotations

from siems.domain import sla
from siems.domain.alert import Alert
from siems.domain.correlation import Kind, Placement
from siems.domain.events import IncidentOpened, Recorded
from siems.domain.incident import Incident
from siems.domain.lifecycle import TITLE_AT_MOST
from siems.domain.permissions import Actor, Permission, missing, require
from siems.errors import Conflict, InvalidField
from siems.services.assigning import find_owner, told
from siems.services.escalations import opened_on_chain
from siems.services.incidents import act, one_of
from siems.services.keeping import save
from siems.services.placing import open_incident
from siems.services.queries import number_of
from siems.storage.indexing import keys_for, stop_waiting
from siems.storage.memory import CompanyMemory
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, AlertStatus, Category, Severity, State
from siems.wire import ActAsk, IncidentAsk

BY_HAND = "by hand"
SIGNATURE = "opened_by_hand"


def create(uow: UnitOfWork, actor: Actor, company_id: str, ask: IncidentAsk) -> Incident:
    """A new incident: its clocks run, and its chain calls people, as of any other.

    Raises InvalidField for a title or a word that cannot be, NotFound, Conflict for an alert that has an incident.
    """
    require(actor, Permission.CREATE_INCIDENT, company_id, what=f"company {company_id!r}")
    company = uow.company(company_id)
    title = " ".join(ask.title.split())
    severity = one_of(Severity, "severity", ask.severity)
    category = one_of(Category, "category", ask.category)
    if ask.alert is not None:
        if severity is not None or category is not None:
            raise InvalidField(
                "the severity and the category of an incident that is opened from an alert are the alert's",
                hint="change them afterwards:  siems incident severity, siems incident edit",
            )
        found = _of_alert(uow, actor, company, ask.alert, title)
    else:
        if not 0 < len(title) <= TITLE_AT_MOST:
            raise InvalidField(f"a title has 1 to {TITLE_AT_MOST} characters", hint='--title "UPS on battery"')
        found = _new(uow, company, title, severity or Severity.MEDIUM, category, pinned=severity is not None)
    uow.emit(
        Recorded(
            type="incident.created", actor=actor, company_id=company_id, object=found.ref, reason=ask.reason,
            details={"title": found.title, "severity": found.severity.name, "alert": ask.alert},
        )
    )  # fmt: skip
    uow.timeline.add(company_id, found.id, "state", f"opened by {actor.name}", actor=actor)
    if ask.note.strip():
        act(uow, actor, Action.NOTE, company_id, found.id, ActAsk(note=ask.note))
        uow.flush()  # each act replaces what the one before it has kept for an undo
    if ask.to is not None:
        act(uow, actor, Action.ASSIGN, company_id, found.id, ActAsk(to=ask.to))
    return uow.incidents.get(company_id, found.id)


def _new(
    uow: UnitOfWork, company: CompanyMemory, title: str, severity: Severity, category: Category | None, *, pinned: bool
) -> Incident:  # fmt: skip
    now, terms = uow.now, company.settings.terms
    incident = Incident(
        id=uow.next_number("incident"), company_id=company.id, title=title, severity=severity, severity_pinned=pinned,
        state=State.OPEN, category=category or Category.OTHER, rule=BY_HAND, signature=SIGNATURE, created_at=now,
        last_alert_at=now, clocks=sla.begin(terms[severity], now=now, calendar=terms.calendar_for(severity)),
        sla_snapshot=company.sla_snapshot, policy_snapshot=company.policy_snapshot, touched=True,
    )  # fmt: skip
    incident, choice = find_owner(uow, incident)
    incident = opened_on_chain(uow, incident, company.policy)
    save(uow, None, incident)
    uow.emit(IncidentOpened(incident), *told(incident, choice))
    return incident


def _of_alert(uow: UnitOfWork, actor: Actor, company: CompanyMemory, ref: str, title: str) -> Incident:
    """The incident of an alert that has none yet."""
    number = number_of(ref, "ALR")
    alert = next((a for a in company.alerts.values() if a.id == number), None)
    if alert is None:
        raise missing(f"ALR-{number}")
    if alert.incident_id is not None:
        raise Conflict(f"ALR-{number} is in INC-{alert.incident_id}", hint=f"siems incident show {alert.incident_id}")
    if alert.status is not AlertStatus.ACTIVE:
        raise Conflict(f"ALR-{number} is silenced by {alert.suppressed_by}", hint="siems silence list")
    stop_waiting(uow.journal, company, alert)
    keys = keys_for(alert, company.rules)
    placement = Placement(Kind.OPEN, BY_HAND, f"opened by {actor.name}", keys)
    critical = company.assets.get(alert.asset_name, False)
    opened: Alert = open_incident(uow, company, alert, placement, critical=critical, stored=True, title=title)
    assert opened.incident_id is not None
    return uow.incidents.get(company.id, opened.incident_id)
