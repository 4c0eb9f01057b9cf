"""Looking at the inventory: pages, one asset, and what goes on there."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from siems.domain.asset import Asset
from siems.domain.permissions import Actor, missing
from siems.errors import InvalidField
from siems.services.filters import Asker, Field, _among, _clause, _company, _contains, _flag, _time, _word, in_scope
from siems.services.queries import DEFAULT_PAGE, MAX_PAGE, OPEN_STATES, Ask
from siems.storage import tables as t
from siems.storage.repositories.assets import asset_from, dependencies
from siems.vocabulary import AssetSource, Category, Platform, Role
from siems.wire import AssetDetail, AssetView, Page

_A = t.asset.c
FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "": _contains(_A.name, _A.addresses, _A.instance_id, _A.notes),
        "name": _contains(_A.name),
        "company": _company(_A.company_id),
        "company_id": _company(_A.company_id),
        "critical": _flag(_A.critical.is_(True)),
        "address": _contains(_A.addresses),
        "instance_id": _word(_A.instance_id),
        "cloud_account": _word(_A.cloud_account),
        "platform": _among(_A.platform, Platform),
        "category": _among(_A.category, Category),
        "notes": _contains(_A.notes),
        "source": _among(_A.source, AssetSource),
        "first_seen": _time(_A.first_seen_at),
        "last_seen": _time(_A.last_seen_at),
    }
)
"""What a query over assets may name."""


def list_assets(connection: Connection, ask: Ask) -> Page[AssetView]:
    """A page of assets, by company and name."""
    where = and_(in_scope(_A.company_id, ask.actor), _clause(ask.query, FIELDS, Asker(ask.actor, ask.now)))
    total = connection.execute(select(func.count()).select_from(t.asset).where(where)).scalar_one()
    start = _read_cursor(ask.cursor)
    page = where
    if start is not None:
        company_id, name = start
        page = and_(where, or_(_A.company_id > company_id, and_(_A.company_id == company_id, _A.name > name)))
    limit = max(1, min(ask.limit or DEFAULT_PAGE, MAX_PAGE))
    statement = select(t.asset).where(page).order_by(_A.company_id, _A.name).limit(limit + 1)
    rows = connection.execute(statement).all()
    following = _write_cursor(rows[limit - 1]) if len(rows) > limit else None
    return Page(items=_views(connection, rows[:limit], ask.actor), next=following, total=total, as_of=ask.now)


def assets_of(connection: Connection, actor: Actor, company_id: str) -> list[AssetView]:
    """All assets of one company, by name."""
    rows = connection.execute(select(t.asset).where(_A.company_id == company_id).order_by(_A.name)).all()
    return _views(connection, rows, actor)


def show_asset(connection: Connection, actor: Actor, company_id: str, name: str) -> AssetDetail:
    """One asset with what goes on there. Raises NotFound."""
    row = connection.execute(select(t.asset).where(_A.company_id == company_id, _A.name == name)).first()
    if row is None:
        raise missing(f"asset {name[:64]!r} of {company_id}")
    incidents = _open_incidents(connection, [company_id], name)
    numbers = sorted(incidents.get((company_id, name), ()))
    depends_on = dependencies(connection, [company_id])
    asset = asset_from(row, depends_on.get((company_id, name), ()))
    needed_by = sorted(other for (_, other), names in depends_on.items() if name in names)
    return AssetDetail(
        **_fields(asset, actor, len(numbers)), needed_by=needed_by,
        incidents=[f"INC-{number}" for number in numbers], last_alert=_last_alert(connection, asset),
    )  # fmt: skip


def _views(connection: Connection, rows: Sequence[Any], actor: Actor) -> list[AssetView]:
    companies = sorted({row.company_id for row in rows})
    edges, incidents = dependencies(connection, companies), _open_incidents(connection, companies)
    views = []
    for row in rows:
        key = (row.company_id, row.name)
        asset = asset_from(row, edges.get(key, ()))
        views.append(AssetView(**_fields(asset, actor, len(incidents.get(key, ())))))
    return views


def _fields(asset: Asset, actor: Actor, open_incidents: int) -> dict[str, Any]:
    a = asset
    return {
        "company_id": a.company_id, "name": a.name, "critical": a.critical, "first_seen_at": a.first_seen_at,
        "last_seen_at": a.last_seen_at, "addresses": list(a.addresses), "instance_id": a.instance_id,
        "cloud_account": a.cloud_account, "platform": a.platform, "category": a.category,
        "notes": "" if actor.role is Role.CLIENT else a.notes, "depends_on": list(a.depends_on),
        "source": a.source.value, "open_incidents": open_incidents,
    }  # fmt: skip


def _open_incidents(
    connection: Connection, companies: Sequence[str], name: str | None = None
) -> dict[tuple[str, str], set[int]]:
    """The open incidents that have an alert about an asset, by (company, asset)."""
    i, a = t.incident.c, t.alert.c
    where = [i.company_id.in_(companies), i.state.in_(OPEN_STATES), *([] if name is None else [a.asset_name == name])]
    rows = connection.execute(
        select(i.company_id, a.asset_name, i.id)
        .select_from(t.incident.join(t.alert, a.incident_id == i.id))
        .where(*where)
        .distinct()
    )
    found: dict[tuple[str, str], set[int]] = {}
    for company_id, asset, number in rows:
        found.setdefault((company_id, asset), set()).add(number)
    return found


def _last_alert(connection: Connection, asset: Asset) -> str | None:
    """The newest alert about it; one that no alert ever named is not looked for."""
    if asset.last_seen_at is None:
        return None
    a = t.alert.c
    number = connection.execute(
        select(a.id)
        .where(a.company_id == asset.company_id, a.asset_name == asset.name)
        .order_by(a.received_at.desc(), a.id.desc())
        .limit(1)
    ).scalar()
    return None if number is None else f"ALR-{number}"


def _read_cursor(text: str) -> tuple[str, str] | None:
    """The (company, name) after which a page begins. Raises InvalidField."""
    if not text:
        return None
    try:
        company_id, name = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not (isinstance(company_id, str) and isinstance(name, str)):
            raise ValueError(text)
        return company_id, name
    except (ValueError, TypeError, RecursionError) as why:
        raise InvalidField("this cursor is not one of ours", hint="begin without it") from why


def _write_cursor(row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.company_id, row.name]).encode()).decode().rstrip("=")
