"""Escalation policies as objects: made, changed and removed; incidents that are open keep what they opened with."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection

from siems.domain.changing import replace
from siems.domain.company import slug_of
from siems.domain.escalation import DEFAULT_POLICY, DEFAULT_POLICY_ID, Policy, TargetKind
from siems.domain.events import Recorded
from siems.domain.permissions import Actor, Permission, require, require_role
from siems.domain.policies import NamedPolicy, document_of, policy_from_document
from siems.errors import Conflict, InvalidField, StaleVersion
from siems.services.companies import keep_policy
from siems.services.policy_hooks import with_hooks
from siems.services.policy_lookup import find_policy
from siems.services.staffing import named as named_person
from siems.storage.repositories import policies as rows
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault
from siems.vocabulary import MSP
from siems.wire import PolicyAsk, PolicyEdit

MOST = 1_000
_NAME = re.compile(r"[^\s/?#][^/?#\x00-\x1f]{0,63}")


def make_default(uow: UnitOfWork) -> None:
    """The policy that every company uses until it names another."""
    if rows.find(uow.connection, DEFAULT_POLICY_ID) is None:
        rows.add(
            uow.connection,
            NamedPolicy(
                id=DEFAULT_POLICY_ID, company_id=MSP, policy=DEFAULT_POLICY, version=1, created_at=uow.now,
                changed_at=uow.now,
            ),
        )  # fmt: skip
        keep_policy(uow, DEFAULT_POLICY)


def may_change(actor: Actor, owner: str, *, what: str) -> None:
    """Those of a company are its settings; those of the MSP concern every company, so they are for admins."""
    if owner == MSP:
        require_role(actor, Permission.COMPANY_SETTINGS)
        require_role(actor, Permission.ADMINISTER)
    else:
        require(actor, Permission.COMPANY_SETTINGS, owner, what=what)


def create(uow: UnitOfWork, actor: Actor, owner: str, ask: PolicyAsk, vault: Vault) -> NamedPolicy:
    """A new policy of a company, or of the MSP. Raises InvalidField naming the step and field, Conflict, Forbidden."""
    may_change(actor, owner, what=owner)
    name = _name(ask.name)
    known = rows.all_policies(uow.connection)
    if any(p.company_id == owner and p.name.lower() == name.lower() for p in known):
        raise Conflict(f"there is a policy {name!r} already", hint=f"siems escalation policy edit {name!r}")
    if len(known) >= MOST:
        raise Conflict(f"there are {MOST} policies already", hint="siems escalation policy list")
    policy = policy_from_document(name, ask.policy)
    check_people(uow, policy, owner)
    policy = with_hooks(uow, policy, owner, vault)
    named = NamedPolicy(
        id=_id(owner, name, {p.id for p in known}), company_id=owner, policy=policy, version=1, created_at=uow.now,
        changed_at=uow.now,
    )  # fmt: skip
    rows.add(uow.connection, named)
    keep_policy(uow, policy)
    _record(uow, actor, "policy.created", named, reason=ask.reason, after=named)
    return named


def _name(word: str) -> str:
    name = " ".join(word.split())
    if not _NAME.fullmatch(name):
        raise InvalidField(f"{word[:64]!r} is no name for a policy", hint="1 to 64 characters, without / ? and #")
    return name


def _id(owner: str, name: str, taken: set[str]) -> str:
    slug = slug_of(name)
    wanted = f"pol-{slug}" if owner == MSP else f"pol-{owner.removeprefix('comp-')}-{slug}"[:60]
    numbered = (f"{wanted}-{number}" for number in range(2, MOST + 2))
    return wanted if wanted not in taken else next(id for id in numbered if id not in taken)


def concerned(connection: Connection, named: NamedPolicy) -> tuple[str, ...]:
    """The companies whose memory holds a policy: where another daemon has it, it must be built anew."""
    return tuple(rows.users_of(connection).get(named.id, []))


def edit(
    uow: UnitOfWork, actor: Actor, policy_id: str, ask: PolicyEdit, vault: Vault
) -> tuple[NamedPolicy, bool]:  # fmt: skip
    """(the policy as it is now, whether it changed). It concerns the incidents that open from now on."""
    before = find_policy(uow.connection, policy_id, actor)
    may_change(actor, before.company_id, what=policy_id)
    if ask.version is not None and ask.version != before.version:
        raise StaleVersion(
            f"{before.name} is at version {before.version}, you saw {ask.version}: it changed meanwhile",
            hint=f"look again:  siems escalation policy show {before.id}",
        )
    name = _name(ask.name) if ask.name else before.name
    document = ask.policy if ask.policy is not None else document_of(before.policy)
    policy = policy_from_document(name, document)
    check_people(uow, policy, before.company_id)
    policy = with_hooks(uow, policy, before.company_id, vault)
    if any(
        p.id != before.id and p.company_id == before.company_id and p.name.lower() == name.lower()
        for p in rows.all_policies(uow.connection)
    ):
        raise Conflict(f"there is a policy {name!r} already", hint="choose another name")
    if policy == before.policy:
        return before, False
    after = replace(before, policy=policy, version=before.version + 1, changed_at=uow.now)
    rows.put(uow.connection, after)
    snapshot = keep_policy(uow, policy)
    for company in list(uow.memory.companies.values()):
        if company.settings.policy_id == after.id:
            uow.journal.replace(company, "policy", policy)
            uow.journal.replace(company, "policy_snapshot", snapshot)
    _record(uow, actor, "policy.edited", after, reason=ask.reason, before=before, after=after)
    return after, True


def delete(uow: UnitOfWork, actor: Actor, policy_id: str, *, reason: str) -> None:
    """Raises Conflict while companies use it, naming them; the default one stays."""
    named = find_policy(uow.connection, policy_id, actor)
    may_change(actor, named.company_id, what=policy_id)
    users = [company for company in rows.users_of(uow.connection).get(named.id, []) if company != MSP]
    if users:
        said = ", ".join(users[:5]) + (f" and {len(users) - 5} more" if len(users) > 5 else "")
        raise Conflict(
            f"{named.name} is used by {said}",
            hint=f"give them another first:  siems company edit {users[0].removeprefix('comp-')} --policy default",
        )
    if named.id == DEFAULT_POLICY_ID:
        raise Conflict(
            "the default policy is what companies use that name no other", hint="siems escalation policy edit default"
        )
    rows.remove(uow.connection, named.id)
    _record(uow, actor, "policy.deleted", named, reason=reason, before=named)


def check_people(uow: UnitOfWork, policy: Policy, owner: str) -> None:
    """Whoever is named must be there, and may see the company. Raises InvalidField naming the step."""
    for step in policy.steps:
        for target in step.targets:
            if target.kind is not TargetKind.USER:
                continue
            person = named_person(uow, target.name)
            if person is None or (owner != MSP and not person.covers(owner)):
                raise InvalidField(
                    f"step {step.level}, targets: there is no user {target.name[:64]!r} who works for {owner}",
                    hint="siems user list",
                )


def _record(
    uow: UnitOfWork, actor: Actor, type: str, named: NamedPolicy, *, reason: str, before: NamedPolicy | None = None,
    after: NamedPolicy | None = None,
) -> None:  # fmt: skip
    details: dict[str, Any] = {"name": named.name, "version": named.version}
    if before is not None:
        details["before"] = document_of(before.policy)
    if after is not None:
        details["after"] = document_of(after.policy)
    uow.emit(
        Recorded(type=type, actor=actor, company_id=named.company_id, object=named.id, reason=reason, details=details)
    )
