"""What became of messages: taken, to be tried again, given up for the next channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update

from siems.domain.events import Recorded
from siems.domain.permissions import Actor
from siems.domain.reach import retry_at
from siems.services.delivery import Parcel
from siems.services.giving_up import give_up, stop
from siems.storage import tables as t
from siems.storage.reaching import OWN_MAIL
from siems.storage.unit_of_work import UnitOfWork

m = t.message.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the provider said: taken (`message_id`), never (`refused`), or not now."""

    accepted: bool
    message_id: str = ""
    error: str = ""
    refused: bool = False
    retry_after: float | None = None
    chance: float = 0.5


def finish(uow: UnitOfWork, parcel: Parcel, outcome: Outcome) -> bool:
    """Write down what became of a message; False when the lease was lost meanwhile, and another decides."""
    rows = list(
        uow.connection.execute(
            select(t.message).where(m.id.in_(parcel.ids), m.lease_token == parcel.token, m.state == "sending")
        )
    )
    if not rows:
        return False
    ids = [row.id for row in rows]
    change = update(t.message).where(m.id.in_(ids), m.lease_token == parcel.token)
    if outcome.accepted:
        uow.connection.execute(
            change.values(
                state="sent", sent_at=uow.now, ended_at=uow.now, last_error="",
                provider_message_id=outcome.message_id[:500],
            )
        )  # fmt: skip
        _contact_says(uow, parcel.contact_id, last_delivered_at=uow.now, last_error="")
        for row in rows:
            uow.audit.add_fact(row.company_id, [f"MSG-{row.id}", "sent", row.object, row.user_id, row.channel])
        _publish(uow, parcel, "message.sent")
        return True
    error = outcome.error[:500]
    stopped = [row for row in rows if row.stopped]
    if stopped:
        stop(uow, stopped)
        rows = [row for row in rows if not row.stopped]
        if not rows:
            return True
        change = update(t.message).where(m.id.in_([row.id for row in rows]), m.lease_token == parcel.token)
    again = None if outcome.refused else retry_at(
        parcel.attempt, now=uow.now, chance=outcome.chance, retry_after=outcome.retry_after
    )  # fmt: skip
    _contact_says(uow, parcel.contact_id, last_failed_at=uow.now, last_error=error)
    if again is not None:
        uow.connection.execute(change.values(state="failed", next_at=again, last_error=error))
        uow.messages.expect(again)
        _publish(uow, parcel, "message.failed", error=error)
    else:
        give_up(uow, rows, error)
    return True


def _contact_says(uow: UnitOfWork, contact_id: str, **values: Any) -> None:
    if not contact_id.startswith(OWN_MAIL):
        uow.connection.execute(update(t.contact).where(t.contact.c.id == contact_id).values(**values))


def _publish(uow: UnitOfWork, parcel: Parcel, type: str, **more: str) -> None:
    uow.stream.add(
        type, parcel.object or f"B-{parcel.bundle}", company_id=parcel.company_id,
        data={"user": parcel.user_id, "channel": parcel.channel, "messages": len(parcel.ids)} | more, coalesce=True,
    )  # fmt: skip


def retry(uow: UnitOfWork, actor: Actor, number: int) -> bool:
    """Try a message again that has failed, was given up or was stopped; False while it is on its way or was sent."""
    row = uow.connection.execute(select(t.message).where(m.id == number)).one()
    if row.state in ("pending", "sending", "sent"):
        return False
    uow.connection.execute(
        update(t.message).where(m.id == number).values(
            state="pending", attempt=0, next_at=uow.now, ended_at=None, bundle_id=None, listed=0,
        )
    )  # fmt: skip
    p = t.pace.c  # whoever asks for it does not want to wait for company
    uow.connection.execute(delete(t.pace).where(p.contact_id == row.contact_id, p.company_id == row.company_id))
    uow.messages.expect(uow.now)
    uow.emit(
        Recorded(
            type="message.retried", actor=actor, company_id=row.company_id, object=f"MSG-{number}",
            details={"user": row.user_id, "channel": row.channel, "was": row.state},
        )
    )  # fmt: skip
    return True
