"""Changing people: skills, availability, address, role and companies, their password, and whether they may log in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from siems.domain.events import Recorded
from siems.domain.permissions import Actor, Permission, missing, require_role
from siems.errors import Conflict, Forbidden, InvalidField
from siems.services import users
from siems.services.assigning import workload
from siems.services.directory import find_company
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Availability, Category, Role
from siems.wire import UserChanged, UserEdit, UserView


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody, and the companies they may see."""

    row: Row[Any]
    scope: frozenset[str]

    @property
    def role(self) -> Role:
        return Role(self.row.role)


def find_account(connection: Connection, ref: str, actor: Actor) -> Account:
    """The account behind `@me`, an id, a name or an address, if the reader may know of it. Raises NotFound."""
    wanted = ref.strip().lower()
    ids = [actor.id] if wanted in ("@me", "me") else [wanted, f"user-{wanted}"]
    u = t.user.c
    # who is called like another's id does not stand in their place
    rank = select(t.user).where(or_(u.id.in_(ids), func.lower(u.name) == wanted, u.email == wanted))
    rows = sorted(connection.execute(rank).all(), key=lambda row: row.id not in ids)
    if not rows:
        raise missing(f"user {ref[:64]!r}")
    found = Account(rows[0], users.scope_of(connection, rows[0].id))
    if not _visible(actor, found):
        raise missing(f"user {ref[:64]!r}")
    return found


def _visible(actor: Actor, account: Account) -> bool:
    """The rule of the list of users."""
    if actor.id == account.row.id or actor.role is Role.ADMIN:
        return True
    return actor.role is not Role.CLIENT and (account.role is Role.ADMIN or bool(actor.scope & account.scope))


def show(connection: Connection, ref: str, actor: Actor) -> UserView:
    """One account as the reader may see it. Raises NotFound."""
    found = find_account(connection, ref, actor)
    seen = {view.id: view for view in users.users_for(connection, actor)}
    return seen[found.row.id]


# --- who may -----------------------------------------------------------------------------------------------------


def _may_edit(actor: Actor, account: Account) -> None:
    """Admins change everybody; managers the skills and hours of their technicians, and their own. Raises Forbidden."""
    require_role(actor, Permission.COMPANY_SETTINGS)
    mine = account.row.id == actor.id or account.role is Role.TECHNICIAN
    if actor.role is not Role.ADMIN and not mine:
        raise Forbidden(f"{account.row.name} is a {account.role.value}: only an admin may change that", hint=_ADMIN)


def _may_manage(actor: Actor, account: Account) -> None:
    """An account itself is changed by admins; by managers where they answer for all companies of a technician."""
    require_role(actor, Permission.COMPANY_SETTINGS)
    if actor.role is Role.ADMIN:
        return
    if account.role is not Role.TECHNICIAN or not account.scope <= actor.scope:
        raise Forbidden(f"only an admin may change the account of {account.row.name}", hint=_ADMIN)


_ADMIN = "ask somebody with the role admin"


# --- verbs -------------------------------------------------------------------------------------------------------


def edit(uow: UnitOfWork, actor: Actor, ref: str, ask: UserEdit) -> UserChanged:
    """Change what is given. Raises NotFound, Forbidden, InvalidField naming what is wrong, Conflict."""
    account = find_account(uow.connection, ref, actor)
    _may_edit(actor, account)
    row = account.row
    wanted: dict[str, Any] = {}
    if ask.skills is not None:
        wanted["skills"] = json.dumps(sorted(parse_skills(ask.skills)))
    if ask.availability is not None:
        wanted["availability"] = parse_availability(ask.availability).value
    if ask.email is not None:
        _may_manage(actor, account)
        wanted["email"] = _email(uow, row, ask.email)
    if ask.role is not None:
        require_role(actor, Permission.ADMINISTER)
        wanted["role"] = users.parse_role(ask.role).value
    if ask.disabled is not None:
        _may_manage(actor, account)
        wanted["disabled"] = ask.disabled
    _leave_an_admin(uow, actor, account, wanted)
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    added, removed = _scope(uow, actor, account, ask)
    if not changed and not added and not removed:
        return UserChanged(user=_view(uow, actor, row.id), changed=False)
    if changed:
        uow.connection.execute(update(t.user).where(t.user.c.id == row.id).values(**changed))
    before = {name: getattr(row, name) for name in changed}
    details = {"before": before, "after": changed, "companies": {"added": added, "removed": removed}}
    return _changed(uow, actor, row.id, _event(ask, changed), ask.reason, details)


def _event(ask: UserEdit, changed: dict[str, Any]) -> str:
    if "disabled" in changed:
        return "user.disabled" if ask.disabled else "user.enabled"
    return "user.role_set" if "role" in changed else "user.edited"


def _changed(uow: UnitOfWork, actor: Actor, user_id: str, type: str, reason: str, details: Any) -> UserChanged:
    uow.journal.drop(uow.memory.people_loaded, MSP)
    uow.emit(Recorded(type=type, actor=actor, company_id=MSP, object=user_id, reason=reason, details=details))
    return UserChanged(user=_view(uow, actor, user_id), changed=True)


def _view(uow: UnitOfWork, actor: Actor, user_id: str) -> UserView:
    row = uow.connection.execute(select(t.user).where(t.user.c.id == user_id)).one()
    scope = users.scope_of(uow.connection, user_id)
    shown = scope if actor.role is Role.ADMIN or actor.id == user_id else scope & actor.scope
    return users.user_view(row, sorted(shown), workload(uow, user_id))


def parse_skills(words: Sequence[str]) -> frozenset[Category]:
    """Categories, as people type them. Raises InvalidField with the nearest one."""
    found = set()
    for word in words:
        try:
            found.add(Category(word.strip().lower()))
        except ValueError as why:
            near = get_close_matches(word.strip().lower(), list(Category), n=1)
            hint = f"did you mean {near[0]}?" if near else f"one of: {', '.join(Category)}"
            raise InvalidField(f"{word[:64]!r} is no skill that incidents ask for", hint=hint) from why
    return frozenset(found)


def parse_availability(word: str) -> Availability:
    try:
        return Availability(word.strip().lower())
    except ValueError as why:
        raise InvalidField(f"{word[:64]!r} is no availability", hint=f"one of: {', '.join(Availability)}") from why


def _email(uow: UnitOfWork, row: Row[Any], word: str) -> str:
    wanted = word.strip().lower()
    if "@" not in wanted or len(wanted) > users.MAX_NAME:
        raise InvalidField(f"{word[:64]!r} is no e-mail address", hint="--email jon@msp.example")
    taken = select(t.user.c.id).where(t.user.c.email == wanted, t.user.c.id != row.id)
    if uow.connection.execute(taken).first() is not None:
        raise Conflict(f"somebody has the address {wanted} already", hint="siems user list")
    return wanted


def _scope(uow: UnitOfWork, actor: Actor, account: Account, ask: UserEdit) -> tuple[list[str], list[str]]:
    """(companies that are added, that are removed). Managers give and take what they have themselves."""
    added = [find_company(uow.connection, ref, actor) for ref in ask.add_companies]
    removed = [find_company(uow.connection, ref, actor) for ref in ask.remove_companies]
    if (added or removed) and actor.role is not Role.ADMIN and account.role is not Role.TECHNICIAN:
        raise Forbidden(f"only an admin may change what {account.row.name} sees", hint=_ADMIN)
    added = sorted(set(added) - account.scope)
    removed = sorted(set(removed) & account.scope)
    for company_id in added:
        uow.connection.execute(t.user_company.insert().values(user_id=account.row.id, company_id=company_id))
    u = t.user_company.c
    uow.connection.execute(t.user_company.delete().where(u.user_id == account.row.id, u.company_id.in_(removed)))
    return added, removed


def _leave_an_admin(uow: UnitOfWork, actor: Actor, account: Account, wanted: dict[str, Any]) -> None:
    """Nobody locks themselves or everybody out. Raises Conflict."""
    row = account.row
    leaves = wanted.get("disabled") or wanted.get("role", row.role) != row.role
    if not leaves:
        return
    if row.id == actor.id:
        raise Conflict("nobody disables themselves or changes their own role", hint="ask another admin")
    others = select(func.count()).where(t.user.c.role == "admin", t.user.c.disabled.is_(False), t.user.c.id != row.id)
    if account.role is Role.ADMIN and not uow.connection.execute(others).scalar_one():
        raise Conflict(f"{row.name} is the only admin who can log in", hint="make another one first")


def set_availability(uow: UnitOfWork, actor: Actor, ref: str, word: str, reason: str = "") -> UserChanged:
    """Available, busy or away: for oneself, and for those whom one may edit."""
    account = find_account(uow.connection, ref, actor)
    if account.row.id != actor.id:
        _may_edit(actor, account)
    wanted = parse_availability(word).value
    before = account.row.availability
    if before == wanted:
        return UserChanged(user=_view(uow, actor, account.row.id), changed=False)
    uow.connection.execute(update(t.user).where(t.user.c.id == account.row.id).values(availability=wanted))
    details = {"before": before, "after": wanted}
    return _changed(uow, actor, account.row.id, "user.availability_set", reason, details)


def may_reset_password(connection: Connection, ref: str, actor: Actor) -> None:
    """Asked before the slow part. Raises NotFound, Forbidden."""
    _may_manage(actor, find_account(connection, ref, actor))


def reset_password(uow: UnitOfWork, actor: Actor, ref: str, hashed: str, reason: str = "") -> UserChanged:
    """Another password; whoever is logged in with the old one is so no more."""
    account = find_account(uow.connection, ref, actor)
    _may_manage(actor, account)
    row = account.row
    uow.connection.execute(update(t.user).where(t.user.c.id == row.id).values(password_hash=hashed))
    k = t.token.c
    ended = update(t.token).where(k.user_id == row.id, k.kind == "refresh", k.revoked_at.is_(None))
    uow.connection.execute(ended.values(revoked_at=uow.now))
    return _changed(uow, actor, row.id, "user.password_reset", reason, {})
