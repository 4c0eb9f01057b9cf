"""What people make of advice: take it, decline it, take it back, and say whether it was of use."""

from __future__ import annotations

from dataclasses import dataclass

from siems.domain.advice import Advice, AdviceTaken, Standing, restored
from siems.domain.changing import replace
from siems.domain.events import Recorded
from siems.domain.incident import Incident
from siems.domain.permissions import Actor, Permission, missing, require
from siems.errors import Conflict, InvalidField, StaleVersion
from siems.services.advising import raised, with_dues
from siems.services.keeping import save
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.wire import AdviceAsk, FeedbackAsk

ACCEPT, DISMISS = "accept", "dismiss"


@dataclass(frozen=True, slots=True)
class Judged:
    incident: Incident
    changed: bool


def judge(uow: UnitOfWork, actor: Actor, company_id: str, number: int, ask: AdviceAsk) -> Judged:
    """Accept what waits, or decline it; declining takes back what is in force. Raises Conflict, InvalidField."""
    ref = f"INC-{number}"
    require(actor, Permission.JUDGE_ADVICE, company_id, what=ref)
    incident = uow.incidents.get(company_id, number)
    if ask.version is not None and ask.version != incident.version:
        raise StaleVersion(
            f"{ref} is at version {incident.version}, you saw {ask.version}: it changed meanwhile",
            hint=f"look again:  siems incident advice {ref}",
        )
    advice = uow.advice.find(number)
    if advice is None:
        raise Conflict(f"there is no advice on {ref}", hint=f"siems incident similar {ref}")
    if ask.verdict not in (ACCEPT, DISMISS):
        raise InvalidField(f"a verdict is accept or dismiss, not {ask.verdict[:20]!r}")
    if not incident.open and (advice.waiting or advice.reversible):
        raise Conflict(
            f"{ref} is {incident.state.value}, advice on it can no longer be taken",
            hint=f'reopen it first:  siems incident reopen {ref} --reason "..."',
        )
    work = _accepted if ask.verdict == ACCEPT else _dismissed
    after, settled = work(uow, incident, advice, actor, ask.reason)
    if settled is advice:
        return Judged(incident, False)
    if after is not incident:
        after = replace(after, touched=True)
        save(uow, incident, after)
    uow.advice.put(replace(settled, decided_by=actor.id, decided_at=uow.now), incident.signature)
    return Judged(after, True)


def _accepted(
    uow: UnitOfWork, incident: Incident, advice: Advice, actor: Actor, reason: str
) -> tuple[Incident, Advice]:  # fmt: skip
    """What waits comes into force. A lowered severity moves no deadline (DOMAIN §7)."""
    after, insight = incident, advice.insight
    if advice.severity_standing is Standing.WAITING and insight.severity is not None:
        before, wanted = after, insight.severity
        if wanted > after.severity:
            after = raised(uow, after, wanted, f"advice accepted by {actor.name}")
            advice = with_dues(advice, before, after)
        elif wanted < after.severity:
            after = replace(after, severity=wanted, version=after.version + 1)
        after = replace(after, severity_pinned=True)  # a person has said so
        advice = replace(advice, severity_standing=Standing.ACCEPTED)
        # a raise is told as one
        shown = after if wanted > before.severity else before
        uow.emit(AdviceTaken(shown, after, advice, actor, "accepted", f"severity {wanted.name}", reason))
    if advice.category_standing is Standing.WAITING and insight.category is not None:
        before = after
        after = replace(after, category=insight.category, version=after.version + 1)
        advice = replace(advice, category_standing=Standing.ACCEPTED)
        uow.emit(AdviceTaken(before, after, advice, actor, "accepted", "category", reason))
    return after, advice


_IN_FORCE = frozenset({Standing.APPLIED, Standing.ACCEPTED})


def _dismissed(
    uow: UnitOfWork, incident: Incident, advice: Advice, actor: Actor, reason: str
) -> tuple[Incident, Advice]:  # fmt: skip
    """What waits is declined; where nothing waits, what is in force is taken back."""
    how = "declined" if advice.waiting else "taken back"
    after, insight = incident, advice.insight
    severity = Standing.WAITING if advice.waiting else advice.severity_standing
    if advice.severity_standing is severity and severity in {Standing.WAITING, *_IN_FORCE}:
        before = after
        if severity in _IN_FORCE:
            after = _severity_back(after, advice)
        advice = replace(advice, severity_standing=Standing.DISMISSED)
        what = f"severity {insight.severity.name}" if insight.severity is not None else "severity"
        uow.emit(AdviceTaken(before, after, advice, actor, how, what, reason))
    category = Standing.WAITING if how == "declined" else advice.category_standing
    if advice.category_standing is category and category in {Standing.WAITING, *_IN_FORCE}:
        before = after
        if category in _IN_FORCE and advice.category_before and after.category is insight.category:
            after = replace(after, category=advice.category_before, version=after.version + 1)
        advice = replace(advice, category_standing=Standing.DISMISSED)
        what = f"category {insight.category.value}" if insight.category is not None else "category"
        uow.emit(AdviceTaken(before, after, advice, actor, how, what, reason))
    return after, advice


def _severity_back(incident: Incident, advice: Advice) -> Incident:
    """With the severity that it had, which a person has now set, and with what was due before it was raised."""
    if incident.severity is not advice.insight.severity or advice.severity_before is None:
        return replace(incident, severity_pinned=True, version=incident.version + 1)
    if advice.dues_before is not None and advice.dues_after is not None:
        incident = restored(incident, advice.dues_before, advice.dues_after)
    return replace(incident, severity=advice.severity_before, severity_pinned=True, version=incident.version + 1)


# --- feedback --------------------------------------------------------------------------------------------------


def rate(uow: UnitOfWork, actor: Actor, company_id: str, number: int, ask: FeedbackAsk) -> None:
    """Whether it was of use to somebody; the last word of each person counts. Raises Conflict without any advice."""
    ref = f"INC-{number}"
    if not actor.sees(company_id):
        raise missing(ref)
    require(actor, Permission.WORK, company_id, what=ref)
    advice = uow.advice.find(number)
    if advice is None:
        raise Conflict(f"there is no advice on {ref}", hint=f"siems incident similar {ref}")
    f = t.advice_feedback.c
    run = uow.connection.execute
    run(t.advice_feedback.delete().where(f.incident_id == number, f.user_id == actor.id))
    run(
        t.advice_feedback.insert().values(
            incident_id=number, user_id=actor.id, company_id=company_id, at=uow.now,
            provider=advice.insight.provider, useful=ask.useful, comment=ask.comment.strip()[:500],
        )
    )  # fmt: skip
    details = {"useful": ask.useful, "provider": advice.insight.provider}
    uow.emit(
        Recorded(
            type="advice.rated", actor=actor, company_id=company_id, object=ref, reason=ask.comment.strip()[:500],
            details=details,
        )
    )  # fmt: skip
