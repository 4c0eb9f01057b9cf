"""People: their accounts, passwords, sessions and tokens."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Connection, Row, or_, select, update

from siems.clock import Clock
from siems.domain.events import Recorded
from siems.domain.permissions import Actor, Permission, require_role
from siems.errors import Conflict, InvalidField, NotAuthenticated, NotFound
from siems.services.filters import in_scope
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import random_token, token_hash
from siems.vocabulary import MSP, Availability, Role, Via
from siems.wire import UserAsk, UserView

ACCESS_FOR = timedelta(minutes=30)
REFRESH_FOR = timedelta(days=7)
ISSUER = "siems"
AUDIENCE = "siems-api"
MIN_PASSWORD = 12
MAX_NAME = 255

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_DUMMY = _hasher.hash("nobody has this password")


@dataclass(frozen=True, slots=True)
class Session:
    """A fresh pair of tokens."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    user_id: str


def hash_password(password: str, minimum: int = MIN_PASSWORD) -> str:
    """Argon2id. Slow on purpose: keep it off the event loop and out of the writer. Raises InvalidField."""
    if len(password) < minimum:
        raise InvalidField(f"a password has at least {minimum} characters", hint="a sentence is easy to remember")
    if len(password) > 1_024:
        raise InvalidField("a password has at most 1024 characters")
    return _hasher.hash(password)


def create(uow: UnitOfWork, actor: Actor, ask: UserAsk, password_hash: str) -> str:
    """A new user; the id. Raises InvalidField, Conflict."""
    require_role(actor, Permission.ADMINISTER)
    name = ask.name.strip()
    short = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not short:
        raise InvalidField("a user needs a name", hint="siems user create jon --email ... --role technician")
    if len(name) > MAX_NAME or len(ask.email) > MAX_NAME:
        raise InvalidField(f"names and addresses have at most {MAX_NAME} characters")
    if "@" not in ask.email:
        raise InvalidField(f"{ask.email!r} is no e-mail address", hint="--email jon@msp.example")
    role = parse_role(ask.role)
    companies = [_known_company(uow, c) for c in ask.companies]
    taken = select(t.user.c.id).where(
        or_(t.user.c.id == f"user-{short}", t.user.c.name == name, t.user.c.email == ask.email.strip().lower())
    )
    if uow.connection.execute(taken).first() is not None:
        raise Conflict(f"there is a user with this name or address: {name}", hint="siems user list")
    user_id = f"user-{short}"[:64]
    uow.connection.execute(
        t.user.insert().values(
            id=user_id, company_id=MSP, name=name, email=ask.email.strip().lower(), role=role.value,
            password_hash=password_hash, availability=Availability.AVAILABLE.value, disabled=False,
            created_at=uow.now, sessions_valid_after=None,
        )
    )  # fmt: skip
    for company_id in companies:
        uow.connection.execute(t.user_company.insert().values(user_id=user_id, company_id=company_id))
    uow.journal.drop(uow.memory.people_loaded, MSP)
    uow.emit(
        Recorded(
            type="user.created", actor=actor, company_id=MSP, object=user_id,
            details={"role": role.value, "companies": companies},
        )
    )  # fmt: skip
    return user_id


def parse_role(word: str) -> Role:
    try:
        return Role.parse(word)
    except ValueError as why:
        raise InvalidField(f"{word!r} is no role", hint=f"one of: {', '.join(Role)}") from why


def _known_company(uow: UnitOfWork, ref: str) -> str:
    found = find_company(uow.connection, ref)
    if found is None:
        raise NotFound(f"there is no company {ref!r}", hint="siems company list")
    return found


def mail_of(connection: Connection, user_id: str) -> str:
    """The mail address of a user."""
    return str(connection.execute(select(t.user.c.email).where(t.user.c.id == user_id)).scalar_one())


def find_company(connection: Connection, ref: str) -> str | None:
    """The id behind `comp-acme`, `acme` or `Acme Corp`."""
    wanted = ref.strip().lower()
    row = connection.execute(
        select(t.company.c.id).where(
            t.company.c.id != MSP, or_(t.company.c.id.in_([wanted, f"comp-{wanted}"]), t.company.c.name == ref.strip())
        )
    ).first()
    return None if row is None else str(row[0])


# --- sessions --------------------------------------------------------------------------------------------------


def check_password(connection: Connection, user: str, password: str) -> str:
    """The id of the user whose password this is. Takes as long for a user who is not there."""
    wanted = user.strip().lower()
    row = connection.execute(
        select(t.user).where(
            or_(t.user.c.email == wanted, t.user.c.name == user.strip(), t.user.c.id.in_([wanted, f"user-{wanted}"]))
        )
    ).first()
    stored = row.password_hash if row is not None and row.password_hash else _DUMMY
    right = _matches(stored, password)
    if not right or row is None or row.disabled:
        raise NotAuthenticated("this name and password do not match", hint="siems login --user NAME")
    return str(row.id)


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False


def begin_session(uow: UnitOfWork, user_id: str, key: bytes, *, family: str | None = None) -> Session:
    """An access token for 30 minutes and a refresh token for 7 days, used once."""
    refresh = random_token("siemsr", 32)
    if family is None:
        family = random_token("fam", 12)
        actor = Actor(user_id, user_id, Role.CLIENT)
        uow.emit(Recorded(type="session.begun", actor=actor, company_id=MSP, object=user_id))
    uow.connection.execute(
        t.token.insert().values(
            id=random_token("tok", 12), company_id=MSP, user_id=user_id, kind="refresh", hash=token_hash(refresh),
            family=family, created_at=uow.now, expires_at=uow.now + REFRESH_FOR, used_at=None, revoked_at=None,
        )
    )  # fmt: skip
    expires = uow.now + ACCESS_FOR
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": user_id, "fam": family, "typ": "access",
        "iat": int(uow.now.timestamp()), "exp": int(expires.timestamp()),
    }  # fmt: skip
    access = jwt.encode(claims, key, algorithm="HS256", headers={"typ": "at+jwt"})
    return Session(access, refresh, expires, user_id)


def renew_session(uow: UnitOfWork, refresh_token: str, key: bytes) -> Session | None:
    """A new pair for a refresh token that was not used yet.

    One that was used before was stolen from or by somebody: its whole family ends, and the answer is None, so
    that the ending is committed.
    """
    row = uow.connection.execute(select(t.token).where(t.token.c.hash == token_hash(refresh_token))).first()
    if row is None or row.kind != "refresh" or row.revoked_at or row.expires_at <= uow.now:
        raise not_logged_in()
    if row.used_at is not None:
        end_family(uow, row.family)
        return None
    _active_user(uow.connection, row.user_id)
    uow.connection.execute(update(t.token).where(t.token.c.id == row.id).values(used_at=uow.now))
    return begin_session(uow, row.user_id, key, family=row.family)


def end_family(uow: UnitOfWork, family: str) -> None:
    """Every token that came from one login is worthless from now on."""
    uow.connection.execute(
        update(t.token).where(t.token.c.family == family, t.token.c.revoked_at.is_(None)).values(revoked_at=uow.now)
    )


def end_session(uow: UnitOfWork, refresh_token: str) -> None:
    row = uow.connection.execute(select(t.token).where(t.token.c.hash == token_hash(refresh_token))).first()
    if row is not None:
        end_family(uow, row.family)


def make_local_token(uow: UnitOfWork, user_id: str) -> str:
    """The token of the machine that siems was set up on: it does not expire, and is revoked with its user."""
    token = random_token("siemsl", 32)
    uow.connection.execute(
        t.token.insert().values(
            id=random_token("tok", 12), company_id=MSP, user_id=user_id, kind="local", hash=token_hash(token),
            family=random_token("fam", 12), created_at=uow.now, expires_at=None, used_at=None, revoked_at=None,
        )
    )  # fmt: skip
    return token


def identify(connection: Connection, token: str, key: bytes, clock: Clock, via: Via) -> Actor:
    """Whose token this is. Raises NotAuthenticated, always with the same words."""
    if token.startswith("siemsl_"):
        row = connection.execute(
            select(t.token).where(t.token.c.hash == token_hash(token), t.token.c.revoked_at.is_(None))
        ).first()
        if row is None or row.kind != "local":
            raise not_logged_in()
        return _actor(connection, row.user_id, via)
    claims = _claims(token, key, clock)
    ended = select(t.token.c.id).where(t.token.c.family == claims["fam"], t.token.c.revoked_at.is_not(None))
    if connection.execute(ended).first() is not None:
        raise not_logged_in()
    return _actor(connection, claims["sub"], via)


def _claims(token: str, key: bytes, clock: Clock) -> dict[str, Any]:
    """The claims of an access token; type and shape are checked here, since the library does not."""
    try:
        if jwt.get_unverified_header(token).get("typ") != "at+jwt":
            raise not_logged_in()
        claims = jwt.decode(
            token, key, algorithms=["HS256"], audience=AUDIENCE, issuer=ISSUER,
            options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub", "iss", "aud"]},
        )  # fmt: skip
    except jwt.PyJWTError as why:
        raise not_logged_in() from why
    expires, kind = claims.get("exp"), claims.get("typ")
    if kind != "access" or type(expires) is not int or not isinstance(claims.get("sub"), str):
        raise not_logged_in()
    if not isinstance(claims.get("fam"), str) or expires <= clock.now().timestamp():
        raise not_logged_in()
    return dict(claims)


def not_logged_in() -> NotAuthenticated:
    return NotAuthenticated("you are not logged in", hint="siems login")


def _active_user(connection: Connection, user_id: str) -> Row[Any]:
    row = connection.execute(select(t.user).where(t.user.c.id == user_id)).first()
    if row is None or row.disabled:
        raise not_logged_in()
    return row


def _actor(connection: Connection, user_id: str, via: Via) -> Actor:
    row = _active_user(connection, user_id)
    return Actor(row.id, row.name, Role(row.role), scope_of(connection, user_id), via)


def scope_of(connection: Connection, user_id: str) -> frozenset[str]:
    rows = connection.execute(select(t.user_company.c.company_id).where(t.user_company.c.user_id == user_id))
    return frozenset(company_id for (company_id,) in rows)


def users_for(connection: Connection, actor: Actor, company_id: str | None = None) -> list[UserView]:
    """The users whom the caller may see: colleagues, and who works for the companies in their scope."""
    scopes: dict[str, set[str]] = {}
    for user_id, company in connection.execute(select(t.user_company.c.user_id, t.user_company.c.company_id)):
        scopes.setdefault(user_id, set()).add(company)
    load: dict[str, int] = {}
    open_states = ("OPEN", "ASSIGNED", "IN_PROGRESS")
    i = t.incident.c
    busy = (i.state.in_(open_states), i.assignee.is_not(None), in_scope(i.company_id, actor))
    for (user_id,) in connection.execute(select(i.assignee).where(*busy)):
        load[user_id] = load.get(user_id, 0) + 1
    found = []
    for row in connection.execute(select(t.user).order_by(t.user.c.name)):
        scope = scopes.get(row.id, set())
        visible = actor.role is Role.ADMIN or row.id == actor.id or row.role == Role.ADMIN or scope & actor.scope
        works = company_id is None or row.role == Role.ADMIN or company_id in scope
        if actor.role is Role.CLIENT and row.id != actor.id:
            continue
        if visible and works:
            shown = scope if actor.role is Role.ADMIN or row.id == actor.id else scope & actor.scope
            found.append(user_view(row, sorted(shown), load.get(row.id, 0)))
    return found


def user_view(row: Row[Any], companies: list[str], open_incidents: int = 0) -> UserView:
    return UserView(
        id=row.id, name=row.name, email=row.email, role=row.role, companies=companies,
        availability=row.availability, disabled=row.disabled, open_incidents=open_incidents,
        skills=json.loads(row.skills), assigned_at=row.assigned_at,
    )  # fmt: skip
