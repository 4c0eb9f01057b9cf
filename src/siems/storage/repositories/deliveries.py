"""Deliveries: an id that a sender used once gets the same answer again, never a second alert."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from siems.clock import to_micros

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

Delivered = tuple[str, str, str]
"""Company, source, delivery id."""


@dataclass(frozen=True, slots=True)
class Receipt:
    body_hash: bytes
    answer: str


class Deliveries:
    """The deliveries of a batch. Looked up for the whole batch at once, before its verbs run."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._known: dict[Delivered, Receipt] = {}
        self._looked_up: set[Delivered] = set()

    def look_up(self, wanted: Iterable[Delivered]) -> None:
        """Fetch what the database has of these, in few statements."""
        fresh = [key for key in wanted if key not in self._looked_up]
        self._looked_up.update(fresh)
        for start in range(0, len(fresh), 100):
            part = fresh[start : start + 100]
            marks = ", ".join(f"(:c{i}, :s{i}, :d{i})" for i in range(len(part)))
            values = {
                f"{letter}{i}": value
                for i, key in enumerate(part)
                for letter, value in zip("csd", key, strict=True)
            }
            rows = self._uow.connection.execute(
                text(
                    "SELECT company_id, source, delivery_id, body_hash, answer FROM delivery"  # noqa: S608
                    f" WHERE (company_id, source, delivery_id) IN (VALUES {marks})"
                ),
                values,
            )
            for company_id, source, delivery_id, body_hash, answer in rows:
                self._known[company_id, source, delivery_id] = Receipt(bytes(body_hash), answer)

    def find(self, key: Delivered) -> Receipt | None:
        """What this delivery was answered before."""
        if key not in self._looked_up:
            self.look_up((key,))
        return self._known.get(key)

    def keep(self, key: Delivered, receipt: Receipt) -> None:
        """This delivery was answered so."""
        self._uow.journal.set(self._known, key, receipt)
        self._uow.insert("delivery", (*key, receipt.body_hash, receipt.answer, to_micros(self._uow.now)))
