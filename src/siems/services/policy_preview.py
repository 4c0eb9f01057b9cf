"""Trying an escalation policy before it is kept: whoever may make it is told whom it would page."""

from __future__ import annotations

from siems.domain.changing import replace
from siems.domain.escalation import Policy, StepTarget, TargetKind
from siems.domain.permissions import Actor, Permission, require
from siems.domain.policies import NamedPolicy, hook_of, policy_from_document
from siems.domain.reach import hint_of
from siems.services.policies import check_people, may_change
from siems.services.policy_views import walk
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP
from siems.wire import PolicyPreviewAsk, PolicyTrial, PolicyTrialAsk


def preview(uow: UnitOfWork, actor: Actor, ask: PolicyPreviewAsk, *, owner: str, company_id: str) -> PolicyTrial:
    """Who would be paged by this document; nothing is changed. Raises InvalidField naming step and field, Forbidden.

    `owner` would have it, `company_id` is whose incident is pretended.
    """
    may_change(actor, owner, what=owner)
    if company_id != MSP:
        require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    policy = policy_from_document(ask.name or "draft", ask.policy)
    check_people(uow, policy, owner)
    named = NamedPolicy(
        id="", company_id=owner, policy=_shown(policy), version=0, created_at=uow.now, changed_at=uow.now
    )
    pretended = PolicyTrialAsk(company=company_id, severity=ask.severity, at=ask.at)
    return walk(uow, named, company_id, pretended)


def _shown(policy: Policy) -> Policy:
    """With hints in the place of addresses, which may hold a token."""
    steps = tuple(replace(step, targets=tuple(_hinted(target) for target in step.targets)) for step in policy.steps)
    return replace(policy, steps=steps)


def _hinted(target: StepTarget) -> StepTarget:
    if target.kind is not TargetKind.WEBHOOK or hook_of(target.name):
        return target
    return StepTarget(TargetKind.WEBHOOK, hint_of("webhook", target.name))
