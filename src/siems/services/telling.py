"""How observers tell of an incident: to the live stream, to people, and to whoever is paged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from siems.domain.incident import Incident
from siems.domain.reach import ALL, NOWHERE, POLICY, Contact, Notice, Planned, hint_of, plan
from siems.services.silencing import hushed, withhold
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Paging, Severity

QUIET_EVENTS = frozenset({"incident.opened", "incident.reopened", "incident.unsilenced"})
"""What wakes nobody below HIGH: MEDIUM and LOW go to inbox and mail until their SLA warning (DOMAIN §8)."""


def brief(incident: Incident) -> dict[str, Any]:
    """What an event tells of its incident, enough to update a line without asking."""
    return {
        "incident_id": incident.ref,
        "title": incident.title,
        "severity": incident.severity.name,
        "state": incident.state.value,
        "assignee": incident.assignee,
        "alert_count": incident.alert_count,
        "repeat_count": incident.repeat_count,
        "escalation_level": incident.escalation_level,
        "version": incident.version,
    }


def counted(incident: Incident) -> dict[str, Any]:
    """What alerts move by themselves: these events are the only record of it (`services/playback.py`)."""
    i = incident
    return {
        "alert_count": i.alert_count, "repeat_count": i.repeat_count, "active_count": i.active_count,
        "last_alert_at": i.last_alert_at,
    }  # fmt: skip


def publish(uow: UnitOfWork, type: str, incident: Incident, *, coalesce: bool = False, **more: object) -> None:
    uow.stream.add(type, incident.ref, company_id=incident.company_id, data=brief(incident) | more, coalesce=coalesce)


def notify(uow: UnitOfWork, notice: Notice, people: Iterable[str]) -> None:
    """Tell each of these people: in the inbox, and by whatever their rules ask for."""
    told = sorted(set(people) - {""})
    if not told:
        return
    shadow = not notice.by_hand and _shadowed(uow, notice.company_id)
    for user_id in told:
        reach = uow.reach(user_id)
        why = ""
        if reach is not NOWHERE:
            planned = plan(reach, notice, now=uow.now)
            why = planned.why
            for one in planned.messages:
                uow.messages.add(user_id, notice, one, shadow=shadow)
        uow.outbox.notify(user_id, notice, why=why, shadow=shadow)
    if shadow:
        return
    data = {"event": notice.event, "users": told, "subject": notice.subject}
    if notice.object.startswith("INC-"):
        data["incident_id"] = notice.object
    uow.stream.add("notice.created", notice.object, company_id=notice.company_id, data=data)


def _shadowed(uow: UnitOfWork, company_id: str) -> bool:
    return company_id != MSP and uow.company(company_id).settings.paging is Paging.SHADOW


def following(uow: UnitOfWork, event: str, incident: Incident) -> set[str]:
    """Who follows the company and wants to hear of this."""
    uow.people()
    found = set()
    for follower in uow.memory.followers.get(incident.company_id, ()):
        person = uow.person(follower.user_id)
        wanted = ALL in follower.about or event in follower.about
        wanted = wanted and incident.severity >= follower.severity
        if person is not None and person.covers(incident.company_id) and wanted:
            found.add(person.id)
    return found


def tell(
    uow: UnitOfWork, event: str, incident: Incident, subject: str, people: set[str], *,
    but: str = "", delay: timedelta = timedelta(0), unacknowledged: bool = False, again: str = "", pages: bool = False,
) -> None:  # fmt: skip
    """A notice for each of these people, but not for the one who did it."""
    notice = Notice(
        key=f"{event}:{incident.ref}:{incident.version}{again}", event=event, object=incident.ref,
        company_id=incident.company_id, severity=incident.severity, subject=subject, pages=pages,
        unacknowledged=unacknowledged, delay=delay,
    )  # fmt: skip
    notify(uow, notice, people - {but})


def call_webhooks(
    uow: UnitOfWork, event: str, incident: Incident, subject: str, urls: Iterable[str], *, unacknowledged: bool = False
) -> None:  # fmt: skip
    """Call the addresses that a step of an escalation policy names, as it pages people."""
    if hushed(uow, incident) is not None:
        return
    notice = Notice(
        key=f"{event}:{incident.ref}:{incident.version}", event=event, object=incident.ref,
        company_id=incident.company_id, severity=incident.severity, subject=subject, pages=True,
        unacknowledged=unacknowledged,
    )  # fmt: skip
    shadow = _shadowed(uow, incident.company_id)
    for number, url in enumerate(dict.fromkeys(urls), 1):
        contact = Contact(f"{POLICY}{number}", "", "webhook", hint_of("webhook", url))
        uow.messages.add("", notice, Planned(contact, "policy", uow.now, "a target of the policy"), url, shadow=shadow)


def page(
    uow: UnitOfWork, event: str, incident: Incident, subject: str, people: set[str], **how: Any
) -> None:  # fmt: skip
    """As `tell`, for what calls people to work: a silence about all of its alerts stops it."""
    silence = hushed(uow, incident)
    if silence is None:
        wakes = incident.severity >= Severity.HIGH or event not in QUIET_EVENTS
        tell(uow, event, incident, subject, people, pages=wakes, **how)
    else:
        withhold(uow, incident, silence)
