"""Who hears of escalation: the record, the timeline, whoever a step pages, and the admins when nobody is there."""

from __future__ import annotations

from siems.clock import rfc3339
from siems.domain import events as e
from siems.domain.escalation import Cause, Step
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM
from siems.domain.policies import hook_hint
from siems.services.silencing import hushed, withhold
from siems.services.sla_marks import mark
from siems.services.staffing import Reached, admins, covering, reach
from siems.services.telling import call_webhooks, page, publish, tell
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Role


def step_of(uow: UnitOfWork, incident: Incident) -> Step:
    """The step that an incident's chain has reached."""
    policy = uow.policy_of(incident)
    return policy.steps[min(incident.position.step, len(policy.steps) - 1)]


def call(
    uow: UnitOfWork, event: str, incident: Incident, subject: str, step: Step, reached: Reached, *,
    unacknowledged: bool = False,
) -> None:  # fmt: skip
    """Page those whom a step reaches; one that is not important is told, and wakes nobody."""
    people = {p.id for p in reached.paged}
    if step.important:
        page(uow, event, incident, subject, people, unacknowledged=unacknowledged)
    else:
        quietly(uow, event, incident, subject, people, unacknowledged=unacknowledged)
    aside(uow, event, incident, subject, {p.id for p in reached.told})


def quietly(
    uow: UnitOfWork, event: str, incident: Incident, subject: str, people: set[str], *, unacknowledged: bool = False
) -> None:  # fmt: skip
    """As `page`, for a step that wakes nobody."""
    silence = hushed(uow, incident)
    if silence is None:
        tell(uow, event, incident, subject, people, unacknowledged=unacknowledged)
    else:
        withhold(uow, incident, silence)


def aside(
    uow: UnitOfWork, event: str, incident: Incident, subject: str, people: set[str], *, unacknowledged: bool = False,
    by_hand: bool = False,
) -> None:  # fmt: skip
    """Those who are told beside the ones who are paged; a silence that stops the pages stops this, too."""
    if by_hand or hushed(uow, incident) is None:
        tell(uow, event, incident, subject, people, unacknowledged=unacknowledged, again=":aside")


def incident_opened(uow: UnitOfWork, event: e.IncidentOpened) -> None:
    incident = event.incident
    uow.audit.add_fact(incident.company_id, [incident.ref, "opened", incident.rule, incident.severity.name])
    publish(uow, "incident.opened", incident)
    if event.under is not None and event.under.acknowledged_by is not None:
        return
    step = step_of(uow, incident)
    reached = reach(uow, incident, step)
    subject = f"{incident.severity.name} opened: {incident.title}"
    if event.quiet:
        quietly(uow, "incident.opened", incident, subject, {p.id for p in reached.paged}, unacknowledged=True)
        return
    call(uow, "incident.opened", incident, subject, step, reached, unacknowledged=True)
    call_webhooks(uow, "incident.opened", incident, subject, reached.webhooks, unacknowledged=True)
    if reached.webhooks:
        text = f"calls {', '.join(hook_hint(name) for name in reached.webhooks)}"
        uow.timeline.add(incident.company_id, incident.id, "notify", text, actor=SYSTEM, data=_hooks(reached.webhooks))


def _hooks(webhooks: tuple[str, ...]) -> dict[str, object]:
    return {"webhooks": [hook_hint(name) for name in webhooks]} if webhooks else {}


def incident_escalated(uow: UnitOfWork, event: e.IncidentEscalated) -> None:
    before, after, decision = event.before, event.after, event.decision
    skipped = f"; {'; '.join(event.skips)}" if event.skips else ""
    owner = f", now with {_name(uow, after.assignee)}" if after.assignee != before.assignee else ""
    text = f"escalated to level {decision.step.level}: {event.reason}{owner}{skipped}"
    details = {
        "cause": event.cause.value, "level": [before.escalation_level, after.escalation_level],
        "assignee": [before.assignee, after.assignee], "step": decision.position.key(), "skipped": decision.skipped,
        "paged": event.recipients, **_hooks(event.webhooks),
    }  # fmt: skip
    uow.audit.add(
        event.actor, "incident.escalated", after.ref, company_id=after.company_id, reason=event.reason,
        details=details,
    )  # fmt: skip
    data = details | mark("escalate", before, after)
    uow.timeline.add(after.company_id, after.id, "escalation", text, actor=event.actor, data=data)
    publish(uow, "incident.escalated", after, reason=event.reason, cause=event.cause.value)
    _escalation_notices(uow, event)


def _escalation_notices(uow: UnitOfWork, event: e.IncidentEscalated) -> None:
    """The step's people and the new owner are paged; managers who watch, and owners who are away, are told."""
    after, step = event.after, event.decision.step
    watching = {p.id for p in covering(uow, after.company_id, Role.MANAGER)}
    called = {*event.recipients}
    if after.assignee and after.assignee not in event.told:
        called.add(after.assignee)
    subject = f"{after.ref} escalated to level {step.level} ({event.reason}): {after.title}"
    unacknowledged = event.cause is Cause.UNACKNOWLEDGED
    me, by_hand = event.actor.id, not event.actor.machine
    if by_hand:  # whoever escalates wants somebody to come, silence or not
        tell(uow, "incident.escalated", after, subject, called, but=me, pages=True)
    else:
        go = page if step.important else quietly
        go(uow, "incident.escalated", after, subject, called, unacknowledged=unacknowledged)
    call_webhooks(uow, "incident.escalated", after, subject, event.webhooks, unacknowledged=unacknowledged)
    others = {*watching, *event.told} - called - {me}
    aside(uow, "incident.escalated", after, subject, others, unacknowledged=unacknowledged, by_hand=by_hand)


def _name(uow: UnitOfWork, user_id: str | None) -> str:
    person = uow.person(user_id) if user_id else None
    return person.name if person is not None else (user_id or "nobody")


def steps_skipped(uow: UnitOfWork, event: e.StepsSkipped) -> None:
    incident = event.incident
    text = f"the chain begins at level {incident.escalation_level}: {'; '.join(event.skips)}"
    uow.timeline.add(incident.company_id, incident.id, "escalation", text, actor=SYSTEM)
    uow.audit.add(
        SYSTEM, "incident.steps_skipped", incident.ref, company_id=incident.company_id,
        details={"skips": list(event.skips)},
    )  # fmt: skip


def chain_ended(uow: UnitOfWork, event: e.ChainEnded) -> None:
    """Used up, the chain has paged everybody it could. With nobody behind it, the admins hear of that at once."""
    incident = event.incident
    text = "the escalation chain is used up: nobody further is paged"
    if event.nobody:
        text = "NOBODY WAS PAGED: no step of the escalation policy has anybody behind it"
    uow.timeline.add(incident.company_id, incident.id, "escalation", text, actor=SYSTEM)
    uow.audit.add(SYSTEM, "incident.chain_ended", incident.ref, company_id=incident.company_id)
    publish(uow, "incident.chain_ended", incident, nobody=event.nobody)
    if not event.nobody:
        return
    people = {p.id for p in admins(uow)}
    subject = (
        f"NOBODY IS PAGED for {incident.ref} ({incident.severity.name}) of {incident.company_id}: "
        f"{incident.title}; look at siems escalation policy list"
    )
    uow.audit.add(
        SYSTEM, "escalation.nobody", incident.ref, company_id=MSP, reason=text,
        details={"company": incident.company_id, "told": sorted(people)},
    )  # fmt: skip
    page(uow, "incident.nobody_paged", incident, subject, people)


def ack_asked(uow: UnitOfWork, event: e.AckAsked) -> None:
    incident, by = event.incident, rfc3339(event.answer_by.replace(microsecond=0))
    asked = _name(uow, incident.assignee)
    text = f"still on it? {asked} is asked, and has until {by}"
    uow.timeline.add(incident.company_id, incident.id, "escalation", text, actor=SYSTEM)
    uow.audit.add(SYSTEM, "incident.still_on_it", incident.ref, company_id=incident.company_id)
    publish(uow, "incident.still_on_it", incident, answer_by=by)
    subject = f"still on it? {incident.ref}: answer until {by} (siems incident ack {incident.ref}): {incident.title}"
    people = {incident.assignee or ""}
    page(uow, "incident.still_on_it", incident, subject, people, again=f":{by}")


def ack_lapsed(uow: UnitOfWork, event: e.AckLapsed) -> None:
    after = event.after
    text = f"no answer from {_name(uow, after.assignee)}: the escalation chain goes on"
    details = {
        "cause": Cause.ACK_TIMEOUT.value, "step": after.position.key(), "paged": event.recipients,
        "from": event.before.state.value, "to": after.state.value,
    }  # fmt: skip
    data = details | mark("ack_timeout", event.before, after)
    uow.timeline.add(after.company_id, after.id, "escalation", text, actor=SYSTEM, data=data)
    uow.audit.add(
        SYSTEM, "incident.ack_timed_out", after.ref, company_id=after.company_id, reason="no answer", details=details
    )  # fmt: skip
    publish(uow, "incident.ack_timed_out", after)
    subject = f"{after.ref} is not acknowledged any more, nobody answered: {after.title}"
    page(uow, "incident.ack_timed_out", after, subject, set(event.recipients), unacknowledged=True)
    aside(uow, "incident.ack_timed_out", after, subject, set(event.told))
