"""Feeding the index of the search: what was committed since the last look, a little at a time.

`collect` looks on a reader's thread; `store` writes in a batch like any other. Both may run on several daemons: what
another has stored meanwhile is not stored again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from siems.domain.alert import MAX_NAME
from siems.domain.words import plain, token
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP

AT_ONCE = 200
EVENTS_AT_ONCE = 500
NOTES_OF_ONE = 200
HIDDEN_ACTIONS = ("alerts.accepted", "parent.")
"""Batches of alerts say nothing in words, and groups across clients are not for everybody who reads the log."""

Marks = dict[str, int]


@dataclass(frozen=True, slots=True)
class Doc:
    """A text, as it is found."""

    company_id: str
    kind: str
    object: str
    at: int
    body: str
    staff: str = ""
    actor: str = ""
    again: bool = False
    """It may be there already, as it was."""

    def row(self) -> tuple[Any, ...]:
        """The values of `search_doc`, in its order without the number."""
        scope = [token("k", self.kind), token("c", self.company_id)]
        if self.actor:
            scope.append(token("a", self.actor))
        return (self.company_id, self.kind, self.object[:96], self.at, " ".join(scope), self.body, self.staff)


@dataclass(slots=True)
class Harvest:
    """What a look has found, from where to where."""

    before: Marks
    after: Marks
    docs: dict[tuple[str, str], Doc] = field(default_factory=dict)

    @property
    def moved(self) -> bool:
        return self.before != self.after

    @property
    def room(self) -> int:
        return AT_ONCE - len(self.docs)

    def add(self, docs: Iterable[Doc]) -> None:
        for doc in docs:
            self.docs[doc.kind, doc.object] = doc


def collect(connection: Connection) -> Harvest:
    """What is new since the index was fed last, at most a few hundred texts."""
    before = {row.name: row.position for row in connection.execute(select(t.search_mark))}
    found = Harvest(before, dict(before))
    if "event" not in before:  # what happens from now on is told by events; what was before is read by number
        counters = connection.execute(select(t.counter.c.value).where(t.counter.c.name == "event")).scalar()
        newest = connection.execute(text("SELECT coalesce(max(id), 0) FROM timeline")).scalar()
        found.after |= {"event": int(counters or 0), "note_until": int(newest or 0), "note": 0}
        return found
    _events(connection, found)
    _incidents(connection, found)
    _old_notes(connection, found)
    _audit(connection, found)
    _alerts(connection, found)
    return found


def store(uow: UnitOfWork, harvest: Harvest) -> bool:
    """Keep what was found; False when another daemon has been here meanwhile."""
    now = {row.name: row.position for row in uow.connection.execute(select(t.search_mark))}
    if any(now.get(name, 0) != harvest.before.get(name, 0) for name in harvest.after):
        return False
    docs = list(harvest.docs.values())
    uow.run("DELETE FROM search_doc WHERE kind = ? AND object = ?", [(d.kind, d.object[:96]) for d in docs if d.again])
    insert = f"{uow.dialect.insert('search_doc')} ON CONFLICT (kind, object) DO NOTHING"
    uow.run(insert, [doc.row() for doc in docs])
    put = (
        "INSERT INTO search_mark (name, company_id, position) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET position = excluded.position"
    )
    moved = [(name, MSP, at) for name, at in sorted(harvest.after.items()) if harvest.before.get(name) != at]
    uow.run(put, moved)
    return True


# --- where texts are -------------------------------------------------------------------------------------------


def _alerts(connection: Connection, found: Harvest) -> None:
    """Numbers of alerts are given out one after the other, and committed in that order."""
    if found.room <= 0:
        return
    a, last = t.alert.c, found.after.get("alert", 0)
    rows = connection.execute(
        select(a.id, a.company_id, a.asset_name, a.signature, a.message, a.tool_source, a.labels,
               *(c for c in t.raw_columns(t.alert) if c.name == "received_at"))
        .where(a.id > last).order_by(a.id).limit(found.room)
    ).all()  # fmt: skip
    for row in rows:
        body = plain((f"ALR-{row.id}", row.asset_name, row.signature, row.message, row.tool_source))
        labels = json.loads(row.labels)
        staff = plain(f"{key} {value}" for key, value in labels.items()) if labels else ""
        found.add([Doc(row.company_id, "alert", f"ALR-{row.id}", row.received_at, body, staff)])
    if rows:
        found.after["alert"] = rows[-1].id


_INCIDENT = """
SELECT id, company_id, title, assets, signature, category, created_at, resolution_notes, cause FROM incident
"""


def _incident_doc(row: Any) -> Doc:
    assets = json.loads(row.assets)
    body = plain((f"INC-{row.id}", row.title, row.signature, row.category, *(name[:MAX_NAME] for name in assets)))
    staff = plain((row.resolution_notes or "", row.cause or ""))
    return Doc(row.company_id, "incident", f"INC-{row.id}", row.created_at, body, staff, again=True)


def _incidents(connection: Connection, found: Harvest) -> None:
    if found.room <= 0:
        return
    last = found.after.get("incident", 0)
    rows = connection.execute(
        text(f"{_INCIDENT} WHERE id > :last ORDER BY id LIMIT :most"), {"last": last, "most": found.room}
    ).all()
    found.add(_incident_doc(row) for row in rows)
    if rows:
        found.after["incident"] = rows[-1].id


def _events(connection: Connection, found: Harvest) -> None:
    """Incidents that something was said about, and their notes."""
    e, last = t.event.c, found.after["event"]
    rows = connection.execute(
        select(e.cursor, e.type, e.object).where(e.cursor > last).order_by(e.cursor).limit(EVENTS_AT_ONCE)
    ).all()
    changed: dict[int, bool] = {}
    for row in rows:
        if row.type.startswith("incident.") and row.object.startswith("INC-"):
            number = int(row.object.removeprefix("INC-"))
            if number not in changed and len(changed) >= AT_ONCE // 4:
                break
            changed[number] = changed.get(number, False) or row.type == "incident.noted"
        found.after["event"] = row.cursor
    if changed:
        known = text(f"{_INCIDENT} WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
        found.add(_incident_doc(row) for row in connection.execute(known, {"ids": sorted(changed)}))
    noted = [number for number, said in changed.items() if said]
    if noted:
        line = t.timeline.c
        found.add(_notes(connection, line.incident_id.in_(noted), NOTES_OF_ONE, newest=True))


def _notes(connection: Connection, where: Any, most: int, *, newest: bool = False) -> list[Doc]:
    line = t.timeline.c
    at = next(c for c in t.raw_columns(t.timeline) if c.name == "at")
    rows = connection.execute(
        select(line.id, line.company_id, line.incident_id, at, line.text, line.data)
        .where(line.kind == "note", where)
        .order_by(line.id.desc() if newest else line.id)
        .limit(most)
    ).all()
    return [_note_doc(row) for row in rows]


def _note_doc(row: Any) -> Doc:
    said = plain((f"INC-{row.incident_id}", row.text))
    public = bool(json.loads(row.data).get("public"))
    return Doc(row.company_id, "note", f"NOTE-{row.id}", row.at, said if public else "", "" if public else said)


def _old_notes(connection: Connection, found: Harvest) -> None:
    """Notes from before the index was begun; later ones are told by events."""
    last, until = found.after.get("note", 0), found.after.get("note_until", 0)
    if last >= until or found.room <= 0:
        return
    line = t.timeline.c
    docs = _notes(connection, (line.id > last) & (line.id <= until), found.room)
    found.add(docs)
    found.after["note"] = int(docs[-1].object.removeprefix("NOTE-")) if len(docs) == found.room else until


def _audit(connection: Connection, found: Harvest) -> None:
    """Entries are numbered by chain, each chain without a gap. Their details can be erased, so they are not here."""
    e = t.audit_entry.c
    at = next(c for c in t.raw_columns(t.audit_entry) if c.name == "at")
    for chain, seq in connection.execute(select(t.audit_head.c.chain, t.audit_head.c.seq).order_by("chain")).all():
        name = f"audit:{chain}"[:96]
        last, room = found.after.get(name, 0), found.room
        if seq <= last or room <= 0:
            continue
        rows = connection.execute(
            select(e.seq, at, e.actor, e.action, e.object, e.company_id, e.reason)
            .where(e.chain == chain, e.seq > last).order_by(e.seq).limit(room)
        ).all()  # fmt: skip
        for row in rows:
            if not row.action.startswith(HIDDEN_ACTIONS):
                said = plain((row.action, row.object, row.actor, row.reason))
                found.add([Doc(row.company_id, "audit", f"{chain}/{row.seq}", row.at, "", said, actor=row.actor)])
        if rows:
            found.after[name] = rows[-1].seq
