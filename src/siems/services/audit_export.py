"""What of the audit log leaves as a file that proves itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, func, select

from siems.clock import rfc3339
from siems.domain.audit import Entry
from siems.domain.audit_file import entry_line
from siems.domain.checkpoint import Head, Kind, Statement, Witness, read
from siems.domain.events import Recorded
from siems.domain.permissions import Actor, Permission, require_role
from siems.errors import InvalidField, NotFound
from siems.services.trail import Span, entry_before
from siems.storage import tables as t
from siems.storage.repositories.audit import heads_of
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP
from siems.wire import ExportAsk

CHUNK = 1_000


def head_of(
    connection: Connection, actor: Actor, ask: ExportAsk, chain: str, *, now: datetime, key: str
) -> Statement:  # fmt: skip
    """The unsigned head of an export: which entries it holds. Raises InvalidField, NotFound where there are none."""
    require_role(actor, Permission.VERIFY_AUDIT)
    if (ask.first > 1 or ask.last is not None) and not chain:
        raise InvalidField("each chain has numbers of its own: of which?", hint="--company acme, or --company msp")
    if ask.first < 1 or (ask.last is not None and ask.last < ask.first):
        raise InvalidField(f"there is no entry from {ask.first} to {ask.last}", hint="--from 1 --to 100")
    begins: dict[str, Head] = {}
    ends: dict[str, Head] = {}
    for one in [chain] if chain else sorted(heads_of(connection)):
        span = _span(connection, one, ask)
        before = None if span is None else entry_before(connection, span)
        after = None if span is None or span.last is None else entry_before(connection, Span(one, span.last + 1))
        if before is not None and after is not None:
            begins[one], ends[one] = before, after
    if not ends:
        raise NotFound("there are no such entries", hint="siems audit list")
    return Statement(kind=Kind.EXPORT, at=rfc3339(now), chains=ends, begins=begins, source=actor.id, key=key)


def _span(connection: Connection, chain: str, ask: ExportAsk) -> Span | None:
    """The numbers of the entries of a chain that were asked for; None where there are none."""
    e = t.audit_entry.c
    where = [e.chain == chain, e.seq >= ask.first]
    where += [e.seq <= ask.last] if ask.last is not None else []
    where += [e.at >= ask.since] if ask.since is not None else []
    where += [e.at < ask.until] if ask.until is not None else []
    first, last = connection.execute(select(func.min(e.seq), func.max(e.seq)).where(*where)).one()
    return None if first is None else Span(chain, int(first), int(last))


def exported(uow: UnitOfWork, actor: Actor, head: Statement) -> None:
    """Somebody took a part of the record away: that is a part of the record."""
    taken = {chain: [head.begins[chain][0] + 1, last] for chain, (last, _) in head.chains.items()}
    uow.emit(Recorded(type="audit.exported", actor=actor, company_id=MSP, object="audit", details={"entries": taken}))


def signed_before(found: Witness, lines: list[str], head: Statement) -> list[Statement]:
    """What was signed earlier and says something about these entries; and every change of the key."""
    kept: list[Statement] = []
    for line in lines:
        statement = read(line)
        if statement is None:
            continue
        if statement.kind == Kind.KEY or _binds(statement, head, found):
            kept.append(statement)
    return kept


def _binds(statement: Statement, head: Statement, found: Witness) -> bool:
    """Whether a checkpoint is about entries of the export, and was not taken back by a restored backup."""
    if statement.kind not in (Kind.CHECKPOINT, Kind.BACKUP):
        return False
    inside = False
    for chain, (number, hash) in statement.chains.items():
        mark = found.marks.get(chain, {}).get(number)
        if number and (mark is None or mark.hash != hash):
            return False
        inside = inside or head.begins.get(chain, (0, ""))[0] < number <= head.chains.get(chain, (0, ""))[0]
    return inside


def pieces(head: Statement) -> Iterator[Span]:
    """The spans to read one after the other."""
    for chain, (last, _) in head.chains.items():
        for first in range(head.begins[chain][0] + 1, last + 1, CHUNK):
            yield Span(chain, first, min(last, first + CHUNK - 1))


def lines_of(connection: Connection, span: Span) -> list[str]:
    """The entries of a span, a line each."""
    e, d = t.audit_entry.c, t.audit_detail.c
    joined = t.audit_entry.outerjoin(t.audit_detail, (e.chain == d.chain) & (e.seq == d.seq))
    rows = connection.execute(
        select(t.audit_entry, d.salt, d.details).select_from(joined)
        .where(e.chain == span.chain, e.seq >= span.first, e.seq <= span.last).order_by(e.seq)
    )  # fmt: skip
    return [
        entry_line(
            Entry(**{name: value for name, value in row._mapping.items() if name not in ("salt", "details")}),
            row.salt, row.details,
        )
        for row in rows
    ]  # fmt: skip
