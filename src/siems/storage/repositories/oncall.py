"""Schedules and what belongs to them: in memory as far as the writer asks who is on call, else in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select, update

from siems.clock import from_micros, to_micros
from siems.domain.oncall import Override, Schedule, Stretch, state_at
from siems.domain.rotation import Kind, Layer, Restriction
from siems.storage import tables as t
from siems.vocabulary import MSP

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

REMEMBERED = timedelta(days=1)
"""So long after its end an override is in memory still."""


@dataclass(frozen=True, slots=True)
class Rota:
    """What the writer remembers of all schedules."""

    schedules: Mapping[str, Schedule]
    overrides: Mapping[str, Sequence[Override]]
    """Of each schedule, those that are not long over."""
    _kept: dict[str, Stretch] = field(default_factory=dict, compare=False)

    def user_at(self, schedule: Schedule, at: datetime) -> str | None:
        """Who is on call at an instant; what was found is remembered for as long as it holds."""
        kept = self._kept.get(schedule.id)
        if kept is None or not kept.starts <= at < kept.ends:
            kept = self._kept[schedule.id] = state_at(schedule, self.of(schedule.id), at)
        return kept.user

    def of(self, schedule_id: str) -> Sequence[Override]:
        return self.overrides.get(schedule_id, ())


class Oncall:
    """The schedules of a batch. Only people and due rows change them, so each is written at once."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def rota(self) -> Rota:
        """All schedules, from memory; read anew after a change."""
        uow = self._uow
        memory = uow.memory
        if memory.rota is None or not memory.rota_loaded:
            # through the journal: a verb that fails takes back what it had read of its own changes
            uow.journal.replace(memory, "rota", load_rota(uow.connection, uow.now))
            uow.journal.set(memory.rota_loaded, MSP, True)
        assert memory.rota is not None
        return memory.rota

    def _changed(self) -> None:
        self._uow.journal.drop(self._uow.memory.rota_loaded, MSP)

    def add(self, schedule: Schedule) -> None:
        self._uow.connection.execute(insert(t.schedule).values(id=schedule.id, **_schedule_values(schedule)))
        self._changed()

    def put(self, schedule: Schedule) -> None:
        """A schedule as it is now."""
        where = t.schedule.c.id == schedule.id
        self._uow.connection.execute(update(t.schedule).where(where).values(**_schedule_values(schedule)))
        self._changed()

    def remove(self, schedule_id: str) -> None:
        """The schedule, its overrides and swaps; the shifts that were stay."""
        connection = self._uow.connection
        for table in (t.oncall_override, t.swap, t.calendar_feed):
            connection.execute(delete(table).where(table.c.schedule_id == schedule_id))
        connection.execute(delete(t.schedule).where(t.schedule.c.id == schedule_id))
        self._changed()

    def add_override(self, override: Override) -> None:
        o = override
        self._uow.connection.execute(
            insert(t.oncall_override).values(
                id=o.id, company_id=o.company_id, schedule_id=o.schedule_id, user_id=o.user, starts_at=o.starts,
                ends_at=o.ends, reason=o.reason, swap_id=o.swap_id, created_by=o.created_by, created_at=o.created_at,
            )
        )  # fmt: skip
        self._changed()

    def end_override(self, override: Override, ends: datetime | None) -> None:
        """It ends earlier, or (None) it is as if it had never been."""
        o = t.oncall_override
        if ends is None:
            self._uow.connection.execute(delete(o).where(o.c.id == override.id))
        else:
            self._uow.connection.execute(update(o).where(o.c.id == override.id).values(ends_at=ends))
        self._changed()


def load_rota(connection: Connection, now: datetime) -> Rota:
    """All schedules and the overrides that are not long over."""
    schedules = {row.id: schedule_from(row) for row in connection.execute(select(t.schedule).order_by(t.schedule.c.id))}
    overrides: dict[str, list[Override]] = {}
    o = t.oncall_override
    for row in connection.execute(select(o).where(o.c.ends_at > now - REMEMBERED).order_by(o.c.id)):
        overrides.setdefault(row.schedule_id, []).append(override_from(row))
    return Rota(schedules, overrides)


def overrides_of(connection: Connection, schedule_id: str, start: datetime, end: datetime) -> list[Override]:
    """The overrides of a schedule that touch a stretch, by number."""
    o = t.oncall_override
    where = (o.c.schedule_id == schedule_id, o.c.ends_at > start, o.c.starts_at < end)
    return [override_from(row) for row in connection.execute(select(o).where(*where).order_by(o.c.id))]


# --- rows ------------------------------------------------------------------------------------------------------


def schedule_from(row: Any) -> Schedule:
    return Schedule(
        id=row.id, company_id=row.company_id, name=row.name, zone=row.zone, country=row.country,
        layers=tuple(layer_from(data) for data in json.loads(row.layers)), created_at=row.created_at,
        version=row.version,
    )  # fmt: skip


def _schedule_values(schedule: Schedule) -> dict[str, Any]:
    s = schedule
    return {
        "company_id": s.company_id, "name": s.name, "zone": s.zone, "country": s.country,
        "layers": json.dumps([layer_json(layer) for layer in s.layers]), "created_at": s.created_at,
        "version": s.version,
    }  # fmt: skip


def layer_json(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name, "kind": layer.kind.value, "every": layer.every, "anchor": layer.anchor.isoformat(),
        "members": list(layer.members),
        "restrictions": [
            [sorted(r.days), r.starts.isoformat("minutes"), r.ends.isoformat("minutes")] for r in layer.restrictions
        ],
        "starts": None if layer.starts is None else layer.starts.isoformat(),
        "ends": None if layer.ends is None else layer.ends.isoformat(),
    }  # fmt: skip


def layer_from(data: Mapping[str, Any]) -> Layer:
    return Layer(
        name=data["name"], kind=Kind(data["kind"]), every=data["every"],
        anchor=datetime.fromisoformat(data["anchor"]), members=tuple(data["members"]),
        restrictions=tuple(
            Restriction(frozenset(days), time.fromisoformat(starts), time.fromisoformat(ends))
            for days, starts, ends in data["restrictions"]
        ),
        starts=None if data["starts"] is None else datetime.fromisoformat(data["starts"]),
        ends=None if data["ends"] is None else datetime.fromisoformat(data["ends"]),
    )  # fmt: skip


def override_from(row: Any) -> Override:
    return Override(
        id=row.id, schedule_id=row.schedule_id, company_id=row.company_id, user=row.user_id, starts=row.starts_at,
        ends=row.ends_at, reason=row.reason, swap_id=row.swap_id, created_by=row.created_by,
        created_at=row.created_at,
    )  # fmt: skip


def spans_json(spans: Sequence[tuple[datetime, datetime]]) -> str:
    """Stretches of time as JSON."""
    return json.dumps([[to_micros(a), to_micros(b)] for a, b in spans])


def spans_from(text: str) -> list[tuple[datetime, datetime]]:
    return [(from_micros(a), from_micros(b)) for a, b in json.loads(text)]
