"""The inboxes: whom to tell what, decided in the transaction of the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from siems.clock import to_micros

if TYPE_CHECKING:
    from siems.domain.reach import Notice
    from siems.storage.unit_of_work import UnitOfWork

_CANCEL = "UPDATE notification SET state = 'cancelled' WHERE object = ? AND state = 'pending' AND next_at > ?"


class Outbox:
    """New notices of a batch. The in-app inbox is the table itself: a row is delivered by its commit."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._cancelled: list[str] = []

    def notify(self, user_id: str, notice: Notice, *, why: str = "", shadow: bool = False) -> None:
        """A notice for one person's inbox; its delay leaves room for an undo. `why`: that it goes no further."""
        at = self._uow.now
        state, sent = ("pending", None) if notice.delay else ("sent", to_micros(at))
        if shadow:
            state, sent, why = "cancelled", None, f"shadow: it would have been told; {why}".rstrip("; ")
        self._uow.insert(
            "notification",
            (
                notice.company_id, f"{notice.key}:{user_id}:inbox"[:200], notice.event, user_id, "inbox",
                notice.object, notice.subject, notice.unacknowledged, state, to_micros(at),
                to_micros(at + notice.delay), sent, None, int(notice.severity), notice.pages, why,
            ),
        )  # fmt: skip

    def cancel(self, object: str) -> None:
        """What is still held back about this, here and on its way out of the house, is not told."""
        self._uow.journal.append(self._cancelled, object)

    def flush(self) -> None:
        now = to_micros(self._uow.now)
        self._uow.run(_CANCEL, [(object, now) for object in self._cancelled])
        self._cancelled = []
