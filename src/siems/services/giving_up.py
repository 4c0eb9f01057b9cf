"""A message that a contact does not take: the next channel is tried, and whoever is concerned hears of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, select, update

from siems.domain.events import MessageDead
from siems.domain.reach import Notice, Planned
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Severity

LIVE = ("pending", "sending", "failed", "unknown")
"""The states of what is still to be sent."""

m = t.message.c


def stop(uow: UnitOfWork, rows: Iterable[Row[Any]], why: str = "") -> None:
    """What somebody has answered, or must not be told any more, is not tried again."""
    for row in rows:
        uow.connection.execute(
            update(t.message)
            .where(m.id == row.id)
            .values(state="cancelled", ended_at=uow.now, last_error=why or row.stopped)
        )


def give_up(uow: UnitOfWork, rows: Iterable[Row[Any]], error: str) -> None:
    """Not tried again here: the next channel is."""
    for row in rows:
        uow.connection.execute(
            update(t.message).where(m.id == row.id).values(state="dead", ended_at=uow.now, last_error=error)
        )
        left = _next_channel(uow, row)
        uow.emit(
            MessageDead(row.company_id, row.object, row.user_id, row.channel, row.hint, row.pages, error, left)
        )  # fmt: skip


def _next_channel(uow: UnitOfWork, row: Row[Any]) -> bool:
    """Bring forward what waits for the same person, else try a contact that was not asked yet."""
    mine = select(t.message).where(m.notice == row.notice)
    others = list(uow.connection.execute(mine.order_by(m.next_at, m.id)))
    waiting = next((other for other in others if other.state == "pending" and other.next_at > uow.now), None)
    if waiting is not None:
        uow.connection.execute(update(t.message).where(m.id == waiting.id).values(next_at=uow.now))
        uow.messages.expect(uow.now)
        return True
    if any(other.state in LIVE for other in others):
        return True
    used = {other.contact_id for other in others}
    contact = next((c for c in uow.reach(row.user_id).contacts if c.id not in used), None)
    if contact is None or not row.pages:
        return any(other.state == "sent" for other in others)
    notice = Notice(
        key=row.notice.removesuffix(f":{row.user_id}"), event=row.event, object=row.object, company_id=row.company_id,
        severity=Severity(row.severity), subject=row.subject, pages=row.pages, unacknowledged=row.unacknowledged,
    )  # fmt: skip
    uow.messages.add(
        row.user_id, notice, Planned(contact, "next", uow.now, f"{row.channel} gave up: {contact.channel} is next")
    )
    return True
