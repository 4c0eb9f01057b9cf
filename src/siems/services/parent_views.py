"""Looking up cross-company parents. Staff with a narrower scope see what is in it: their incidents, not the others."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from siems.domain.parent import Parent, ParentState
from siems.domain.permissions import Actor, Permission, missing, require_role
from siems.errors import InvalidField
from siems.services.filters import in_scope
from siems.services.queries import MAX_PAGE, number_of
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.repositories.parents import find, parent_from
from siems.vocabulary import Role, Severity, State
from siems.wire import ParentChild, ParentLine, ParentView

LINES = 100


def states_named(words: str) -> frozenset[ParentState]:
    """The states that `open,resolved` names, or `ended`, or `all`; without a word, open. Raises InvalidField."""
    found: set[ParentState] = set()
    for word in filter(None, (part.strip().lower() for part in (words or "open").split(","))):
        if word in ("all", "ended"):
            found |= set(ParentState) if word == "all" else set(ParentState) - {ParentState.OPEN}
        elif word in tuple(ParentState):
            found.add(ParentState(word))
        else:
            known = ", ".join((*ParentState, "ended", "all"))
            raise InvalidField(f"a group is not {word[:20]!r}", hint=f"one or several of: {known}")
    return frozenset(found)


def list_parents(
    connection: Connection, actor: Actor, *, states: Collection[ParentState], limit: int
) -> list[ParentView]:
    """Those in one of these states, the newest first."""
    require_role(actor, Permission.SEE_PARENTS)
    p, child = t.parent.c, t.parent_child.c
    where: list[Any] = [p.state.in_(sorted(states))]
    if actor.role is not Role.ADMIN:
        where.append(p.id.in_(select(child.parent_id).where(in_scope(child.company_id, actor))))
    rows = connection.execute(
        select(t.parent).where(*where).order_by(p.id.desc()).limit(max(1, min(limit or 100, MAX_PAGE)))
    )
    names = load_names(connection)
    return [view(connection, parent_from(row), actor, names) for row in rows]


def find_parent(connection: Connection, ref: str, actor: Actor) -> Parent:
    """Raises Forbidden, NotFound for what is not there and for what has nothing of the reader's."""
    require_role(actor, Permission.SEE_PARENTS)
    number = number_of(ref, "PAR")
    found = find(connection, number)
    if found is None or not _visible(connection, number, actor):
        raise missing(f"PAR-{number}")
    return found


def _visible(connection: Connection, number: int, actor: Actor) -> bool:
    if actor.role is Role.ADMIN:
        return True
    child = t.parent_child.c
    mine = select(child.incident_id).where(child.parent_id == number, in_scope(child.company_id, actor)).limit(1)
    return connection.execute(mine).first() is not None


def show_parent(connection: Connection, ref: str, actor: Actor) -> ParentView:
    """One with its incidents, and for admins its story."""
    return view(connection, find_parent(connection, ref, actor), actor, load_names(connection), story=True)


def children_of(connection: Connection, parent_id: int) -> list[tuple[int, str]]:
    """(number, company) of its incidents, the oldest first."""
    child = t.parent_child.c
    rows = connection.execute(
        select(child.incident_id, child.company_id).where(child.parent_id == parent_id).order_by(child.incident_id)
    )
    return [(row.incident_id, row.company_id) for row in rows]


def view(connection: Connection, parent: Parent, actor: Actor, names: Names, *, story: bool = False) -> ParentView:
    """As this reader sees it; what it matches and its story are for admins, since they may name other clients."""
    p, admin = parent, actor.role is Role.ADMIN
    children = _children(connection, p.id, actor, names)
    return ParentView(
        id=p.ref, title=p.title, query=p.query if admin else "", state=p.state.value,
        created_by=names.users.get(p.created_by, p.created_by), created_at=p.created_at,
        acknowledged_by=names.users.get(p.acknowledged_by or "", p.acknowledged_by),
        acknowledged_at=p.acknowledged_at, ended_at=p.ended_at, children=children,
        companies=len({child.company_id for child in children}), open=sum(child.open for child in children),
        story=_story(connection, p.id, names) if story and admin else [],
    )  # fmt: skip


def _children(connection: Connection, parent_id: int, actor: Actor, names: Names) -> list[ParentChild]:
    i, child = t.incident.c, t.parent_child.c
    rows = connection.execute(
        select(
            i.id, i.company_id, i.title, i.severity, i.state, i.assignee, i.acknowledged_at, i.response_due,
            i.response_met_at, i.response_cancelled, i.resolution_due, i.hold_until, child.added_at, child.added_by,
        )
        .select_from(t.parent_child.join(t.incident, i.id == child.incident_id))
        .where(child.parent_id == parent_id, in_scope(child.company_id, actor))
        .order_by(i.id)
    )  # fmt: skip
    return [
        ParentChild(
            id=f"INC-{row.id}", company_id=row.company_id, company=names.companies.get(row.company_id, row.company_id),
            title=row.title, severity=Severity(row.severity).name, state=row.state, on_hold=row.hold_until is not None,
            open=row.state not in (State.RESOLVED.value, State.CLOSED.value),
            assignee_name=names.users.get(row.assignee or "", row.assignee), acknowledged_at=row.acknowledged_at,
            due_at=_due(row), added_at=row.added_at, added_by=names.users.get(row.added_by, row.added_by),
        )
        for row in rows
    ]  # fmt: skip


def _due(row: Any) -> datetime | None:
    """The next deadline of an incident that is open."""
    if row.state in (State.RESOLVED.value, State.CLOSED.value):
        return None
    waiting = row.response_met_at is None and not row.response_cancelled
    found: datetime = min(row.response_due, row.resolution_due) if waiting else row.resolution_due
    return found


def _story(connection: Connection, parent_id: int, names: Names) -> list[ParentLine]:
    line = t.parent_line.c
    rows = connection.execute(
        select(t.parent_line).where(line.parent_id == parent_id).order_by(line.id.desc()).limit(LINES)
    )
    return [ParentLine(at=r.at, kind=r.kind, actor=names.users.get(r.actor, r.actor), text=r.text) for r in rows]
