"""Who hears of what people change about incidents beside their state: severity, title, and of splits."""

from __future__ import annotations

from siems.domain import events as e
from siems.domain.ticket import JobVerb
from siems.services.sla_marks import mark
from siems.services.telling import publish, tell
from siems.services.ticket_making import consider
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action


def changed_to(event: e.IncidentActed) -> str:
    """The line of the timeline for another severity, title or category."""
    before, after, reason = event.taken.before, event.taken.after, event.command.reason
    said = []
    if before.severity != after.severity:
        said.append(f"severity {before.severity.name} -> {after.severity.name}, by hand")
    elif event.taken.action is Action.SEVERITY:
        said.append(f"severity stays {after.severity.name}, by hand")
    if before.title != after.title:
        said.append(f'title was "{before.title}"')
    if before.category != after.category:
        said.append(f"category {before.category.value} -> {after.category.value}")
    text = "; ".join(said)
    return f"{text}: {reason}" if reason else text


def incident_absorbed(uow: UnitOfWork, event: e.IncidentAbsorbed) -> None:
    """Both tell where the one went."""
    absorbed, survivor = event.absorbed, event.survivor
    actor = event.actor
    uow.audit.add(
        actor, "incident.merged", absorbed.ref, company_id=absorbed.company_id, reason=event.evidence,
        details={"into": survivor.ref, "alerts": absorbed.alert_count},
    )  # fmt: skip
    text = f"{absorbed.ref} was folded into this: {event.evidence}"
    data = mark("merge", event.before, survivor, absorbed.ref)
    uow.timeline.add(survivor.company_id, survivor.id, "merge", text, actor=actor, data=data)
    uow.timeline.add(
        absorbed.company_id, absorbed.id, "merge", f"folded into {survivor.ref}: {event.evidence}", actor=actor
    )
    publish(uow, "incident.merged", absorbed, into=survivor.ref)
    publish(uow, "incident.changed", survivor, coalesce=True)


def incident_acted(uow: UnitOfWork, event: e.IncidentActed) -> None:
    """Its tickets follow, and whoever has it hears of another severity."""
    taken, command = event.taken, event.command
    before, after = taken.before, taken.after
    if taken.action not in (Action.SEVERITY, Action.EDIT):
        return
    for ticket in uow.tickets.of(after.company_id, after.id):
        uow.tickets.queue(ticket, JobVerb.UPDATE, delay=command.notice_delay)
    if before.severity != after.severity and after.assignee:
        subject = f"{after.ref} is {after.severity.name} now, says {command.actor.name}: {after.title}"
        tell(
            uow, "incident.severity_set", after, subject, {after.assignee}, but=command.actor.id,
            delay=command.notice_delay,
        )  # fmt: skip


def incident_split(uow: UnitOfWork, event: e.IncidentSplit) -> None:
    before, after, part, actor = event.before, event.after, event.part, event.actor
    why = f": {event.reason}" if event.reason else ""
    many = "1 alert" if event.alerts == 1 else f"{event.alerts} alerts"
    details = {"part": part.ref, "alerts": event.alerts, "version": after.version}
    uow.audit.add(
        actor, "incident.split", after.ref, company_id=after.company_id, reason=event.reason, details=details
    )  # fmt: skip
    uow.audit.add(
        actor, "incident.opened_by_split", part.ref, company_id=part.company_id, reason=event.reason,
        details={"from": after.ref, "alerts": event.alerts, "severity": part.severity.name},
    )  # fmt: skip
    uow.timeline.add(
        after.company_id, after.id, "merge", f"{many} split out as {part.ref}{why}", actor=actor,
        data=mark("split", before, after),
    )  # fmt: skip
    uow.timeline.add(
        part.company_id, part.id, "merge", f"split from {after.ref} with {many}{why}", actor=actor,
        data=mark("split", before, part, after.ref),
    )  # fmt: skip
    publish(uow, "incident.split", after, actor=actor.id, part=part.ref)
    publish(uow, "incident.opened", part, actor=actor.id, split_from=after.ref)
    consider(uow, part)
