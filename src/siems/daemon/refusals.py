"""Refused deliveries: counted in memory, written in small numbers, and never silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from siems.clock import to_micros
from siems.domain.alert import Read, Reading
from siems.domain.events import DeliveryRefused
from siems.services.ingest import Incoming, accept
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Severity

KINDS_KEPT = 500
RATE_LIMITED = "rate limited"


@dataclass(slots=True)
class Refusal:
    count: int
    last: datetime
    detail: str


class Refusals:
    """What was refused since it was last written down, by company, cause, source and address."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str, str], Refusal] = {}
        self.total: dict[str, int] = {}

    def note(self, company_id: str, cause: str, *, source: str, address: str, detail: str, now: datetime) -> None:
        """Count one. Beyond a number of kinds, addresses are taken together."""
        self.total[cause] = self.total.get(cause, 0) + 1
        key = (company_id, cause, source, address)
        if key not in self._kinds and len(self._kinds) >= KINDS_KEPT:
            key = (company_id, cause, source, "many")
        found = self._kinds.get(key)
        if found is None:
            self._kinds[key] = Refusal(1, now, detail[:500])
        else:
            found.count += 1
            found.last = now

    def take(self) -> dict[tuple[str, str, str, str], Refusal]:
        """What is to be written now."""
        taken, self._kinds = self._kinds, {}
        return taken


def write(uow: UnitOfWork, taken: dict[tuple[str, str, str, str], Refusal], names: dict[str, str]) -> None:
    """Store refusals; clients whose alerts were refused for their number raise an alert of the MSP's own."""
    refused: dict[str, int] = {}
    for (company_id, cause, source, address), refusal in sorted(taken.items()):
        uow.insert(
            "rejection",
            (company_id, to_micros(refusal.last), cause, refusal.detail, source, address, refusal.count),
        )
        uow.emit(
            DeliveryRefused(company_id, refusal.last, cause, refusal.detail, source, address, refusal.count)
        )  # fmt: skip
        if cause == RATE_LIMITED:
            refused[company_id] = refused.get(company_id, 0) + refusal.count
    for company_id, count in refused.items():
        reading = Reading(
            asset_name=company_id, signature="alerts_refused", severity=Severity.HIGH, original_severity="",
            message=f"{names.get(company_id, company_id)}: {count} alerts refused, they came too fast",
            tool_source="siems",
        )  # fmt: skip
        body = reading.message.encode()
        accept(uow, Incoming(MSP, "siems", Read((reading,)), body, None, sha256(body).digest()))
