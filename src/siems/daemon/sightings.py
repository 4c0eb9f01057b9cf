"""What each integration has sent last: kept in memory, and written for all of them together every few seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from siems.clock import to_micros
from siems.domain.alert import Read, clip
from siems.storage.unit_of_work import UnitOfWork
from siems.wire import Sighted

MAX_SAID = 500

_SEEN = (
    "INSERT INTO sighting (integration_id, company_id, at, kind, detail, refused_at, cause)"
    " VALUES (?, ?, ?, ?, ?, NULL, '') ON CONFLICT (integration_id)"
    " DO UPDATE SET at = excluded.at, kind = excluded.kind, detail = excluded.detail"
)
_REFUSED = (
    "INSERT INTO sighting (integration_id, company_id, at, kind, detail, refused_at, cause)"
    " VALUES (?, ?, NULL, '', '', ?, ?) ON CONFLICT (integration_id)"
    " DO UPDATE SET refused_at = excluded.refused_at, cause = excluded.cause"
)
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Sightings:
    """The latest request of each integration, by its id: whose it is, and what was read for whom.

    What is taken in is one assignment on the way of every alert, so it is looked at only when it is written.
    """

    accepted: dict[str, tuple[str, str, Read]] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.accepted or self.refused)

    def take(self) -> Sightings:
        """What is to be written now."""
        taken = Sightings(self.accepted, self.refused)
        self.accepted, self.refused = {}, {}
        return taken


def write(uow: UnitOfWork, taken: Sightings, at: datetime) -> None:
    """Keep what was seen; in the order of the ids, as every daemon does."""
    now = to_micros(at)
    uow.run(
        _SEEN,
        [
            (name, owner, now, "alert" if read.readings else "test", _detail(company_id, read))
            for name, (owner, company_id, read) in sorted(taken.accepted.items(), key=lambda item: item[0])
        ],
    )
    uow.run(_REFUSED, [(name, owner, now, cause[:64]) for name, (owner, cause) in sorted(taken.refused.items())])


def _detail(company_id: str, read: Read) -> str:
    """What siems has read in a request, for the one who sets the tool up."""
    readings = read.readings
    if not readings:
        said = read.said or "nothing to alert on"
        return _encode(Sighted(company_id=company_id, said=clip(said, MAX_SAID))).decode()
    first = readings[0]
    return _encode(
        Sighted(
            company_id=company_id, alerts=len(readings), asset_name=first.asset_name,
            signature=first.signature, severity=first.severity.name, firing=first.firing,
            message=clip(first.message, MAX_SAID), fingerprint=first.fingerprint(company_id),
            warnings=[clip(text, MAX_SAID) for text in (*read.warnings, *first.warnings)][:5],
        )
    ).decode()  # fmt: skip
