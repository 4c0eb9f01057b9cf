"""Instances of a cloud become assets: found again by their id, else by their name."""

from __future__ import annotations

from collections import Counter

from siems.clouds import Found, Instance
from siems.domain.asset import Facts
from siems.domain.permissions import Actor, Permission, require
from siems.services.assets import Listed
from siems.services.assets import bring_in as keep
from siems.storage.unit_of_work import UnitOfWork
from siems.wire import AssetsImported


def bring_in(uow: UnitOfWork, actor: Actor, company_id: str, found: Found, *, reason: str = "") -> AssetsImported:
    """Every instance as an asset. What people say (critical, notes, depends on) is left alone."""
    require(actor, Permission.ADMINISTER, company_id, what=company_id)
    known = uow.assets.instances(uow.company(company_id), (i.id for i in found.instances))
    taken = {known[i.id].name for i in found.instances if i.id in known}
    named = Counter(i.name for i in found.instances if i.id not in known)
    listed = [
        Listed(place=i.id, name=known[i.id].name if i.id in known else _name(i, named, taken), facts=_facts(i))
        for i in found.instances
    ]
    return keep(uow, actor, company_id, listed, origin=found.origin, reason=reason, warnings=found.warnings)


def _name(instance: Instance, named: Counter[str], taken: set[str]) -> str:
    """The name that alerts will use; instances that share one are told apart by their id."""
    if not instance.name:
        return instance.id
    if named[instance.name] > 1 or instance.name in taken:
        return f"{instance.name} ({instance.id})"
    return instance.name


def _facts(instance: Instance) -> Facts:
    return Facts(
        addresses=instance.addresses or None, instance_id=instance.id, cloud_account=instance.account or None,
        platform=instance.platform or None,
    )  # fmt: skip
