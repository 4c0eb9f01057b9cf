"""Refused deliveries: counted in memory, written in small numbers, and never silent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, literal, select

from siems.clock import to_micros
from siems.domain.alert import Read, Reading
from siems.domain.events import DeliveryRefused
from siems.services.ingest import Incoming, accept
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, AlertStatus, Severity

KINDS_KEPT = 500
RATE_LIMITED = "rate limited"
OVERLOADED = "overloaded"
RAISED = {RATE_LIMITED: "they came too fast", OVERLOADED: "more waited to be stored than siems takes"}
"""Refusals of alerts that were in order: an alert of the MSP's own tells of them."""
CALM = timedelta(minutes=5)
SIGNATURE, ITSELF = "alerts_refused", "siems"

Kind = tuple[str, str, str, str]
"""Company, cause, source, address."""


@dataclass(slots=True)
class Refusal:
    count: int
    last: datetime
    detail: str


@dataclass(slots=True)
class Spell:
    """A time in which a client's alerts were refused again and again."""

    since: datetime
    last: datetime
    cause: str
    count: int = 0
    told: int = 0
    said: str = ""
    """What was told of it before this daemon began; nothing has been refused since."""


class Refusals:
    """What was refused since it was last written down, and the spells that go on."""

    def __init__(self) -> None:
        self._kinds: dict[Kind, Refusal] = {}
        self._spells: dict[str, Spell] = {}
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
        if cause in RAISED:
            spell = self._spells.get(company_id)
            if spell is None or spell.said:
                spell = self._spells[company_id] = Spell(now, now, cause)
            spell.count += 1
            spell.last = now

    def resume(self, left: Iterable[tuple[str, str]], now: datetime) -> None:
        """(client, what was told) of spells that a daemon before this one has left: they end like all others."""
        for company_id, said in left:
            self._spells.setdefault(company_id, Spell(now, now, RATE_LIMITED, said=said))

    def take(self) -> dict[Kind, Refusal]:
        """What is to be written now."""
        taken, self._kinds = self._kinds, {}
        return taken

    def give_back(self, taken: dict[Kind, Refusal]) -> None:
        """What could not be written is written later, with what has come since."""
        for key, refusal in taken.items():
            found = self._kinds.setdefault(key, refusal)
            if found is not refusal:
                found.count += refusal.count

    def spells(self, now: datetime) -> dict[str, tuple[Spell, bool]]:
        """(spell, whether it is over) of each client of whom there is news. What is not `told` is news again."""
        found = {company_id: (spell, now - spell.last >= CALM) for company_id, spell in self._spells.items()}
        return {c: (replace(spell), over) for c, (spell, over) in found.items() if over or spell.count != spell.told}

    def told(self, news: dict[str, tuple[Spell, bool]]) -> None:
        """These are written down."""
        for company_id, (spell, over) in news.items():
            now = self._spells[company_id]
            now.told = spell.count
            if over and now.count == spell.count:
                del self._spells[company_id]


def left_over(connection: Connection) -> list[tuple[str, str]]:
    """(client, what was told) of the spells that are not over by what is stored."""
    a = t.alert.c
    on = a.status != literal(AlertStatus.RESOLVED.value, literal_execute=True)  # as the index over these has it
    ours = (a.company_id == MSP, a.signature == SIGNATURE, a.tool_source == ITSELF)
    return [
        (row.asset_name, row.message) for row in connection.execute(select(a.asset_name, a.message).where(on, *ours))
    ]


def write(
    uow: UnitOfWork, taken: dict[Kind, Refusal], news: dict[str, tuple[Spell, bool]], names: dict[str, str]
) -> None:
    """Store refusals; clients whose alerts were refused though in order raise an alert of the MSP's own."""
    for (company_id, cause, source, address), refusal in sorted(taken.items()):
        uow.insert(
            "rejection",
            (company_id, to_micros(refusal.last), cause, refusal.detail, source, address, refusal.count),
        )
        uow.emit(
            DeliveryRefused(company_id, refusal.last, cause, refusal.detail, source, address, refusal.count)
        )  # fmt: skip
    for company_id, (spell, over) in sorted(news.items()):
        alerts = "1 alert" if spell.count == 1 else f"{spell.count} alerts"
        reading = Reading(
            asset_name=company_id, signature=SIGNATURE, severity=Severity.HIGH, original_severity="",
            message=spell.said
            or f"{names.get(company_id, company_id)}: {alerts} refused since {spell.since:%H:%M} UTC,"
            f" {RAISED[spell.cause]}",
            tool_source=ITSELF, firing=not over,
        )  # fmt: skip
        body = reading.message.encode()
        accept(uow, Incoming(MSP, "siems", Read((reading,)), body, None, sha256(body).digest()))
