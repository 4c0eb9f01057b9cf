"""What a pretended incident would lead to: who is told, when and how. Nothing is changed and nobody is told."""

from __future__ import annotations

from datetime import datetime

from siems.domain.permissions import Actor, Permission, require
from siems.domain.reach import Notice, hint_of, plan
from siems.services.oncall import on_schedule, schedule_for, unseen
from siems.services.policy_views import trial
from siems.services.telling import QUIET_EVENTS
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Paging, Severity
from siems.wire import PolicyTrialAsk, TrialStep, WhatIfAsk, WhatIfMessage, WhatIfPerson, WhatIfStep, WhatIfView


def page(uow: UnitOfWork, actor: Actor, company_id: str, ask: WhatIfAsk) -> WhatIfView:
    """As the company's policy, schedules and everybody's rules are now. Raises InvalidField, Forbidden."""
    require(actor, Permission.SEE_AUDIT, company_id, what=company_id)
    company = uow.company(company_id)
    tried = trial(
        uow, actor, company.settings.policy_id, company_id,
        PolicyTrialAsk(company=company_id, severity=ask.severity, at=ask.at), allowed=True, warns=True,
    )  # fmt: skip
    severity = Severity[tried.severity]
    notes = []
    if company.settings.paging is Paging.SHADOW:
        notes.append("paging is in shadow: all of this would be written down, and nobody told")
    if company.settings.assign != "manual":
        notes.append(f"{company.settings.assign} would choose an owner first, and page only them")
    schedule = schedule_for(uow.oncall.rota().schedules, company_id, company.settings.oncall)
    if schedule is not None:
        on_duty = on_schedule(uow, schedule.id, tried.opened_at)
        notes += [
            f"{person.name} is on call by {schedule.name} and is not paged: may not see {company_id}"
            for person in on_duty if unseen(person, [company_id])
        ]  # fmt: skip
    notes += [
        f"{silence.label} is on until {silence.ends_at:%Y-%m-%d %H:%M}Z and stops the pages of what it matches"
        for silence in company.silences.values()
        if silence.starts_at <= tried.opened_at < silence.ends_at
    ]
    return WhatIfView(
        id=tried.policy_id, company_id=company_id, severity=tried.severity, at=tried.opened_at, policy=tried.name,
        notes=notes, steps=[_step(uow, company_id, severity, step, first=i == 0) for i, step in enumerate(tried.steps)],
    )  # fmt: skip


def _step(uow: UnitOfWork, company_id: str, severity: Severity, step: TrialStep, *, first: bool) -> WhatIfStep:
    event = "sla.warned" if step.kind == "warning" else "incident.opened" if first else "incident.escalated"
    pages = step.important and (severity >= Severity.HIGH or event not in QUIET_EVENTS)
    notice = Notice(
        key="what-if", event=event, object="INC-0", company_id=company_id, severity=severity, subject="",
        pages=pages, unacknowledged=True,
    )  # fmt: skip
    people = [_person(uow, name, notice, step.at, pages=pages) for name in step.people]
    people += [_person(uow, name, notice, step.at, pages=False) for name in step.inbox]
    return WhatIfStep(
        at=step.at, kind=step.kind, level=step.level, text=step.text, targets=step.targets, people=people,
        webhooks=[hint_of("webhook", url) for url in step.webhooks],
    )  # fmt: skip


def _person(uow: UnitOfWork, name: str, notice: Notice, at: datetime, *, pages: bool) -> WhatIfPerson:
    found = next((person for person in uow.people() if person.name == name), None)
    if found is None:
        return WhatIfPerson(name=name, pages=pages, messages=[], why="")
    planned = plan(uow.reach(found.id), notice, now=at)
    messages = [
        WhatIfMessage(channel=one.contact.channel, hint=one.contact.hint, at=one.at, why=one.why)
        for one in planned.messages
    ]
    return WhatIfPerson(name=name, pages=pages, messages=messages, why=planned.why)
