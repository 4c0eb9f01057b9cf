"""Who hears of a strategy's choice: the incident's story with all scores, the record, the new owner."""

from __future__ import annotations

import msgspec

from siems.domain import events as e
from siems.domain.assignment import Choice, Rated
from siems.services.assigning import choice_view
from siems.services.staffing import recipients
from siems.services.telling import page, publish
from siems.storage.unit_of_work import UnitOfWork

SHOWN = 2
"""So many runners-up are named in a line."""


def assignee_chosen(uow: UnitOfWork, event: e.AssigneeChosen) -> None:
    incident, choice, actor = event.incident, event.choice, event.actor
    view = choice_view(choice, incident.ref)
    data = {"action": "assign", **msgspec.to_builtins(view)}
    uow.timeline.add(incident.company_id, incident.id, "state", sentence(choice), actor=actor, data=data)
    if not actor.machine:
        return  # who asked for it has assigned it: that is told by itself
    if choice.chosen is None:
        uow.audit.add(
            actor, "incident.unassignable", incident.ref, company_id=incident.company_id, reason=sentence(choice)
        )  # fmt: skip
        return
    scores = {one.candidate.id: one.score for one in choice.rated}
    uow.audit.add(
        actor, "incident.assigned", incident.ref, company_id=incident.company_id, reason=sentence(choice),
        details={"assignee": [None, choice.chosen.id], "strategy": choice.strategy, "scores": scores},
    )  # fmt: skip
    publish(uow, "incident.assigned", incident, actor=actor.id)
    policy = uow.policy_of(incident)
    paged = {p.id for p in recipients(uow, incident, policy.steps[0])}
    if choice.chosen.id not in paged:  # else the page of the opening says it
        subject = f"{incident.ref} was assigned to you: {incident.title}"
        page(uow, "incident.assigned", incident, subject, {choice.chosen.id}, unacknowledged=True)


def sentence(choice: Choice) -> str:
    """One line for people: whom, by what, and how the next ones stood."""
    if choice.chosen is None:
        if not choice.rated:
            return f"{choice.strategy}: nobody works for this client"
        out = ", ".join(f"{r.candidate.name} is {_why_not(r, choice)}" for r in choice.rated[:5])
        return f"{choice.strategy}: nobody can be given this ({out})"
    first, *others = choice.rated
    after = [f"{r.candidate.name} {r.score}" for r in others if r.fit][:SHOWN]
    then = f"; then {', '.join(after)}" if after else ""
    return f"{choice.strategy} chose {first.candidate.name}: {_because(first, choice)}{then}"


def _why_not(one: Rated, choice: Choice) -> str:
    return "not on call" if choice.strategy == "on_call" else one.candidate.availability.value


def _because(one: Rated, choice: Choice) -> str:
    c = one.candidate
    facts = [
        f"knows {choice.category.value}" if choice.category in c.skills else "",
        "on call" if c.on_call else "",
        c.availability.value,
        f"{c.open} open",
        "never given one" if c.assigned_at is None else f"last given one {c.assigned_at:%Y-%m-%d %H:%MZ}",
    ]
    return f"{', '.join(filter(None, facts))} (score {one.score})"
