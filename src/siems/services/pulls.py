"""Queues that siems empties: which daemon does it, and how the last look went."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import select, update

from siems.clock import EPOCH
from siems.domain.alert import Read, Reading
from siems.services.ingest import Incoming, accept
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Severity

TOLD_AFTER = 5
"""So many looks in a row that fail make an alert of the MSP's own: a queue that nobody empties pages nobody."""


def hold(uow: UnitOfWork, integration_id: str, company_id: str, holder: str, lasts: timedelta) -> bool:
    """Whether this daemon may empty the queue from now on, for so long. One daemon at a time may."""
    row = _row(uow, integration_id, company_id)
    if row.holder != holder and row.until > uow.now:
        return False
    _set(uow, integration_id, holder=holder, until=uow.now + lasts)
    return True


def release(uow: UnitOfWork, integration_id: str, company_id: str, holder: str) -> None:
    """Another daemon may go on at once."""
    row = _row(uow, integration_id, company_id)
    if row.holder == holder:
        _set(uow, integration_id, until=uow.now)


def looked(uow: UnitOfWork, integration_id: str, company_id: str, received: int) -> None:
    """The queue was asked and has answered; so many of its messages are on disk."""
    row = _row(uow, integration_id, company_id)
    if row.failures >= TOLD_AFTER:
        _tell(uow, integration_id, row.error, firing=False)
    _set(uow, integration_id, polled_at=uow.now, received=row.received + received, failures=0, error="", hint="",
         error_at=None)  # fmt: skip


def failed(uow: UnitOfWork, integration_id: str, company_id: str, error: str, hint: str) -> None:
    """The queue could not be emptied."""
    row = _row(uow, integration_id, company_id)
    _set(uow, integration_id, failures=row.failures + 1, error=error[:1_000], hint=hint[:500], error_at=uow.now)
    if row.failures + 1 == TOLD_AFTER:
        _tell(uow, integration_id, error[:1_000], firing=True)


def _row(uow: UnitOfWork, integration_id: str, company_id: str) -> Any:
    where = select(t.pull).where(t.pull.c.integration_id == integration_id)
    found = uow.connection.execute(where).first()
    if found is None:
        uow.connection.execute(
            t.pull.insert().values(
                integration_id=integration_id, company_id=company_id, holder="", until=EPOCH, polled_at=None,
                received=0, failures=0, error="", hint="", error_at=None,
            )
        )  # fmt: skip
        found = uow.connection.execute(where).one()
    return found


def _set(uow: UnitOfWork, integration_id: str, **values: Any) -> None:
    uow.connection.execute(update(t.pull).where(t.pull.c.integration_id == integration_id).values(**values))


def _tell(uow: UnitOfWork, integration_id: str, error: str, *, firing: bool) -> None:
    reading = Reading(
        asset_name=integration_id, signature="queue_not_emptied", severity=Severity.HIGH, original_severity="",
        message=f"{integration_id} cannot be emptied, so its alerts do not arrive: {error}", tool_source="siems",
        firing=firing,
    )  # fmt: skip
    body = reading.message.encode()
    accept(uow, Incoming(MSP, "siems", Read((reading,)), body, None, sha256(body).digest()))
