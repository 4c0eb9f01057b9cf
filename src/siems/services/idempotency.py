"""A write that is sent twice with one key happens once: per actor and route, for 24 hours."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from siems.clock import to_micros
from siems.domain.permissions import Actor
from siems.errors import ReplayMismatch, SiemsError
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP


class Rehearsed(SiemsError):
    """A dry run that went well: everything is taken back, and this is what the answer would have been."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("nothing was changed")
        self.answer = answer


def rehearse(uow: UnitOfWork, verb: Callable[[UnitOfWork], bytes]) -> bytes:
    """Run a verb to its end and take it back. Always raises: Rehearsed, or what the verb raises."""
    answer = verb(uow)
    uow.settle()
    uow.flush()
    raise Rehearsed(answer)


def once(
    uow: UnitOfWork, actor: Actor, route: str, key: str, body_hash: str, verb: Callable[[UnitOfWork], bytes]
) -> bytes:
    """The answer of the verb, or the one it gave before. Raises ReplayMismatch for another body."""
    if not key:
        return verb(uow)
    kept = t.idempotency.c
    row = uow.connection.execute(
        select(t.idempotency).where(kept.actor == actor.id, kept.route == route, kept.key == key)
    ).first()
    if row is not None:
        if row.body_hash != body_hash:
            raise ReplayMismatch("this idempotency key was used for another request", hint="use a new key")
        return str(row.answer).encode()
    answer = verb(uow)
    uow.insert("idempotency", (actor.id, route, key, MSP, body_hash, answer.decode(), to_micros(uow.now)))
    return answer


def find(connection: Connection, actor: Actor, key: str) -> bytes | None:
    """What became of a write of this actor with this key."""
    kept = t.idempotency.c
    answer = connection.execute(select(kept.answer).where(kept.actor == actor.id, kept.key == key).limit(1)).scalar()
    return None if answer is None else str(answer).encode()
