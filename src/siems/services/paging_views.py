"""Looking up pages: lists, and single ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from siems.domain.page import Page, due_at
from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.services.filters import in_scope
from siems.services.queries import MAX_PAGE, number_of
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.repositories.paging import find, page_from
from siems.wire import PagedPerson, PageView


def list_pages(
    connection: Connection, actor: Actor, *, company_id: str | None, ended: bool, mine: bool, limit: int
) -> list[PageView]:  # fmt: skip
    """Those that have not ended, newest first; with `ended` those that have; with `mine` those for or by the reader."""
    require_role(actor, Permission.PAGE)
    p = t.page.c
    where: list[Any] = [in_scope(p.company_id, actor), p.ended_at.is_not(None) if ended else p.ended_at.is_(None)]
    if company_id is not None:
        where.append(p.company_id == company_id)
    if mine:
        where.append(or_(p.created_by == actor.id, p.people.contains(f'"{actor.id}"', autoescape=True)))
    rows = connection.execute(select(t.page).where(*where).order_by(p.id.desc()).limit(max(1, min(limit, MAX_PAGE))))
    names, free = load_names(connection), _availability(connection)
    return [_view(page_from(row), names, free) for row in rows]


def find_page(connection: Connection, ref: str, actor: Actor) -> Page:
    """Raises NotFound for what is not there and for what the reader may not know of."""
    number = number_of(ref, "PAG")
    found = find(connection, number)
    if found is None:
        raise missing(f"PAG-{number}")
    require(actor, Permission.PAGE, found.company_id, what=f"PAG-{number}")
    return found


def show_page(connection: Connection, page: Page) -> PageView:
    return _view(page, load_names(connection), _availability(connection))


def _availability(connection: Connection) -> dict[str, str]:
    return {row.id: row.availability for row in connection.execute(select(t.user.c.id, t.user.c.availability))}


def _view(p: Page, names: Names, free: Mapping[str, str]) -> PageView:
    users = names.users
    when: datetime | None = due_at(p)
    return PageView(
        id=p.ref, company_id=p.company_id, company=names.companies.get(p.company_id, p.company_id),
        state=p.state.value, target=p.target,
        people=[PagedPerson(id=i, name=users.get(i, i), availability=free.get(i, "away")) for i in p.people],
        message=p.message, severity=p.severity.name, key=p.key,
        incident_id=None if p.incident_id is None else f"INC-{p.incident_id}", created_by=p.created_by,
        created_by_name=users.get(p.created_by, p.created_by), created_at=p.created_at, times_sent=p.times_sent,
        sent_at=p.sent_at, next_at=when, acknowledged_at=p.acknowledged_at, acknowledged_by=p.acknowledged_by,
        acknowledged_by_name=users.get(p.acknowledged_by or "", p.acknowledged_by), ended_at=p.ended_at,
        ended_by=p.ended_by,
    )  # fmt: skip
