"""The outbox: messages that leave the house, decided in the transaction of the change."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from siems.clock import to_micros

if TYPE_CHECKING:
    from siems.domain.reach import Notice, Planned
    from siems.storage.unit_of_work import UnitOfWork

_OF_OBJECT = "WHERE object = ? AND state IN ('pending', 'failed', 'unknown')"
_CANCEL = f"UPDATE message SET state = 'cancelled', last_error = ?, ended_at = ? {_OF_OBJECT}"  # noqa: S608
_CANCEL_PAGES = f"{_CANCEL} AND unacknowledged = ?"
_STOP = "UPDATE message SET stopped = ? WHERE object = ? AND state = 'sending'"
_STOP_PAGES = f"{_STOP} AND unacknowledged = ?"
_CANCEL_NEW = f"{_CANCEL} AND created_at = ?"
_REVIVE = (
    "UPDATE message SET state = 'pending', last_error = '', stopped = '', ended_at = NULL"
    " WHERE object = ? AND state = 'cancelled' AND ended_at = ? AND last_error <> 'shadow'"
)


class Messages:
    """New messages of a batch, and those that it stops."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._cancelled: list[tuple[str, int, str]] = []
        self._answered: list[tuple[str, int, str, bool]] = []

    def add(self, user_id: str, notice: Notice, planned: Planned, *, shadow: bool = False) -> None:
        """One message for one contact (or an address that a policy calls); in shadow it is kept, and never sent."""
        uow, contact = self._uow, planned.contact
        why = f"{planned.why}; shadow: it would have been sent" if shadow else planned.why
        uow.insert(
            "message",
            (
                notice.company_id, f"{notice.key}:{planned.rule}:{user_id}:{contact.id}"[:240],
                f"{notice.key}:{user_id}"[:200], notice.event, user_id, contact.id, contact.channel, contact.hint,
                notice.object, int(notice.severity), notice.subject, notice.pages, notice.unacknowledged,
                planned.rule, why, "cancelled" if shadow else "pending", to_micros(uow.now), to_micros(planned.at),
                0, "", "", None, None, "", "shadow" if shadow else "", None, 0,
                to_micros(uow.now) if shadow else None, "",
            ),
        )  # fmt: skip
        if not shadow:
            self.expect(planned.at)

    def expect(self, at: datetime) -> None:
        """Something is to be sent at this time."""
        uow = self._uow
        if uow.earliest_send is None or at < uow.earliest_send:
            uow.earliest_send = at

    def cancel(self, object: str, why: str) -> None:
        """What waits to be sent about this is not sent."""
        self._uow.journal.append(self._cancelled, (why, to_micros(self._uow.now), object))

    def cancel_pages(self, object: str, why: str) -> None:
        """Somebody is on it: what only calls for somebody is not sent."""
        self._uow.journal.append(self._answered, (why, to_micros(self._uow.now), object, True))

    def take_back(self, object: str, at: datetime) -> None:
        """What was told at this moment is not sent, and what was stopped then is sent after all: an undo."""
        uow, moment = self._uow, to_micros(at)
        uow.flush()
        uow.run(_REVIVE, [(object, moment)])
        uow.run(_CANCEL_NEW, [("taken back", to_micros(uow.now), object, moment)])
        self.expect(uow.now)

    def flush(self) -> None:
        """After the new rows: what a batch adds and stops is stopped."""
        self._uow.run(_CANCEL, self._cancelled)
        self._uow.run(_CANCEL_PAGES, self._answered)
        # what is on its way cannot be held back; but it is not tried again
        self._uow.run(_STOP, [(why, object) for why, _, object in self._cancelled])
        self._uow.run(_STOP_PAGES, [(why, object, pages) for why, _, object, pages in self._answered])
        self._cancelled, self._answered = [], []
