"""The inventory: what is known of a company's assets, said by people or imported from a table or a cloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from siems.domain.asset import (
    Asset,
    Facts,
    changes,
    checked_name,
    find_cycle,
    merged,
    refuse_cycle,
    with_facts,
)
from siems.domain.events import Recorded
from siems.domain.permissions import Actor, Permission, require
from siems.errors import Conflict, InvalidField, NotFound
from siems.storage.memory import CompanyMemory
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import AssetSource
from siems.wire import AssetChange, AssetEdit, AssetsImported

MOST_ROWS = 1_000
PROBLEMS_TOLD = 20


def facts_of(ask: AssetEdit) -> Facts:
    """What a request says of an asset."""
    return Facts(
        critical=ask.critical, addresses=None if ask.addresses is None else tuple(ask.addresses),
        instance_id=ask.instance_id, cloud_account=ask.cloud_account, platform=ask.platform,
        category=ask.category, notes=ask.notes,
        depends_on=None if ask.depends_on is None else tuple(ask.depends_on),
    )  # fmt: skip


# --- by hand ---------------------------------------------------------------------------------------------------


def create(uow: UnitOfWork, actor: Actor, company_id: str, name: str, facts: Facts, *, reason: str = "") -> Asset:
    """An asset that no alert has named yet. Raises Conflict for one that is there."""
    company = _may_say(uow, actor, company_id, facts)
    name = checked_name(name)
    if name in company.assets:
        raise Conflict(f"{name} is known already", hint=f"siems asset edit {name!r} --company {company_id}")
    fresh = Asset(company_id=company_id, name=name, first_seen_at=uow.now, source=AssetSource.BY_HAND)
    after = with_facts(fresh, facts, AssetSource.BY_HAND)
    _keep(uow, company, after)
    _tell(uow, actor, "asset.created", after, reason, changes(None, after))
    return after


def edit(uow: UnitOfWork, actor: Actor, company_id: str, name: str, facts: Facts, *, reason: str = "") -> Asset:
    """Change what is given. Raises NotFound, and InvalidField naming what cannot be taken."""
    company = _may_say(uow, actor, company_id, facts)
    before = uow.assets.get(company, name)
    if not facts.given:
        raise InvalidField("nothing was given that could be changed", hint="siems asset edit --help")
    after = with_facts(before, facts, AssetSource.BY_HAND)
    if after != before:
        _keep(uow, company, after)
        _tell(uow, actor, "asset.edited", after, reason, changes(before, after))
    return after


def _may_say(uow: UnitOfWork, actor: Actor, company_id: str, facts: Facts) -> CompanyMemory:
    """Which account a runbook acts in is for those to say who manage the accounts."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    if facts.cloud_account is not None:
        require(actor, Permission.ADMINISTER, company_id, what=company_id)
    return uow.company(company_id)


def _keep(uow: UnitOfWork, company: CompanyMemory, asset: Asset) -> None:
    unknown = [name for name in asset.depends_on if name not in company.assets and name != asset.name]
    if unknown:
        raise NotFound(
            f"{asset.name} cannot depend on {unknown[0]!r}: there is no such asset of {company.id}",
            hint=f"siems asset create {unknown[0]!r} --company {company.id}",
        )
    refuse_cycle({**company.depends_on, asset.name: asset.depends_on}, asset.name)
    uow.assets.put(company, [asset])


def delete(uow: UnitOfWork, actor: Actor, company_id: str, name: str, *, reason: str = "") -> None:
    """Forget an asset; an alert that names it brings the name back. Raises Conflict while others depend on it."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    company = uow.company(company_id)
    before = uow.assets.get(company, name)
    needing = _needing(company, name)
    if needing:
        raise Conflict(
            f"{', '.join(needing[:5])} {'depends' if len(needing) == 1 else 'depend'} on {name}",
            hint=f"merge it:  siems asset merge {name!r} --into OTHER --company {company_id}",
        )
    uow.assets.remove(company, name)
    _tell(uow, actor, "asset.deleted", before, reason, {k: (b, None) for k, (_, b) in changes(None, before).items()})


def merge(uow: UnitOfWork, actor: Actor, company_id: str, name: str, into: str, *, reason: str = "") -> Asset:
    """Two names of one thing become one: facts go to the survivor, and so does what depended on the other."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    company = uow.company(company_id)
    other, before = uow.assets.get(company, name), uow.assets.get(company, into)
    if name == into:
        raise InvalidField("an asset cannot be merged into itself", hint="--into names the one that stays")
    after = merged(before, other)
    needing = list(uow.assets.named(company, _needing(company, name)).values())
    moved = [replace(a, depends_on=tuple(sorted({*a.depends_on, into} - {name}))) for a in needing if a.name != into]
    edges = {**company.depends_on, **{a.name: a.depends_on for a in (*moved, after)}}
    edges.pop(name, None)
    refuse_cycle(edges, into)
    uow.assets.put(company, [*moved, after])
    uow.assets.remove(company, name)
    _tell(uow, actor, "asset.merged", after, reason, {"other": (name, into), **changes(before, after)})
    return after


def _needing(company: CompanyMemory, name: str) -> list[str]:
    return sorted(asset for asset, others in company.depends_on.items() if name in others)


def _tell(
    uow: UnitOfWork, actor: Actor, type: str, asset: Asset, reason: str, changed: dict[str, tuple[object, object]]
) -> None:  # fmt: skip
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=asset.company_id, object=asset.name[:64], reason=reason,
            details={"name": asset.name, "changes": {key: list(pair) for key, pair in changed.items()}},
        )
    )  # fmt: skip


# --- imported --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One asset as a table or a cloud lists it; `place` is where it stands there: `line 3`."""

    place: str
    name: str
    facts: Facts


def bring_in(
    uow: UnitOfWork, actor: Actor, company_id: str, listed: Sequence[Listed], *, origin: str, reason: str = "",
    problems: Sequence[str] = (), warnings: Sequence[str] = (),
) -> AssetsImported:  # fmt: skip
    """All of a list, or nothing. Raises InvalidField naming each place that cannot be taken.

    `problems` is what whoever read the list has found already.
    """
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    if any(item.facts.cloud_account is not None for item in listed):
        require(actor, Permission.ADMINISTER, company_id, what=company_id)
    company = uow.company(company_id)
    if len(listed) > MOST_ROWS:
        raise InvalidField(f"{len(listed)} assets are too many at once", hint=f"at most {MOST_ROWS}: split the list")
    before = uow.assets.named(company, (item.name for item in listed))
    after, found = _read(uow, company_id, listed, before)
    wrong = [*problems, *found] or _unconnected(company, listed, after)  # a line that is wrong may be what is missing
    if wrong:
        raise _refused(wrong)
    changed = [a for a in after.values() if a != before.get(a.name)]
    uow.assets.put(company, changed)
    told = [AssetChange(name=a.name, new=a.name not in before, fields=_pairs(before.get(a.name), a)) for a in changed]
    if changed:
        uow.emit(
            Recorded(
                type="assets.imported", actor=actor, company_id=company_id, object=company_id, reason=reason,
                details={"from": origin, "assets": {c.name: c.fields for c in told}},
            )
        )  # fmt: skip
    new = sum(c.new for c in told)
    return AssetsImported(
        new=new, changed=len(changed) - new, unchanged=len(after) - len(changed), changes=told, warnings=list(warnings)
    )


def _read(
    uow: UnitOfWork, company_id: str, listed: Sequence[Listed], before: dict[str, Asset]
) -> tuple[dict[str, Asset], list[str]]:
    """(the assets as the list wants them, what is wrong with it)."""
    after: dict[str, Asset] = {}
    problems: list[str] = []
    for item in listed:
        try:
            name = checked_name(item.name)
            if name in after:
                raise InvalidField(f"{name!r} stands there twice")
            known = before.get(name) or Asset(
                company_id=company_id, name=name, first_seen_at=uow.now, source=AssetSource.IMPORTED
            )
            after[name] = with_facts(known, item.facts, AssetSource.IMPORTED)
        except InvalidField as why:
            problems.append(f"{item.place}: {why.message}")
    return after, problems


def _unconnected(company: CompanyMemory, listed: Sequence[Listed], after: dict[str, Asset]) -> list[str]:
    """Dependencies on what is not there, and the first cycle."""
    places: dict[str, str] = {}
    for item in listed:
        if item.facts.depends_on is not None:
            places.setdefault(item.name.strip(), item.place)
    problems = [
        f"{places[name]}: {name} depends on {other!r}, and there is no such asset, here or in the list"
        for name in places
        if name in after
        for other in after[name].depends_on
        if other not in company.assets and other not in after
    ]
    edges = {**company.depends_on, **{asset.name: asset.depends_on for asset in after.values()}}
    if cycle := find_cycle(edges, [name for name in places if name in after]):
        place = next(places[name] for name in cycle if name in places)
        problems.append(f"{place}: this would be a cycle: {' -> '.join(cycle)}")
    return problems


def _refused(problems: list[str]) -> InvalidField:
    """One problem a line, in the order of the list."""
    ordered = sorted(problems, key=_line_of)
    more = [f"and {len(ordered) - PROBLEMS_TOLD} more"] if len(ordered) > PROBLEMS_TOLD else []
    return InvalidField(
        "\n".join(["nothing was imported:", *ordered[:PROBLEMS_TOLD], *more]), hint="correct these and import again"
    )


def _line_of(problem: str) -> int:
    word = problem.partition(":")[0].removeprefix("line ")
    return int(word) if word.isdigit() else 0


def _pairs(before: Asset | None, after: Asset) -> dict[str, list[object]]:
    return {name: list(pair) for name, pair in changes(before, after).items()}
