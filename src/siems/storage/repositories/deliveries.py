"""Deliveries: an id that a sender used once gets the same answer again, never a second alert."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from siems.clock import to_micros

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

Delivered = tuple[str, str, str]
"""Company, source, delivery id."""


_LOOK_UP = (
    "SELECT company_id, source, delivery_id, body_hash, answer FROM delivery WHERE digest IN ({marks}) ORDER BY id"
)


def digest_of(key: Delivered) -> int:
    """64 bits of a delivery's name."""
    said = f"{key[0]}\x1f{key[1]}\x1f{key[2]}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class Receipt:
    body_hash: bytes
    answer: str


class Deliveries:
    """The deliveries of a batch. Looked up for the whole batch at once, before its verbs run."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._known: dict[Delivered, Receipt] = {}
        self._looked_up: dict[Delivered, int] = {}
        """With what each is found by."""

    def look_up(self, wanted: Iterable[Delivered]) -> None:
        """Fetch what the database has of these, in few statements."""
        uow = self._uow
        fresh = {key: digest_of(key) for key in wanted if key not in self._looked_up}
        self._looked_up.update(fresh)
        digests = list(fresh.values())
        for start in range(0, len(digests), 100):
            part = tuple(digests[start : start + 100])
            rows = uow.connection.exec_driver_sql(
                uow.dialect.marks(_LOOK_UP.format(marks=", ".join("?" * len(part)))), part
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
        digest = self._looked_up.get(key) or digest_of(key)
        self._uow.insert("delivery", (*key, digest, receipt.body_hash, receipt.answer, to_micros(self._uow.now)))
