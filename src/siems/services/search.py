"""Searching in incidents, alerts, notes and the audit log, the newest first; only in what the reader may see."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from siems.clock import from_micros
from siems.domain.permissions import Actor, Permission, require_role
from siems.domain.words import Wanted, token, wanted
from siems.errors import UsageError
from siems.services.filters import in_scope
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.vocabulary import Role, Severity
from siems.wire import SearchAnswer, SearchHit

KINDS = ("incident", "alert", "note", "audit")
SHOWN = 30
MOST = 200
EXCERPT = 240
LATELY = 10_000
"""So many of the latest texts are looked at first on PostgreSQL, which has no index of words in the order of time."""
MOMENT = 500
"""So many alerts may be on their way into the index."""


@dataclass(frozen=True, slots=True)
class Found:
    """A row of the index: which text, and how it may be read."""

    object: str
    at: datetime


def search(
    connection: Connection, actor: Actor, query: str, *, kinds: Sequence[str] = (), limit: int = SHOWN
) -> SearchAnswer:  # fmt: skip
    """What the words are found in, the newest first. Raises UsageError for what cannot be searched for, Forbidden."""
    terms = wanted(query)
    looked = _kinds(actor, kinds)
    limit = max(1, min(limit or SHOWN, MOST))
    names = load_names(connection)
    hits: list[SearchHit] = []
    more = False
    for kind in looked:
        rows = find(connection, actor, terms, kind, limit + 1)
        more = more or len(rows) > limit
        hits += _SHOW[kind](connection, rows[:limit], names, actor)
    hits.sort(key=lambda hit: (hit.at, hit.id), reverse=True)
    for hit in hits:
        hit.text = excerpt(hit.text, terms)
    return SearchAnswer(items=hits[:limit], more=more or len(hits) > limit, behind=_behind(connection))


def _kinds(actor: Actor, kinds: Sequence[str]) -> tuple[str, ...]:
    """What this reader may search in. Raises UsageError, Forbidden."""
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"{kind[:40]!r} cannot be searched in", hint=f"--type {','.join(KINDS)}")
    if "audit" in kinds:
        require_role(actor, Permission.SEE_AUDIT)
    mine = KINDS if actor.role is not Role.CLIENT else KINDS[:3]
    return tuple(kind for kind in mine if not kinds or kind in kinds)


def find(connection: Connection, actor: Actor, terms: Sequence[Wanted], kind: str, limit: int) -> list[Found]:
    """Texts of one kind that all words are in, the last indexed first. Clients read no text of the staff's."""
    scope = [[token("k", kind)]]
    values: dict[str, Any] = {"limit": limit}
    where = ""
    if actor.role is not Role.ADMIN:
        if not actor.scope:
            return []
        scope.append([token("c", company) for company in sorted(actor.scope)])
        where, values["companies"] = " AND d.company_id IN :companies", sorted(actor.scope)
    if kind == "audit" and actor.role is Role.TECHNICIAN:
        scope.append([token("a", actor.id)])
    public = actor.role is Role.CLIENT
    if connection.dialect.name == "sqlite":
        source = "search_words AS f CROSS JOIN search_doc AS d ON d.id = f.rowid WHERE search_words MATCH :words"
        values["words"] = _for_sqlite(terms, scope, public=public)
        return _found(connection, f"{source}{where} ORDER BY f.rowid", values)
    source = f"search_doc AS d WHERE d.words @@ to_tsquery('simple', :words){where}"
    values["words"] = _for_postgresql(terms, scope, public=public)
    # a word that many texts have would be looked up in all of them, only to be put in order
    newest = connection.execute(text("SELECT max(id) FROM search_doc")).scalar() or 0
    lately = _found(connection, f"{source} AND d.id > :floor ORDER BY d.id", values | {"floor": newest - LATELY})
    if len(lately) >= limit or newest <= LATELY:
        return lately
    # nor is it looked for text by text from the newest on, which is what a plain order would come to
    return _found(connection, f"{source} ORDER BY d.id + 0", values)


def _found(connection: Connection, source: str, values: Mapping[str, Any]) -> list[Found]:
    statement = text(f"SELECT d.object, d.at FROM {source} DESC LIMIT :limit")  # noqa: S608
    if "companies" in values:
        statement = statement.bindparams(bindparam("companies", expanding=True))
    return [Found(row.object, from_micros(row.at)) for row in connection.execute(statement, values)]


def _for_sqlite(terms: Sequence[Wanted], scope: Sequence[Sequence[str]], *, public: bool) -> str:
    """As FTS5 takes it. Every word is letters and digits, so that nothing in it can be an operator."""

    def phrase(term: Wanted) -> str:
        return f'"{" ".join(term.words)}"{" *" if term.prefix else ""}'

    where = "body" if public else "{body staff}"
    parts = [f"scope : ({' OR '.join(words)})" for words in scope]
    parts += [f"{where} : ({phrase(term)})" for term in terms if not term.unwanted]
    said = " AND ".join(parts)
    for term in terms:
        if term.unwanted:
            said = f"({said}) NOT {where} : ({phrase(term)})"
    return said


def _for_postgresql(terms: Sequence[Wanted], scope: Sequence[Sequence[str]], *, public: bool) -> str:
    """As to_tsquery takes it; the weight says which text a word is in."""
    weight = "A" if public else "AC"

    def phrase(term: Wanted) -> str:
        marks = [*[weight] * (len(term.words) - 1), f"*{weight}" if term.prefix else weight]
        said = " <-> ".join(f"'{word}':{mark}" for word, mark in zip(term.words, marks, strict=True))
        return f"({said})"

    parts = ["(" + " | ".join(f"'{word}':B" for word in words) + ")" for words in scope]
    parts += [f"!{phrase(term)}" if term.unwanted else phrase(term) for term in terms]
    return " & ".join(parts)


def excerpt(said: str, terms: Iterable[Wanted]) -> str:
    """A line of a text around the first of the words."""
    line = " ".join(said.split())
    if len(line) <= EXCERPT:
        return line
    low = line.lower()
    places = [low.find(term.words[0]) for term in terms if not term.unwanted]
    start = max(0, min((at for at in places if at >= 0), default=0) - EXCERPT // 3)
    cut = line[start : start + EXCERPT]
    return f"{'...' if start else ''}{cut}{'...' if start + EXCERPT < len(line) else ''}"


def _behind(connection: Connection) -> bool:
    """Whether alerts came that the index does not know yet, by more than a moment's."""
    given = connection.execute(select(t.counter.c.value).where(t.counter.c.name == "alert")).scalar() or 0
    done = connection.execute(select(t.search_mark.c.position).where(t.search_mark.c.name == "alert")).scalar() or 0
    return int(given) - int(done) > MOMENT


# --- what was found, as it is now --------------------------------------------------------------------------------


def _numbers(rows: Sequence[Found]) -> list[int]:
    return [int(row.object.rpartition("-")[2]) for row in rows]


def _incidents(connection: Connection, rows: Sequence[Found], names: Names, actor: Actor) -> list[SearchHit]:
    i = t.incident.c
    found = connection.execute(
        select(i.id, i.company_id, i.title, i.severity, i.state, i.created_at, i.resolution_notes).where(
            i.id.in_(_numbers(rows)), in_scope(i.company_id, actor)
        )
    )
    staff = actor.role is not Role.CLIENT
    return [
        SearchHit(
            type="incident", id=f"INC-{row.id}", incident_id=f"INC-{row.id}", company_id=row.company_id,
            company=names.companies.get(row.company_id, row.company_id), at=row.created_at, title=row.title,
            text=f"{Severity(row.severity).name} {row.state}"
            + (f": {row.resolution_notes}" if staff and row.resolution_notes else ""),
        )
        for row in found
    ]  # fmt: skip


def _alerts(connection: Connection, rows: Sequence[Found], names: Names, actor: Actor) -> list[SearchHit]:
    a = t.alert.c
    found = connection.execute(
        select(a.id, a.company_id, a.incident_id, a.asset_name, a.signature, a.message, a.received_at, a.labels).where(
            a.id.in_(_numbers(rows)), in_scope(a.company_id, actor)
        )
    )
    return [
        SearchHit(
            type="alert", id=f"ALR-{row.id}", incident_id=None if row.incident_id is None else f"INC-{row.incident_id}",
            company_id=row.company_id, company=names.companies.get(row.company_id, row.company_id),
            at=row.received_at, title=f"{row.signature} on {row.asset_name}", text=_said(row, actor),
        )
        for row in found
    ]  # fmt: skip


def _said(row: Any, actor: Actor) -> str:
    """The message, and for staff the labels, which are searched as well."""
    labels = json.loads(row.labels) if actor.role is not Role.CLIENT else {}
    told = ", ".join(f"{key}={value}" for key, value in labels.items())
    return f"{row.message} [{told}]" if told else str(row.message)


def _notes(connection: Connection, rows: Sequence[Found], names: Names, actor: Actor) -> list[SearchHit]:
    line = t.timeline.c
    found = connection.execute(
        select(line.id, line.incident_id, line.company_id, line.at, line.actor, line.text).where(
            line.id.in_(_numbers(rows)), in_scope(line.company_id, actor)
        )
    )
    return [
        SearchHit(
            type="note", id=f"INC-{row.incident_id}", incident_id=f"INC-{row.incident_id}", company_id=row.company_id,
            company=names.companies.get(row.company_id, row.company_id), at=row.at,
            title=f"note by {names.users.get(row.actor, row.actor)}", text=row.text,
        )
        for row in found
    ]  # fmt: skip


def _entries(connection: Connection, rows: Sequence[Found], names: Names, actor: Actor) -> list[SearchHit]:
    e, hits = t.audit_entry.c, []
    for row in rows:
        chain, _, seq = row.object.rpartition("/")
        entry = connection.execute(
            select(e.at, e.actor, e.action, e.object, e.company_id, e.reason).where(
                e.chain == chain, e.seq == int(seq), in_scope(e.company_id, actor)
            )
        ).first()
        if entry is None or (actor.role is Role.TECHNICIAN and entry.actor != actor.id):
            continue
        incident = entry.object if entry.object.startswith("INC-") else None
        hits.append(
            SearchHit(
                type="audit", id=row.object, incident_id=incident, company_id=entry.company_id,
                company=names.companies.get(entry.company_id, entry.company_id), at=entry.at,
                title=f"{entry.action} {entry.object} by {names.users.get(entry.actor, entry.actor)}",
                text=entry.reason,
            )
        )  # fmt: skip
    return hits


Show = Callable[[Connection, Sequence[Found], Names, Actor], list[SearchHit]]
_SHOW: dict[str, Show] = {"incident": _incidents, "alert": _alerts, "note": _notes, "audit": _entries}
