"""Browsers that are told: an invitation for a person, and the subscription that comes back by it."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from siems.clock import to_micros
from siems.domain.invitation import Invitation
from siems.domain.permissions import Actor, Permission, require_role
from siems.errors import Conflict
from siems.services.answering import who
from siems.services.contacts import add_contact, whose
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault
from siems.vocabulary import MSP
from siems.wire import ContactAsk

ROUTE = "browser"


def invited(uow: UnitOfWork, actor: Actor, user: str) -> tuple[str, str]:
    """(id, name) of the person whose browser is to be told. Raises NotFound, Forbidden."""
    require_role(actor, Permission.OWN_SESSION)
    person = whose(uow, actor, user)
    return person.id, person.name


def sealed(connection: Connection, number: str) -> str:
    """The address of a contact as it is kept."""
    return str(connection.execute(select(t.contact.c.address).where(t.contact.c.id == number)).scalar_one())


def subscribe(uow: UnitOfWork, invitation: Invitation, address: str, vault: Vault) -> tuple[str, bool]:
    """A contact for the browser of an invitation, its address checked by the channel already.

    (its id, whether pages reach it without a rule). An invitation is good for one browser: Conflict after that.
    """
    actor = who(uow, invitation.user_id)
    kept = t.idempotency.c
    where = (kept.actor == actor.id, kept.route == ROUTE, kept.key == invitation.random)
    if uow.connection.execute(select(kept.at).where(*where)).first() is not None:
        raise Conflict("this link was used already", hint="a new one:  siems notify browser")
    uow.insert("idempotency", (actor.id, ROUTE, invitation.random, MSP, "", "", to_micros(uow.now)))
    number = add_contact(uow, actor, ContactAsk(channel="webpush", address="", user=actor.id), address, vault)
    # they have opened a link of theirs in it and said yes to the browser: nothing is left to prove
    uow.connection.execute(update(t.contact).where(t.contact.c.id == number).values(verified_at=uow.now))
    rules = select(func.count()).select_from(t.notify_rule).where(t.notify_rule.c.user_id == actor.id)
    return number, not uow.connection.execute(rules).scalar_one()
