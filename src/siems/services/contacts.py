"""How a person wants to be reached: the verbs of contacts, rules, preferences and what somebody follows."""

from __future__ import annotations

import json
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Table, delete, select, update

from siems.domain.events import Recorded
from siems.domain.permissions import Actor, Permission, missing, require_role
from siems.domain.reach import ALL, PAGES, hint_of
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services.users import find_company
from siems.storage import tables as t
from siems.storage.memory import Person
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault, token_hash
from siems.vocabulary import MSP, Role, Severity
from siems.wire import ContactAsk, FollowAsk, PreferencesAsk

MOST = 50
SECRET_OPTIONS = frozenset({"secret", "token", "password", "key"})
"""Kept encrypted with the address, and never shown."""
CODE_FOR = timedelta(minutes=15)
EVENTS = (
    "incident.opened", "incident.reopened", "incident.assigned", "incident.escalated", "incident.resolved",
    "incident.resumed", "incident.unsilenced", "incident.still_on_it", "sla.warned", "sla.breached", "page.opened",
    "silence.expiring", "message.dead",
)  # fmt: skip
"""What a rule can be about, besides all and pages."""


def whose(uow: UnitOfWork, actor: Actor, ref: str) -> Person:
    """The user whose things these are. Their own are everybody's; others' are for admins, and managers for
    technicians and clients of their companies. Raises NotFound, Forbidden."""
    wanted = ref.strip().lower()
    if wanted in ("", "@me", "me"):
        wanted = actor.id
    for person in uow.people():
        if wanted not in (person.id, person.id.removeprefix("user-"), person.name.lower(), person.email.lower()):
            continue
        if person.id == actor.id or actor.role is Role.ADMIN:
            return person
        if actor.role is Role.MANAGER and person.scope and person.scope <= actor.scope and person.role in (
            Role.TECHNICIAN, Role.CLIENT,
        ):  # fmt: skip
            return person
        if actor.scope & person.scope or person.role is Role.ADMIN:
            raise Forbidden(f"only {person.name} and admins change how {person.name} is reached")
        break
    raise NotFound(f"there is no user {ref!r}", hint="siems user list")


def changed(uow: UnitOfWork) -> None:
    """How people are reached is looked up anew."""
    uow.journal.drop(uow.memory.people_loaded, MSP)


def record(uow: UnitOfWork, actor: Actor, type: str, object: str, **details: Any) -> None:
    uow.emit(Recorded(type=type, actor=actor, company_id=MSP, object=object, details=details))


# --- contacts --------------------------------------------------------------------------------------------------


def add_contact(uow: UnitOfWork, actor: Actor, ask: ContactAsk, address: str, vault: Vault) -> str:
    """A new contact, its address checked by its channel already; the id."""
    require_role(actor, Permission.OWN_SESSION)
    person = whose(uow, actor, ask.user)
    if ask.options.get("allow_private", "") and actor.role is not Role.ADMIN:
        raise Forbidden("only admins may let siems call addresses of the internal network")
    c = t.contact.c
    mine = list(uow.connection.execute(select(t.contact).where(c.user_id == person.id)))
    if len(mine) >= MOST:
        raise Conflict(f"{person.name} has {MOST} contacts already", hint="siems notify contact list")
    for row in mine:
        if row.channel == ask.channel and json.loads(vault.unseal(row.address))["address"] == address:
            return str(row.id)
    number = f"CON-{uow.next_number('contact')}"
    hint = hint_of(ask.channel, address)
    sealed = vault.seal(json.dumps({"address": address, "options": ask.options}))
    shown = {name: "..." if name in SECRET_OPTIONS else value for name, value in ask.options.items()}
    uow.connection.execute(
        t.contact.insert().values(
            id=number, company_id=MSP, user_id=person.id, channel=ask.channel, address=sealed, hint=hint,
            options=json.dumps(shown), created_at=uow.now, verified_at=None, code_hash="", code_until=None,
            last_delivered_at=None, last_failed_at=None, last_error="",
        )
    )  # fmt: skip
    changed(uow)
    record(uow, actor, "contact.added", number, user=person.id, channel=ask.channel, hint=hint)
    return number


def find_contact(uow: UnitOfWork, actor: Actor, ref: str) -> Row[Any]:
    """A contact that this actor may change. Raises NotFound, Forbidden."""
    return find_owned(uow, actor, t.contact, "CON-", ref)


def find_owned(uow: UnitOfWork, actor: Actor, table: Table, prefix: str, ref: str) -> Row[Any]:
    """A row of a person's own, which this actor may change: `CON-3` or `3`. Raises NotFound, Forbidden."""
    number = ref.strip().upper()
    number = number if number.startswith(prefix) else f"{prefix}{number}"
    row = uow.connection.execute(select(table).where(table.c.id == number)).first()
    if row is None:
        raise missing(ref)
    try:
        whose(uow, actor, row.user_id)
    except NotFound as why:
        raise missing(ref) from why
    return row


def delete_contact(uow: UnitOfWork, actor: Actor, ref: str) -> int:
    """A contact goes, with its rules; how many rules those were."""
    require_role(actor, Permission.OWN_SESSION)
    row = find_contact(uow, actor, ref)
    r = t.notify_rule.c
    rules = uow.connection.execute(delete(t.notify_rule).where(r.contact_id == row.id)).rowcount
    uow.connection.execute(delete(t.contact).where(t.contact.c.id == row.id))
    changed(uow)
    record(uow, actor, "contact.removed", row.id, user=row.user_id, channel=row.channel, rules=rules)
    return rules


def keep_code(uow: UnitOfWork, contact_id: str, code: str) -> None:
    """The code that proves that a contact is theirs."""
    uow.connection.execute(
        update(t.contact)
        .where(t.contact.c.id == contact_id)
        .values(code_hash=token_hash(f"{contact_id}:{code}"), code_until=uow.now + CODE_FOR)
    )


def verify_contact(uow: UnitOfWork, actor: Actor, ref: str, code: str) -> bool:
    """The code arrived: the contact works and is theirs. False for a wrong one, which is used up by that."""
    require_role(actor, Permission.OWN_SESSION)
    row = find_contact(uow, actor, ref)
    expired = row.code_until is None or row.code_until < uow.now
    if expired or token_hash(f"{row.id}:{code.strip()}") != row.code_hash:
        # one guess per code: six digits must not be tried out
        uow.connection.execute(update(t.contact).where(t.contact.c.id == row.id).values(code_until=None))
        return False
    uow.connection.execute(
        update(t.contact).where(t.contact.c.id == row.id).values(verified_at=uow.now, code_hash="", code_until=None)
    )
    changed(uow)
    record(uow, actor, "contact.verified", row.id, user=row.user_id, channel=row.channel)
    return True


# --- preferences -----------------------------------------------------------------------------------------------


def set_preferences(uow: UnitOfWork, actor: Actor, ask: PreferencesAsk) -> str:
    """Quiet hours and digest of a person; what is None stays. The id of the user."""
    require_role(actor, Permission.OWN_SESSION)
    person = whose(uow, actor, ask.user)
    p = t.notify_preference
    row = uow.connection.execute(select(p).where(p.c.user_id == person.id)).first()
    values = {
        "quiet_from": _clock("quiet_from", ask.quiet_from, row.quiet_from if row else ""),
        "quiet_until": _clock("quiet_until", ask.quiet_until, row.quiet_until if row else ""),
        "digest_at": _clock("digest_at", ask.digest_at, row.digest_at if row else ""),
        "zone": _zone(ask.zone) if ask.zone is not None else (row.zone if row else "UTC"),
    }
    if bool(values["quiet_from"]) != bool(values["quiet_until"]):
        raise InvalidField("quiet hours have a beginning and an end", hint="--quiet 22:00-06:00")
    if row is None:
        uow.connection.execute(p.insert().values(user_id=person.id, company_id=MSP, **values))
    else:
        uow.connection.execute(update(p).where(p.c.user_id == person.id).values(**values))
    changed(uow)
    record(uow, actor, "notify_preferences.set", person.id, **values)
    return person.id


def _clock(name: str, given: str | None, before: str) -> str:
    if given is None:
        return before
    if not given:
        return ""
    try:
        return f"{time.fromisoformat(given):%H:%M}"
    except ValueError as why:
        raise InvalidField(f"{name} is a time like 22:00, not {given[:20]!r}") from why


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except Exception as why:
        raise InvalidField(f"there is no time zone {name[:40]!r}", hint="write it like Europe/Oslo") from why


# --- following -------------------------------------------------------------------------------------------------


def follow(uow: UnitOfWork, actor: Actor, ask: FollowAsk) -> bool:
    """Hear of a company without being paged; False when it is so already. An empty `about` ends it."""
    require_role(actor, Permission.OWN_SESSION)
    person = whose(uow, actor, ask.user)
    company_id = company_of(uow, actor, ask.company)
    if not person.covers(company_id):
        raise missing(ask.company)
    s = t.subscription
    where = (s.c.user_id == person.id, s.c.company_id == company_id)
    row = uow.connection.execute(select(s).where(*where)).first()
    severity, about = int(severity_of(ask.severity)), json.dumps(about_of(ask.about) if ask.about else [])
    if (row is None and not ask.about) or (row is not None and (row.severity, row.about) == (severity, about)):
        return False
    uow.connection.execute(delete(s).where(*where))
    if ask.about:
        uow.connection.execute(
            s.insert().values(user_id=person.id, company_id=company_id, severity=severity, about=about)
        )
    changed(uow)
    record(uow, actor, "company.followed" if ask.about else "company.unfollowed", company_id, user=person.id)
    return True


# --- words -----------------------------------------------------------------------------------------------------


def severity_of(word: str) -> Severity:
    try:
        return Severity[word.strip().upper()]
    except KeyError as why:
        raise InvalidField(f"{word[:20]!r} is no severity", hint="LOW, MEDIUM, HIGH or CRITICAL") from why


def about_of(words: list[str]) -> list[str]:
    known = (ALL, PAGES, *EVENTS)
    for word in words:
        if word not in known:
            raise InvalidField(f"{word[:40]!r} is nothing that is told", hint=f"one of: {', '.join(known)}")
    return sorted(set(words)) or [ALL]


def company_of(uow: UnitOfWork, actor: Actor, ref: str) -> str:
    found = find_company(uow.connection, ref)
    if found is None or not actor.sees(found):
        raise missing(ref)
    return found
