"""Assets as people and inventories know them; alerts only add names (`Alerts.discover`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from siems.clock import to_micros
from siems.domain.asset import Asset
from siems.domain.permissions import missing
from siems.domain.topology import Topology
from siems.storage import tables as t
from siems.storage.memory import CompanyMemory
from siems.vocabulary import AssetSource

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_COLUMNS = [column.name for column in t.asset.columns]
_PUT = (
    f"INSERT INTO asset ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
    f" ON CONFLICT (company_id, name) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS[2:])}"
)
_EDGE = "INSERT INTO asset_dependency (company_id, asset, depends_on) VALUES (?, ?, ?)"
_NO_EDGES = "DELETE FROM asset_dependency WHERE company_id = ? AND asset = ?"
_REMOVE = "DELETE FROM asset WHERE company_id = ? AND name = ?"
AT_ONCE = 500


def asset_row(a: Asset) -> tuple[Any, ...]:
    """The values of the `asset` table, in its order."""
    return (
        a.company_id, a.name, a.critical, to_micros(a.first_seen_at), json.dumps(a.addresses), a.instance_id,
        a.cloud_account, a.platform, a.category, a.notes, a.source.value,
        None if a.last_seen_at is None else to_micros(a.last_seen_at),
    )  # fmt: skip


def asset_from(row: Any, depends_on: Sequence[str] = ()) -> Asset:
    """The asset of a row of `asset`."""
    return Asset(
        company_id=row.company_id, name=row.name, critical=row.critical, first_seen_at=row.first_seen_at,
        addresses=tuple(json.loads(row.addresses)), instance_id=row.instance_id, cloud_account=row.cloud_account,
        platform=row.platform, category=row.category, notes=row.notes, source=AssetSource(row.source),
        last_seen_at=row.last_seen_at, depends_on=tuple(depends_on),
    )  # fmt: skip


class Assets:
    """The inventory, for verbs of people. Written at once: it is no part of any storm."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def get(self, company: CompanyMemory, name: str) -> Asset:
        """Raises NotFound."""
        found = self.named(company, (name,)).get(name)
        if found is None:
            raise missing(f"asset {name[:64]!r} of {company.id}")
        return found

    def named(self, company: CompanyMemory, names: Iterable[str]) -> dict[str, Asset]:
        """Those of these that there are, by name."""
        return self._found(company, t.asset.c.name, names)

    def instances(self, company: CompanyMemory, ids: Iterable[str]) -> dict[str, Asset]:
        """The assets of these cloud instances, by the id of the instance."""
        found = self._found(company, t.asset.c.instance_id, (i for i in ids if i))
        return {asset.instance_id: asset for asset in found.values()}

    def _found(self, company: CompanyMemory, column: Any, values: Iterable[str]) -> dict[str, Asset]:
        wanted, found = list(dict.fromkeys(values)), dict[str, Asset]()
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            rows = self._uow.connection.execute(
                select(t.asset).where(t.asset.c.company_id == company.id, column.in_(part)).order_by(t.asset.c.name)
            )
            found |= {row.name: asset_from(row, company.depends_on.get(row.name, ())) for row in rows}
        return found

    def put(self, company: CompanyMemory, assets: Sequence[Asset]) -> None:
        """Assets as they are now, new ones among them."""
        uow = self._uow
        uow.run(_PUT, [asset_row(asset) for asset in assets])
        moved = [a for a in assets if company.depends_on.get(a.name, ()) != a.depends_on]
        uow.run(_NO_EDGES, [(company.id, a.name) for a in moved])
        uow.run(_EDGE, [(company.id, a.name, other) for a in moved for other in a.depends_on])
        for asset in assets:
            uow.journal.set(company.assets, asset.name, asset.critical)
        for asset in moved:
            if asset.depends_on:
                uow.journal.set(company.depends_on, asset.name, asset.depends_on)
            else:
                uow.journal.drop(company.depends_on, asset.name)
        if moved:
            uow.journal.replace(company, "topology", Topology(company.depends_on))

    def remove(self, company: CompanyMemory, name: str) -> None:
        """An asset that nothing depends on any more."""
        uow = self._uow
        uow.run(_NO_EDGES, [(company.id, name)])
        uow.run(_REMOVE, [(company.id, name)])
        for known in (company.assets, company.depends_on, company.seen_at):
            uow.journal.drop(known, name)
        uow.journal.replace(company, "topology", Topology(company.depends_on))


def dependencies(connection: Connection, companies: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """What the assets of some companies depend on, by (company, asset)."""
    d = t.asset_dependency.c
    rows = connection.execute(
        select(d.company_id, d.asset, d.depends_on)
        .where(d.company_id.in_(companies))
        .order_by(d.company_id, d.asset, d.depends_on)
    )
    found: dict[tuple[str, str], list[str]] = {}
    for company_id, name, other in rows:
        found.setdefault((company_id, name), []).append(other)
    return found
