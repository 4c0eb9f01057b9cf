"""Whether this siems keeps to itself: a copy that was put back sends and runs nothing until somebody says so."""

from __future__ import annotations

from sqlalchemy import Connection, text

from siems.domain.events import Recorded
from siems.domain.permissions import SYSTEM, Actor, Permission, require_role
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP
from siems.wire import Check

_NAME = "paused"
_SET = (
    "INSERT INTO counter (name, company_id, value) VALUES (:name, :msp, :value)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


def is_paused(connection: Connection) -> bool:
    """Whether messages, runs and tickets wait."""
    return bool(connection.execute(text("SELECT value FROM counter WHERE name = :n"), {"n": _NAME}).scalar())


def pause(uow: UnitOfWork) -> None:
    """From now on nothing leaves the house, though everything else goes on."""
    uow.connection.execute(text(_SET), {"name": _NAME, "msp": MSP, "value": 1})
    uow.emit(Recorded(type="siems.paused", actor=SYSTEM, company_id=MSP, object="siems"))


def resume(uow: UnitOfWork, actor: Actor, reason: str) -> bool:
    """What waited leaves; False when nothing was paused."""
    require_role(actor, Permission.ADMINISTER)
    if not is_paused(uow.connection):
        return False
    uow.connection.execute(text(_SET), {"name": _NAME, "msp": MSP, "value": 0})
    uow.emit(Recorded(type="siems.resumed", actor=actor, company_id=MSP, object="siems", reason=reason))
    uow.messages.expect(uow.now)
    return True


def pause_check(connection: Connection) -> list[Check]:
    """A line of `doctor`, while it is so."""
    if not is_paused(connection):
        return []
    cause = "a backup was put back: messages, runs and tickets wait, so that nobody is paged twice"
    return [Check(name="paused", ok=False, cause=cause, fix="when this is the siems that shall page:  siems db resume")]
