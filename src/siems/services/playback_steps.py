"""What happened in a stretch of the past, step by step: what arrived, what people did, and how incidents stood then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select, text

from siems.clock import from_micros
from siems.domain.permissions import Actor, Permission, require_role
from siems.domain.stands import Count, Course
from siems.errors import InvalidField
from siems.services.playback import alive, view_at
from siems.services.playback_counts import LATE, Told, cursor_after, forgotten, settle, told_between, told_of
from siems.services.stands import STAND, chunks, courses
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.vocabulary import Severity
from siems.wire import PlaybackStep, PlaybackSteps

PAGE = 500
MOST = 5_000
QUIET = frozenset({"notify"})
"""Lines that say what siems wrote to whom: the escalation before them tells it, too."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """After a moment, up to and with another one."""

    after: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What a source has of a stretch; `whole_until` is where it was cut off."""

    steps: list[PlaybackStep]
    whole_until: datetime | None = None


def steps(connection: Connection, actor: Actor, span: Stretch, *, limit: int) -> PlaybackSteps:
    """The steps of a stretch, the oldest first, as many as fit; never half a moment. Raises Forbidden, InvalidField."""
    require_role(actor, Permission.PLAYBACK)
    if span.until < span.after:
        raise InvalidField("until is before after", hint="until is the later one")
    wanted = max(1, min(limit or PAGE, MOST))
    names = load_names(connection)
    rows = alive(connection, actor, span.after, span.until)
    found = courses(connection, rows, span.after)
    while True:
        taken, end = _gathered(connection, actor, span, found, names, wanted)
        if taken or end is None or wanted >= 1_000_000:
            break
        wanted *= 4  # more than a page happened at one moment
    settle(connection, found, span.after)
    reached = Stretch(span.after, end or span.until)
    _count(found, told_between(connection, reached.after, reached.until))
    _with_views(connection, found, taken, actor, names)
    return PlaybackSteps(
        after=span.after, until=reached.until, items=taken, next=end, gaps=forgotten(connection, span.after)
    )


def _gathered(
    connection: Connection, actor: Actor, span: Stretch, found: Mapping[int, Course], names: Names, limit: int
) -> tuple[list[PlaybackStep], datetime | None]:
    """The steps of all sources up to where the first of them was cut off; that moment, None at the end."""
    sources = [source(connection, actor, span, found, names, limit) for source in _SOURCES]
    cuts = [one.whole_until for one in sources if one.whole_until is not None]
    whole = min(cuts, default=None)
    every = sorted((step for one in sources for step in one.steps), key=lambda step: step.at)
    every = [step for step in every if (whole is None or step.at < whole) and _there(found, step)]
    if len(every) <= limit:
        last = every[-1].at if every and whole is not None else None
        return every, last if last is not None else whole
    cut = next((place for place in range(limit, 0, -1) if every[place - 1].at < every[place].at), None)
    if cut is None:  # all of it is one moment
        cut = next((at + 1 for at, (one, two) in enumerate(pairwise(every)) if one.at < two.at), len(every))
        if cut == len(every):
            return every, every[-1].at if whole is not None else None
    return every[:cut], every[cut - 1].at


def _there(found: Mapping[int, Course], step: PlaybackStep) -> bool:
    """What came apart from another incident has copies of its lines: it was not there yet."""
    course = found.get(int(step.incident_id.removeprefix("INC-"))) if step.incident_id else None
    return course is None or not course.born or course.at(step.at) is not None


# --- where steps come from -------------------------------------------------------------------------------------


def _cut(rows: Sequence[Any], limit: int, at: Callable[[Any], datetime]) -> datetime | None:
    """Where a list that was limited ends: what happened at that moment may be missing."""
    return at(rows[-1]) if len(rows) > limit else None


def _opened(
    connection: Connection, actor: Actor, span: Stretch, found: Mapping[int, Course], names: Names, limit: int
) -> Found:
    made = []
    for number, course in found.items():
        row = course.first
        if row is None or not span.after < (at := from_micros(row["created_at"])) <= span.until:
            continue
        made.append(
            PlaybackStep(
                at=at, kind="open", company_id=row["company_id"], incident_id=f"INC-{number}", actor="siems",
                company=names.companies.get(row["company_id"], row["company_id"]),
                text=f"opened, rule {row['rule']}", severity=Severity(row["severity"]).name,
            )
        )  # fmt: skip
    return Found(made)


def _lines(
    connection: Connection, actor: Actor, span: Stretch, found: Mapping[int, Course], names: Names, limit: int
) -> Found:
    """The stories of incidents: what people and siems did."""
    line, made, cuts = t.timeline.c, list[PlaybackStep](), list[datetime]()
    for some in chunks(sorted(found)):
        rows = connection.execute(
            select(t.timeline)
            .where(
                line.incident_id.in_(some), line.at > span.after, line.at <= span.until,
                line.kind.not_in([STAND, *QUIET]),
            )
            .order_by(line.at, line.id)
            .limit(limit + 1)
        ).all()  # fmt: skip
        if (cut := _cut(rows, limit, lambda row: row.at)) is not None:
            cuts.append(cut)
        made += [
            PlaybackStep(
                at=row.at, kind=row.kind, company_id=row.company_id, incident_id=f"INC-{row.incident_id}",
                company=names.companies.get(row.company_id, row.company_id),
                actor=names.users.get(row.actor, row.actor), text=row.text,
            )
            for row in rows
        ]  # fmt: skip
    return Found(made, min(cuts, default=None))


def _arrived(
    connection: Connection, actor: Actor, span: Stretch, found: Mapping[int, Course], names: Names, limit: int
) -> Found:
    a = t.alert.c
    mine = a.company_id.in_(sorted(c for c in names.companies if actor.sees(c)))
    rows = connection.execute(
        select(t.alert)
        .where(mine, a.received_at > span.after, a.received_at <= span.until)
        .order_by(a.received_at, a.id)
        .limit(limit + 1)
    ).all()
    made = [_step_of(row, "alert", row.received_at, row.message or row.signature, names) for row in rows]
    return Found(made, _cut(rows, limit, lambda row: row.received_at))


def _recovered(
    connection: Connection, actor: Actor, span: Stretch, found: Mapping[int, Course], names: Names, limit: int
) -> Found:
    a, made, cuts = t.alert.c, list[PlaybackStep](), list[datetime]()
    for some in chunks(sorted(found)):
        rows = connection.execute(
            select(t.alert)
            .where(a.incident_id.in_(some), a.resolved_at > span.after, a.resolved_at <= span.until)
            .order_by(a.resolved_at, a.id)
            .limit(limit + 1)
        ).all()
        if (cut := _cut(rows, limit, lambda row: row.resolved_at)) is not None:
            cuts.append(cut)
        made += [_step_of(row, "recovery", row.resolved_at, f"{row.signature} is over", names) for row in rows]
    return Found(made, min(cuts, default=None))


def _step_of(row: Any, kind: str, at: datetime, said: str, names: Names) -> PlaybackStep:
    """A step that an alert made."""
    return PlaybackStep(
        at=at, kind=kind, company_id=row.company_id, company=names.companies.get(row.company_id, row.company_id),
        incident_id=None if row.incident_id is None else f"INC-{row.incident_id}", actor=row.tool_source,
        text=f"{row.asset_name}: {said}", severity=Severity(row.severity).name,
    )  # fmt: skip


_REPEATS = """
SELECT cursor, at, company_id, type, object, data FROM event
WHERE cursor >= :first AND cursor < :last AND type = 'alert.repeated' ORDER BY cursor LIMIT :most
"""


def _repeated(
    connection: Connection, actor: Actor, span: Stretch, found: Mapping[int, Course], names: Names, limit: int
) -> Found:
    """The same alert again: one step for what a moment of them comes to."""
    first, last = cursor_after(connection, span.after), cursor_after(connection, span.until + LATE)
    rows = connection.execute(text(_REPEATS), {"first": first, "last": last, "most": limit + 1}).all()
    seen = [told_of(row) for row in rows if actor.sees(row.company_id)]
    seen = [told for told in seen if span.after < told.when <= span.until]
    known = _alerts(connection, [told.alert for told in seen])
    made = []
    for told in seen:
        alert = known.get(told.alert)
        if alert is not None:
            made.append(_step_of(alert, "repeat", told.when, f"{alert.signature} again", names))
    return Found(made, _cut(rows, limit, lambda row: from_micros(row.at) - LATE))


def _alerts(connection: Connection, numbers: Sequence[int]) -> dict[int, Any]:
    a, found = t.alert.c, dict[int, Any]()
    for some in chunks(sorted(set(numbers))):
        found |= {row.id: row for row in connection.execute(select(t.alert).where(a.id.in_(some)))}
    return found


_SOURCES = (_opened, _lines, _arrived, _recovered, _repeated)


# --- how incidents stood ---------------------------------------------------------------------------------------


def _count(found: Mapping[int, Course], told: Sequence[Told]) -> None:
    """What alerts did to the counters, at each moment."""
    counts: dict[int, list[Count]] = {}
    for one in told:
        number, count = one.incident, one.count
        if number in found and number is not None and count is not None:
            counts.setdefault(number, []).append(count)
    for number, some in counts.items():
        found[number].counted(some)


def _with_views(
    connection: Connection, found: Mapping[int, Course], taken: Sequence[PlaybackStep], actor: Actor, names: Names
) -> None:
    """The last step of each moment carries how its incident stood then."""
    last: dict[tuple[str, datetime], PlaybackStep] = {}
    for step in taken:
        if step.incident_id is not None:
            last[step.incident_id, step.at] = step
    for (ref, at), step in last.items():
        course = found.get(int(ref.removeprefix("INC-")))
        if course is not None:
            step.incident = view_at(connection, course, actor, names, at, closed=True)
