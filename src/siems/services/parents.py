"""The verbs of cross-company parents: create, add, remove, acknowledge, note, resolve, close. All are an admin's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from siems.domain.changing import replace
from siems.domain.incident import Incident
from siems.domain.parent import TITLE_AT_MOST, Parent, ParentState, compiled, matches
from siems.domain.permissions import Actor, Permission, missing, require_role
from siems.errors import Conflict, InvalidField, SiemsError, UsageError
from siems.services.queries import OPEN_STATES, number_of
from siems.storage import tables as t
from siems.storage.repositories.parents import parent_of
from siems.storage.rows import incident_from
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP

CHILDREN_AT_MOST = 500
LOOKED_AT = 5_000


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of one incident."""

    ref: str
    company_id: str = ""
    changed: bool = False
    state: str = ""
    error: SiemsError | None = None


def create(
    uow: UnitOfWork, actor: Actor, *, title: str, query: str, refs: Sequence[str], reason: str = ""
) -> tuple[Parent, list[Placed]]:
    """A group of these incidents, of the open ones that match now, and of those that will. Raises UsageError."""
    require_role(actor, Permission.PARENTS)
    query = query.strip()
    if query:
        compiled(query)
    if not refs and not query:
        raise UsageError(
            "group which incidents?", hint="siems parent create INC-3 INC-9, or --match 'signature:vpn_down'"
        )
    found = [_incident(uow, ref) for ref in dict.fromkeys(refs)]
    title = title.strip() or next((i.title for i in found if isinstance(i, Incident)), "") or query
    if len(title) > TITLE_AT_MOST:
        raise InvalidField(f"a title has at most {TITLE_AT_MOST} characters", hint='--title "Provider outage"')
    parent = Parent(
        id=uow.next_number("parent"), title=title, query=query, created_by=actor.id, created_at=uow.now
    )  # fmt: skip
    uow.parents.put(parent)
    record(uow, actor, parent, "created", f"grouped as {title!r}", {"query": query}, reason=reason)
    placed = [_place(uow, actor, parent, one) for one in found]
    taken = {one.ref for one in placed}
    placed += [_place(uow, actor, parent, one) for one in _matching(uow, query) if one.ref not in taken]
    return parent, placed


def _matching(uow: UnitOfWork, query: str) -> list[Incident]:
    """Open incidents that a query means and that no group has."""
    if not query:
        return []
    i, child = t.incident.c, t.parent_child.c
    rows = uow.connection.execute(
        select(*t.raw_columns(t.incident))
        .select_from(t.incident.outerjoin(t.parent_child, child.incident_id == i.id))
        .where(i.state.in_(OPEN_STATES), i.merged_into.is_(None), i.company_id != MSP, child.incident_id.is_(None))
        .order_by(i.id.desc())
        .limit(LOOKED_AT)
    )
    found = (incident_from(row) for row in rows)
    return [one for one in found if matches(query, one)][:CHILDREN_AT_MOST]


def _incident(uow: UnitOfWork, ref: str) -> Incident | Placed:
    try:
        number = number_of(ref)
        row = uow.connection.execute(select(*t.raw_columns(t.incident)).where(t.incident.c.id == number)).first()
        if row is None:
            raise missing(f"INC-{number}")
        return incident_from(row)
    except SiemsError as why:
        return Placed(ref[:64], error=why)


def _place(uow: UnitOfWork, actor: Actor, parent: Parent, found: Incident | Placed) -> Placed:
    if isinstance(found, Placed):
        return found
    uow.flush()
    where = parent_of(uow.connection, found.id)
    here = Placed(found.ref, found.company_id, state=found.state.value)
    if where == parent.id:
        return here
    if where is not None:
        other = Conflict(f"{found.ref} belongs to PAR-{where}", hint=f"siems parent remove PAR-{where} {found.ref}")
        return replace(here, error=other)
    if not found.open:
        error = Conflict(f"{found.ref} is {found.state.value}, it is not grouped any more", hint="leave it out")
        return replace(here, error=error)
    uow.parents.join(parent, found.id, found.company_id, actor.id)
    told = f"{found.ref} of {found.company_id} was added: {found.title}"
    record(uow, actor, parent, "added", told, {"incident": found.ref, "company": found.company_id})
    return replace(here, changed=True)


def add(uow: UnitOfWork, actor: Actor, number: int, refs: Sequence[str]) -> tuple[Parent, list[Placed]]:
    """More incidents of it. Raises NotFound, Conflict for a group that is over, UsageError."""
    parent = _open(uow, actor, number)
    if not refs:
        raise UsageError("add which incidents?", hint=f"siems parent add {parent.ref} INC-9")
    return parent, [_place(uow, actor, parent, _incident(uow, ref)) for ref in dict.fromkeys(refs)]


def remove(uow: UnitOfWork, actor: Actor, number: int, refs: Sequence[str]) -> tuple[Parent, list[Placed]]:
    """These are on their own again."""
    parent = _found(uow, actor, number)
    if not refs:
        raise UsageError("remove which incidents?", hint=f"siems parent remove {parent.ref} INC-9")
    return parent, [_take_out(uow, actor, parent, ref) for ref in dict.fromkeys(refs)]


def _take_out(uow: UnitOfWork, actor: Actor, parent: Parent, ref: str) -> Placed:
    found = _incident(uow, ref)
    if isinstance(found, Placed):
        return found
    here = Placed(found.ref, found.company_id, state=found.state.value)
    if parent_of(uow.connection, found.id) != parent.id:
        return here
    uow.parents.leave(found.id)
    record(uow, actor, parent, "removed", f"{found.ref} of {found.company_id} was removed", {"incident": found.ref})
    return replace(here, changed=True)


def acknowledge(uow: UnitOfWork, actor: Actor, number: int, reason: str = "") -> Parent:
    """Somebody works on the cause: what joins from now on calls nobody."""
    parent = _open(uow, actor, number)
    if parent.acknowledged_by == actor.id:
        return parent
    after = replace(parent, acknowledged_by=actor.id, acknowledged_at=uow.now)
    uow.parents.put(after)
    record(uow, actor, after, "acknowledged", "acknowledged, with all of its incidents", {}, reason=reason)
    return after


def note(uow: UnitOfWork, actor: Actor, number: int, text: str, *, to_children: bool) -> Parent:
    """Written into the story of the group, which no client reads."""
    parent = _found(uow, actor, number)
    if not text.strip():
        raise UsageError("the note is empty", hint="write the text after the id, or pipe it in with -")
    told = f"{text.strip()[:10_000]}{' (to all of its incidents)' if to_children else ''}"
    record(uow, actor, parent, "noted", told, {"to_children": to_children})
    return parent


def acted(uow: UnitOfWork, actor: Actor, number: int, what: str, reason: str = "") -> Parent:
    """Something is done to all of its incidents."""
    parent = _open(uow, actor, number)
    record(uow, actor, parent, what, f"{what}, with all of its incidents", {}, reason=reason)
    return parent


def end(uow: UnitOfWork, actor: Actor, number: int, state: ParentState, reason: str = "") -> tuple[Parent, bool]:
    """Resolved, or closed: nothing joins it any more. (The group, whether that changed anything.)"""
    parent = _found(uow, actor, number)
    if parent.state is state or parent.state is ParentState.CLOSED:
        return parent, False
    after = replace(parent, state=state, ended_by=actor.id, ended_at=uow.now)
    uow.parents.put(after)
    record(uow, actor, after, state.value, f"{state.value}: nothing joins it any more", {}, reason=reason)
    return after, True


def _found(uow: UnitOfWork, actor: Actor, number: int) -> Parent:
    require_role(actor, Permission.PARENTS)
    found = uow.memory.parents.get(number) or uow.parents.find(number)
    if found is None:
        raise missing(f"PAR-{number}")
    return found


def _open(uow: UnitOfWork, actor: Actor, number: int) -> Parent:
    found = _found(uow, actor, number)
    if not found.open:
        raise Conflict(f"{found.ref} is {found.state.value}", hint="make a new one:  siems parent create INC-3 INC-9")
    return found


def record(
    uow: UnitOfWork, actor: Actor, parent: Parent, what: str, text: str, details: dict[str, Any], *, reason: str = ""
) -> None:  # fmt: skip
    """In the story of the group; and an event for the MSP's own record."""
    from siems.domain.events import Recorded

    uow.parents.tell(parent, what, f"{text}: {reason}" if reason else text, actor.id)
    uow.emit(
        Recorded(
            type=f"parent.{what}", actor=actor, company_id=MSP, object=parent.ref, reason=reason, details=details
        )
    )  # fmt: skip
