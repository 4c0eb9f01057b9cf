"""What siems knows about an incident before anybody is asked: its alerts, what they stand on, and what was before."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, select, type_coerce

from siems.domain.advice import Experience, Past, Question, Standing, Symptom
from siems.domain.incident import Incident
from siems.domain.likeness import Features, Shelf, masked, rank
from siems.domain.nearness import Sentences
from siems.services import nearness
from siems.services.run_counts import signatures_fixed, times_fixed
from siems.storage import tables as t
from siems.storage.rows import incident_from
from siems.vocabulary import Category, Severity

LOOKED_BACK = timedelta(days=365)
MOST_PAST, MOST_ALERTS, MOST_MESSAGES = 2_000, 60, 2_000
SYSTEM_ID = "system"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Background:
    """What a company has been through and what it consists of; good for a minute."""

    past: tuple[Past, ...]
    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    critical: frozenset[str] = frozenset()
    categories: Mapping[str, Category] = field(default_factory=dict)
    words: Mapping[str, Mapping[Category, int]] = field(default_factory=dict)
    name: str = ""
    fixed: frozenset[str] = frozenset()
    """Signatures of incidents that a runbook has ended."""
    reading: nearness.Reading | None = None
    """What the sentence model makes of the past, where there is one."""
    shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shelf", Shelf(self.past))


def background(
    connection: Connection, company_id: str, now: datetime, model: Sentences | None = None
) -> Background:  # fmt: skip
    """A company's background, from the database."""
    a, d = t.asset.c, t.asset_dependency.c
    edges: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(select(d.asset, d.depends_on).where(d.company_id == company_id)):
        edges[row.asset].append(row.depends_on)
    assets = connection.execute(
        select(a.name, a.critical, a.category).where(a.company_id == company_id, a.critical | (a.category != ""))
    ).all()
    past = past_of(connection, t.incident.c.company_id == company_id, now)
    return Background(
        past=past, depends_on={asset: tuple(sorted(ups)) for asset, ups in edges.items()},
        critical=frozenset(row.name for row in assets if row.critical),
        categories={row.name: Category(row.category) for row in assets if row.category in tuple(Category)},
        words=_words(past),
        fixed=signatures_fixed(connection, company_id),
        reading=nearness.reading(connection, t.sentence_vector.c.company_id == company_id, model),
        name=connection.execute(select(t.company.c.name).where(t.company.c.id == company_id)).scalar() or company_id,
    )  # fmt: skip


def past_of(connection: Connection, where: Any, now: datetime) -> tuple[Past, ...]:
    """The latest incidents that are over, the last one first; who resolved them by name."""
    i = t.incident.c
    rows = connection.execute(
        select(
            i.id, i.company_id, i.title, i.signature, i.assets, i.severity, i.severity_pinned, i.category,
            i.resolved_at, i.resolved_by, i.resolution_notes, i.cause, i.touched,
        )
        .where(where, i.resolved_at.is_not(None), i.resolved_at >= now - LOOKED_BACK, i.merged_into.is_(None))
        .order_by(i.resolved_at.desc(), i.id.desc())
        .limit(MOST_PAST)
    ).all()  # fmt: skip
    names = {row.id: row.name for row in connection.execute(select(t.user.c.id, t.user.c.name))}
    return tuple(
        Past(
            number=row.id, company_id=row.company_id, title=row.title, signature=row.signature,
            assets=tuple(json.loads(row.assets)), severity=Severity(row.severity), category=Category(row.category),
            resolved_at=row.resolved_at, resolved_by=names.get(row.resolved_by, row.resolved_by or ""),
            notes=row.resolution_notes or "", cause=row.cause or "",
            by_person=row.resolved_by not in (None, "", SYSTEM_ID), pinned=bool(row.severity_pinned),
        )
        for row in rows
    )  # fmt: skip


def _words(past: Sequence[Past]) -> dict[str, dict[Category, int]]:
    """In which categories the signatures of the past used each word; each signature counts once."""
    found: dict[str, Counter[Category]] = defaultdict(Counter)
    for signature, category in {(one.signature, one.category) for one in past if one.category is not Category.OTHER}:
        for word in set(masked(signature).split()):
            if len(word) > 2:
                found[word][category] += 1
    return {word: dict(counts) for word, counts in found.items()}


# --- one incident ----------------------------------------------------------------------------------------------

# built once: putting a statement together takes longer than asking it
_I, _A, _C = t.incident.c, t.alert.c, t.advice.c
_INCIDENT = select(*t.raw_columns(t.incident)).where(
    _I.id == bindparam("number"), _I.company_id == bindparam("company")
)
_SYMPTOMS = (
    select(
        _A.id, _A.asset_name, _A.signature, _A.severity, _A.message, _A.tool_source, _A.received_at, _A["count"],
        _A.status,
    )
    .where(_A.incident_id == bindparam("number"))
    .order_by(_A.received_at, _A.id)
    .limit(MOST_ALERTS)
)  # fmt: skip
_DECIDED = (
    select(_C.severity, _C.severity_before, _C.severity_standing, _C.category, _C.category_standing)
    .where(
        _C.company_id == bindparam("company"), _C.signature == bindparam("signature"),
        _C.incident_id != bindparam("number"), _C.decided_at.is_not(None),
    )
    # not by the index of all that was advised, which is long
    .order_by((type_coerce(_C.at, BigInteger) + 0).desc())
    .limit(200)
)  # fmt: skip


def question_of(
    connection: Connection, company_id: str, number: int, known: Background, now: datetime
) -> Question | None:  # fmt: skip
    """All there is to say about an open incident; None when it is no longer there or open, or has no alert."""
    row = connection.execute(_INCIDENT, {"number": number, "company": company_id}).first()
    incident = None if row is None else incident_from(row)
    if incident is None or not incident.open:
        return None
    symptoms = symptoms_of(connection, number)
    if not symptoms:
        return None
    assets = {one.asset for one in symptoms}
    similar = alike(connection, incident, symptoms, known.shelf, most=SHOWN, reading=known.reading)
    signatures = known.fixed & {one.signature for one in symptoms}
    return Question(
        incident=incident, company=known.name, symptoms=symptoms, depends_on=_above(assets, known.depends_on),
        critical=known.critical, categories={a: known.categories[a] for a in assets if a in known.categories},
        similar=tuple(similar), fixed_by=fixed_by(connection, company_id, signatures) if signatures else (),
        experience=_experience(connection, incident, known), now=now,
    )  # fmt: skip


def questions_of(
    connection: Connection, company_id: str, numbers: Sequence[int], known: Background, now: datetime
) -> dict[int, Question | None]:  # fmt: skip
    """The same for several incidents of a company, by their numbers."""
    return {number: question_of(connection, company_id, number, known, now) for number in numbers}


def symptoms_of(connection: Connection, number: int) -> tuple[Symptom, ...]:
    """The first alerts of an incident, in the order of time."""
    rows = connection.execute(_SYMPTOMS, {"number": number})
    return tuple(
        Symptom(
            alert_id=row.id, asset=row.asset_name, signature=row.signature, severity=Severity(row.severity),
            message=row.message, tool=row.tool_source, at=row.received_at, count=row._mapping["count"],
            active=row.status == "active",
        )
        for row in rows
    )  # fmt: skip


def alike(
    connection: Connection, incident: Incident, symptoms: Sequence[Symptom], shelf: Shelf, *, most: int,
    reading: nearness.Reading | None = None,
) -> list[Past]:  # fmt: skip
    """The past incidents that look like this one, the likest first; with a model also those that it finds near."""
    features = Features(
        frozenset({incident.signature, *(one.signature for one in symptoms)}),
        frozenset({*incident.assets, *(one.asset for one in symptoms)}),
        tuple(dict.fromkeys(one.message for one in symptoms[:20])),
    )
    near = None
    if reading is not None:
        signatures = [incident.signature, *(one.signature for one in symptoms)]
        near = reading.near(connection, incident.company_id, signatures)
    likely, known = shelf.likely(features, but=incident.id, near=near), shelf.messages
    unknown = [one.number for _, _, one in likely if one.number not in known]
    if unknown:
        known.update(dict.fromkeys(unknown, ()) | _messages(connection, unknown))
    return rank(features, likely, known, most=most)


def _messages(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
    a = t.alert.c
    rows = connection.execute(
        select(a.incident_id, a.message).where(a.incident_id.in_(numbers)).order_by(a.id).limit(MOST_MESSAGES)
    )
    found: dict[int, dict[str, None]] = defaultdict(dict)
    for row in rows:
        if len(found[row.incident_id]) < 3:
            found[row.incident_id][row.message] = None
    return {number: tuple(texts) for number, texts in found.items()}


def _above(assets: set[str], depends_on: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """What these assets stand on, as far up as it goes."""
    found: dict[str, tuple[str, ...]] = {}
    front = set(assets)
    while front and len(found) < 500:
        found |= {asset: depends_on[asset] for asset in front if asset in depends_on}
        front = {up for asset in front for up in depends_on.get(asset, ())} - found.keys()
        front = {asset for asset in front if asset in depends_on}
    return found


def _experience(connection: Connection, incident: Incident, known: Background) -> Experience:
    """What there is to learn about this signature: how its incidents ended, and what people made of advice."""
    same = [one for one in known.past if one.signature == incident.signature and one.number != incident.id]
    healed = sum(not one.by_person for one in same)
    declined: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    named: Counter[Category] = Counter()
    about = {"company": incident.company_id, "signature": incident.signature, "number": incident.id}
    rows = connection.execute(_DECIDED, about)
    for row in rows:
        if row.severity is not None and row.severity_before is not None:
            way = "raise" if row.severity > row.severity_before else "lower"
            declined[way] += row.severity_standing == Standing.DISMISSED
            taken[way] += row.severity_standing == Standing.ACCEPTED
        if row.category is not None:
            declined["category"] += row.category_standing == Standing.DISMISSED
            if row.category_standing == Standing.ACCEPTED:
                taken["category"] += 1
                named[Category(row.category)] += 1
    return Experience(
        seen=len(same), healed=healed, pinned=Counter(one.severity for one in same if one.pinned), declined=declined,
        taken=taken, named=named, words=known.words,
    )  # fmt: skip


def fixed_by(connection: Connection, company_id: str, signatures: Collection[str]) -> tuple[str, ...]:
    """Runbooks whose runs ended incidents with these signatures, the most successful first."""
    found = times_fixed(connection, company_id, sorted(signatures))
    return tuple(sorted(found, key=lambda name: (-found[name], name)))
