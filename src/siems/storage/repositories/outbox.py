"""The outbox: whom to tell what, decided in the transaction of the change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from siems.clock import to_micros

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_CANCEL = "UPDATE notification SET state = 'cancelled' WHERE object = ? AND state = 'pending' AND next_at > ?"


class Outbox:
    """New messages of a batch. The in-app inbox is the table itself: a row is delivered by its commit."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._cancelled: list[str] = []

    def notify(
        self, user_id: str, *, key: str, event: str, object: str, company_id: str, subject: str,
        unacknowledged: bool = False, delay: timedelta = timedelta(0),
    ) -> None:  # fmt: skip
        """A message for one person's inbox; `delay` leaves room for an undo."""
        at = self._uow.now
        due: datetime = at + delay
        state, sent = ("pending", None) if delay else ("sent", to_micros(at))
        self._uow.insert(
            "notification",
            (
                company_id, f"{key}:{user_id}:inbox"[:200], event, user_id, "inbox", object, subject,
                unacknowledged, state, to_micros(at), to_micros(due), sent, None,
            ),
        )  # fmt: skip

    def cancel(self, object: str) -> None:
        """Messages about this that wait are not sent."""
        self._uow.journal.append(self._cancelled, object)

    def flush(self) -> None:
        now = to_micros(self._uow.now)
        self._uow.run(_CANCEL, [(object, now) for object in self._cancelled])
        self._cancelled = []
