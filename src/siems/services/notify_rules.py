"""The verbs of rules: who is told from which severity on, by which contact, after which wait."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, delete, select, update

from siems.domain.permissions import Actor, Permission, require_role
from siems.errors import Conflict, InvalidField
from siems.services.contacts import (
    MOST,
    about_of,
    add_contact,
    changed,
    company_of,
    find_contact,
    find_owned,
    record,
    severity_of,
    whose,
)
from siems.storage import tables as t
from siems.storage.memory import Person
from siems.storage.reaching import OWN_MAIL
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault
from siems.vocabulary import MSP
from siems.wire import ContactAsk, RuleAsk, RuleEdit

LONGEST_WAIT = 24 * 3600


def add_rule(uow: UnitOfWork, actor: Actor, ask: RuleAsk, address: str, vault: Vault) -> str:
    """A new rule; makes the contact where channel and address are given. The id."""
    require_role(actor, Permission.OWN_SESSION)
    person = whose(uow, actor, ask.user)
    contact_id = _contact_for(uow, actor, person, ask, address, vault)
    r = t.notify_rule.c
    if uow.connection.execute(select(r.id).where(r.user_id == person.id)).fetchmany(MOST + 1)[MOST:]:
        raise Conflict(f"{person.name} has {MOST} rules already", hint="siems notify rules list")
    company_id = company_of(uow, actor, ask.company) if ask.company else ""
    number = f"NR-{uow.next_number('notify_rule')}"
    severity, wait, about = severity_of(ask.severity), _wait(ask.after_seconds), about_of(ask.about)
    uow.connection.execute(
        t.notify_rule.insert().values(
            id=number, company_id=MSP, user_id=person.id, contact_id=contact_id, severity=int(severity),
            wait_seconds=wait, about=json.dumps(about), about_company=company_id, created_at=uow.now,
        )
    )  # fmt: skip
    changed(uow)
    details = {"user": person.id, "contact": contact_id, "severity": severity.name, "after": wait, "about": about}
    record(uow, actor, "notify_rule.added", number, **details)
    return number


def _contact_for(
    uow: UnitOfWork, actor: Actor, person: Person, ask: RuleAsk, address: str, vault: Vault
) -> str:  # fmt: skip
    if ask.contact:
        row = find_contact(uow, actor, ask.contact)
        if row.user_id != person.id:
            raise InvalidField(f"{row.id} does not belong to {person.name}", hint="siems notify contact list")
        return str(row.id)
    if address:
        made = ContactAsk(channel=ask.channel, address=address, user=person.id, options=ask.options)
        return add_contact(uow, actor, made, address, vault)
    c = t.contact.c
    found = uow.connection.execute(
        select(c.id).where(c.user_id == person.id, c.channel == ask.channel).order_by(c.created_at)
    ).scalar()
    if found is not None:
        return str(found)
    if ask.channel == "email":
        return f"{OWN_MAIL}{person.id}"
    raise InvalidField(f"{person.name} has no contact for {ask.channel or 'it'}", hint="--channel sms --to +15550100")


def edit_rule(uow: UnitOfWork, actor: Actor, ref: str, ask: RuleEdit) -> None:
    require_role(actor, Permission.OWN_SESSION)
    row = _find_rule(uow, actor, ref)
    values: dict[str, Any] = {}
    if ask.severity is not None:
        values["severity"] = int(severity_of(ask.severity))
    if ask.after_seconds is not None:
        values["wait_seconds"] = _wait(ask.after_seconds)
    if ask.about is not None:
        values["about"] = json.dumps(about_of(ask.about))
    if ask.company is not None:
        values["about_company"] = company_of(uow, actor, ask.company) if ask.company else ""
    if values:
        uow.connection.execute(update(t.notify_rule).where(t.notify_rule.c.id == row.id).values(**values))
        changed(uow)
        record(uow, actor, "notify_rule.edited", row.id, **values)


def delete_rule(uow: UnitOfWork, actor: Actor, ref: str) -> None:
    require_role(actor, Permission.OWN_SESSION)
    row = _find_rule(uow, actor, ref)
    uow.connection.execute(delete(t.notify_rule).where(t.notify_rule.c.id == row.id))
    changed(uow)
    record(uow, actor, "notify_rule.removed", row.id, user=row.user_id)


def _find_rule(uow: UnitOfWork, actor: Actor, ref: str) -> Row[Any]:
    return find_owned(uow, actor, t.notify_rule, "NR-", ref)


def _wait(seconds: int) -> int:
    if not 0 <= seconds <= LONGEST_WAIT:
        raise InvalidField("a rule waits for a day at most", hint="--after 5m")
    return seconds
