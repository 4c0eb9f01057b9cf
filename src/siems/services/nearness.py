"""Vectors of a sentence model: what has none yet, keeping them, and which signatures of the past are near."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, tuple_

from siems.clock import to_micros
from siems.domain.nearness import SIGNATURES, Key, Sentences, Vectors, near, sentence
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork

AT_ONCE = 200
"""So many incidents are looked through for signatures that nobody has read."""
MOST_READ = 20
"""So many texts are read in one go: a small model takes some milliseconds for each."""
MOST_KNOWN = 4_000
LOOKED_BACK = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Unread:
    """A signature without a vector of this model, and what stands for it."""

    company_id: str
    signature: str
    text: str


@dataclass(frozen=True, slots=True)
class Walk:
    """How far the past was looked through: from `newest` down to `oldest`; 0: not begun."""

    newest: int = 0
    oldest: int = 0

    @property
    def begun(self) -> bool:
        return self.newest > 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A model, and the vectors of it that stand for the past of those who are compared."""

    model: Sentences
    known: Vectors

    def near(self, connection: Connection, company_id: str, signatures: Iterable[str]) -> Mapping[Key, float]:
        """How near what is known is to one of these signatures of a company, where it is near at all."""
        wanted = list(dict.fromkeys(signatures))[:SIGNATURES]
        v = t.sentence_vector.c
        ours = connection.execute(
            select(v.vector).where(v.company_id == company_id, v.signature.in_(wanted), v.model == self.model.name)
        ).scalars()
        return near(self.model, [bytes(one) for one in ours], self.known)


def reading(connection: Connection, where: Any, model: Sentences | None) -> Reading | None:
    """The vectors of one company, or of several, the latest first; None where there is no model."""
    if model is None:
        return None
    v = t.sentence_vector.c
    rows = connection.execute(
        select(v.company_id, v.signature, v.vector)
        .where(where, v.model == model.name)
        .order_by(v.at.desc(), v.company_id, v.signature)
        .limit(MOST_KNOWN)
    ).all()
    keys = tuple((row.company_id, row.signature) for row in rows)
    return Reading(model, Vectors(keys, b"".join(bytes(row.vector) for row in rows)))


# --- what was not read yet -------------------------------------------------------------------------------------


def walked(connection: Connection, walk: Walk, model: str, now: datetime) -> tuple[Walk, list[Unread]]:
    """A step through the incidents: first those that are new, then further into the past, for a year."""
    i = t.incident.c
    newest = int(connection.execute(select(func.max(i.id))).scalar() or 0)
    if not walk.begun:
        walk = Walk(newest, newest + 1)
    columns = select(i.id, i.company_id, i.signature)
    rows = connection.execute(columns.where(i.id > walk.newest).order_by(i.id).limit(AT_ONCE)).all()
    if rows:
        walk = Walk(rows[-1].id, walk.oldest)
    else:
        older = columns.where(i.id < walk.oldest, i.created_at >= now - LOOKED_BACK)
        rows = connection.execute(older.order_by(i.id.desc()).limit(AT_ONCE)).all()
        walk = Walk(walk.newest, rows[-1].id if rows else 0)
    latest = {(row.company_id, row.signature): row.id for row in sorted(rows, key=lambda row: row.id)}
    return walk, unread(connection, latest, model)


def unread(connection: Connection, incidents: Mapping[Key, int], model: str) -> list[Unread]:
    """What stands for those of these signatures that have no vector of this model, by an incident that has them."""
    v = t.sentence_vector.c
    known = select(v.company_id, v.signature).where(
        v.model == model, tuple_(v.company_id, v.signature).in_(list(incidents))
    )
    have = {(row.company_id, row.signature) for row in connection.execute(known)} if incidents else set()
    found = []
    for (company_id, signature), number in incidents.items():
        if (company_id, signature) in have:
            continue
        a = t.alert.c
        row = connection.execute(
            select(a.message, a.asset_name)
            .where(a.incident_id == number, a.signature == signature)
            .order_by(a.id)
            .limit(1)
        ).first()
        if row is not None:
            found.append(Unread(company_id, signature, sentence(signature, row.message, row.asset_name)))
    return found


def unread_of(connection: Connection, company_id: str, number: int, model: str) -> list[Unread]:
    """The same for the signatures of one incident."""
    a = t.alert.c
    rows = connection.execute(
        select(a.signature).where(a.incident_id == number).group_by(a.signature).order_by(func.min(a.id))
        .limit(SIGNATURES)
    ).scalars()  # fmt: skip
    return unread(connection, {(company_id, signature): number for signature in rows}, model)


def keep(uow: UnitOfWork, model: str, read: Sequence[tuple[Unread, bytes]]) -> None:
    """Keep vectors, in place of those that another model has made."""
    uow.run(
        "INSERT INTO sentence_vector (company_id, signature, model, at, vector) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (company_id, signature) DO UPDATE SET model = excluded.model, at = excluded.at,"
        " vector = excluded.vector",
        [(one.company_id, one.signature, model, to_micros(uow.now), vector) for one, vector in read],
    )
