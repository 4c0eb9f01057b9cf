"""The part of a company's memory that is about its assets."""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from siems.storage import tables as t

if TYPE_CHECKING:
    from siems.storage.memory import CompanyMemory


def load_assets(connection: Connection, company: CompanyMemory) -> None:
    """What there is, whether it is critical, when it was seen, and what depends on what."""
    a, d = t.asset.c, t.asset_dependency.c
    assets = select(a.name, a.critical, a.last_seen_at).where(a.company_id == company.id)
    for name, critical, seen_at in connection.execute(assets):
        name = intern(name)
        company.assets[name] = critical
        if seen_at is not None:
            company.seen_at[name] = seen_at
    edges = select(d.asset, d.depends_on).where(d.company_id == company.id).order_by(d.asset, d.depends_on)
    for name, other in connection.execute(edges):
        company.depends_on[name] = (*company.depends_on.get(name, ()), other)
