"""Addresses that escalation policies call: they often hold a token, so they are kept apart and sealed."""

from __future__ import annotations

import json
from secrets import token_hex

from sqlalchemy import Connection, select

from siems.domain.changing import replace
from siems.domain.escalation import Policy, Step, StepTarget, TargetKind
from siems.domain.policies import hook_of
from siems.domain.reach import hint_of
from siems.errors import InvalidField
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault


def with_hooks(uow: UnitOfWork, policy: Policy, owner: str, vault: Vault) -> Policy:
    """The policy with the names of its addresses in their place. An address that the owner has already keeps its name.

    Raises InvalidField for a name that the owner has not.
    """
    steps = tuple(
        replace(step, targets=tuple(dict.fromkeys(_kept(uow, step, target, owner, vault) for target in step.targets)))
        for step in policy.steps
    )
    return replace(policy, steps=steps)


def _kept(uow: UnitOfWork, step: Step, target: StepTarget, owner: str, vault: Vault) -> StepTarget:
    if target.kind is not TargetKind.WEBHOOK:
        return target
    h, known = t.policy_hook.c, hook_of(target.name)
    rows = uow.connection.execute(select(t.policy_hook).where(h.company_id == owner).order_by(h.created_at, h.id)).all()
    for row in rows:
        if row.id == known or (not known and _address(vault, row.address) == target.name):
            return StepTarget(TargetKind.WEBHOOK, f"{row.id} {row.hint}")
    if known:
        raise InvalidField(
            f"step {step.level}, targets: there is no address {known} of {owner}",
            hint="webhook:https://hooks.example/x",
        )
    made, hint = f"hook-{token_hex(4)}", hint_of("webhook", target.name)
    uow.connection.execute(
        t.policy_hook.insert().values(
            id=made, company_id=owner, hint=hint, created_at=uow.now,
            address=vault.seal(json.dumps({"address": target.name, "options": {}})),
        )
    )  # fmt: skip
    return StepTarget(TargetKind.WEBHOOK, f"{made} {hint}")


def _address(vault: Vault, sealed: str) -> str:
    return str(json.loads(vault.unseal(sealed))["address"])


def sealed_address(connection: Connection, hook: str) -> str | None:
    """What is kept of an address, for whoever has the key."""
    found = connection.execute(select(t.policy_hook.c.address).where(t.policy_hook.c.id == hook)).scalar()
    return None if found is None else str(found)
