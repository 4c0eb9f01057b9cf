"""Reading and proving the audit log."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from siems.clock import from_micros, to_micros
from siems.domain.audit import GENESIS, Damage, Entry, verify
from siems.domain.checkpoint import Witness
from siems.domain.permissions import Actor, Permission, require, require_role
from siems.errors import InvalidField
from siems.services.filters import Asker, in_scope
from siems.services.queries import DEFAULT_PAGE, MAX_PAGE
from siems.services.trail_filter import trail_filter
from siems.storage import tables as t
from siems.vocabulary import Role
from siems.wire import AuditView, ChainHead, ChainState, Page, RestoredView, VerifyAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailAsk:
    """Which entries: a query, one chain, one object; after a cursor."""

    actor: Actor
    now: datetime
    query: str = ""
    chain: str | None = None
    object: str = ""
    limit: int = 0
    cursor: str = ""


def list_entries(connection: Connection, ask: TrailAsk) -> Page[AuditView]:
    """A page of entries, newest first; `total` counts its items. Raises InvalidField.

    Technicians read their own acts, managers those of their companies.
    """
    actor = ask.actor
    if ask.chain is not None:
        require(actor, Permission.SEE_AUDIT, ask.chain, what=ask.chain)
    require_role(actor, Permission.SEE_AUDIT)
    e, d = t.audit_entry.c, t.audit_detail.c
    where: list[Any] = [in_scope(e.company_id, actor), trail_filter(ask.query, Asker(actor, ask.now))]
    if ask.chain is not None:
        where.append(e.chain == ask.chain)
    if ask.object:
        where += [e.object == ask.object, e.action != "alerts.accepted"]
    if actor.role is Role.TECHNICIAN:
        where.append(e.actor == actor.id)
    if actor.role is not Role.ADMIN:
        where.append(e.action.not_like("parent.%"))
    if ask.cursor:
        at, seq, chain = _read_cursor(ask.cursor)
        before = and_(e.seq == seq, e.chain < chain)
        where.append(or_(e.at < at, and_(e.at == at, or_(e.seq < seq, before))))
    limit = max(1, min(ask.limit or DEFAULT_PAGE, MAX_PAGE))
    joined = t.audit_entry.outerjoin(t.audit_detail, (e.chain == d.chain) & (e.seq == d.seq))
    rows = connection.execute(
        select(t.audit_entry, d.details)
        .select_from(joined)
        .where(*where)
        .order_by(e.at.desc(), e.seq.desc(), e.chain.desc())
        .limit(limit + 1)
    ).all()
    items = [
        AuditView(
            chain=row.chain, seq=row.seq, at=row.at, actor=row.actor, via=row.via, action=row.action,
            object=row.object, company_id=row.company_id, reason=row.reason, digest=row.digest,
            prev_hash=row.prev_hash, hash=row.hash, details=None if row.details is None else json.loads(row.details),
        )
        for row in rows[:limit]
    ]  # fmt: skip
    following = _write_cursor(items[-1]) if len(rows) > limit else None
    return Page(items=items, next=following, total=len(items), as_of=ask.now)


def _write_cursor(entry: AuditView) -> str:
    text = json.dumps([to_micros(entry.at), entry.seq, entry.chain]).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[datetime, int, str]:
    try:
        at, seq, chain = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not (isinstance(chain, str) and all(isinstance(n, int) and abs(n) < 1 << 63 for n in (at, seq))):
            raise ValueError(text)
        return from_micros(at), seq, chain
    except (ValueError, TypeError, OverflowError, RecursionError) as why:
        raise InvalidField("this cursor is not one of ours", hint="begin without it") from why


def list_chains(connection: Connection, actor: Actor) -> list[ChainHead]:
    """The chains that the reader may know of, with how many entries each has and its newest hash."""
    require_role(actor, Permission.SEE_AUDIT)
    h = t.audit_head.c
    rows = connection.execute(select(t.audit_head).where(in_scope(h.company_id, actor)).order_by(h.chain))
    return [ChainHead(chain=row.chain, entries=row.seq, head=row.hash) for row in rows]


def verify_all(
    connection: Connection, actor: Actor, found: Witness | None = None, *, chain: str = "", first: int = 1,
    last: int | None = None,
) -> VerifyAnswer:  # fmt: skip
    """Every chain, recomputed from its first entry to what the database remembers as its head, and compared with
    what was signed outside of it; or some entries of one chain. Raises InvalidField.
    """
    require_role(actor, Permission.VERIFY_AUDIT)
    if first < 1 or (last is not None and last < first):
        raise InvalidField(f"there is no entry from {first} to {last}", hint="--from 1 --to 100")
    if (first > 1 or last is not None) and not chain:
        raise InvalidField("each chain has numbers of its own: of which?", hint="--company acme, or --company msp")
    found = found or Witness()
    heads = {row.chain: (row.seq, row.hash) for row in connection.execute(select(t.audit_head))}
    present = {chain for (chain,) in connection.execute(select(t.audit_entry.c.chain).distinct())}
    chains = [chain] if chain else sorted(heads.keys() | present | found.heads().keys())
    states = [_verify(connection, Span(one, first, last), heads.get(one), found) for one in chains]
    restored = [
        RestoredView(at=one.at, source=one.source, lost={k: list(v) for k, v in one.lost.items()}, anew=one.anew)
        for one in found.restored
    ]
    whole = all(s.ok for s in states)
    return VerifyAnswer(
        ok=whole and not found.bad_lines, entries=sum(s.entries for s in states), chains=states, restored=restored
    )  # fmt: skip


def _verify(connection: Connection, span: Span, head: tuple[int, str] | None, found: Witness) -> ChainState:
    details: dict[int, tuple[str, dict[str, Any]]] = {}
    marks = {n: mark for n, mark in found.marks.get(span.chain, {}).items() if span.holds(n)}
    before = entry_before(connection, span)
    if before is None:
        raise InvalidField(f"{span.chain} has no entry {span.first - 1} that {span.first} could follow")
    with closing(entries_of(connection, span, details)) as entries:
        counter = _Counter(entries)
        known = (head or (0, "")) if span.last is None else None
        try:
            damage = verify(counter, details=details, head=known, marks=marks, after=before)
        except (ValueError, TypeError, OverflowError):  # SQLite keeps any text anywhere
            at = span.first + counter.count
            damage = Damage(span.chain, at, "edited", "it holds what no entry can hold")
    if damage is not None and damage.kind in ("truncated", "rewritten"):
        damage = _perhaps_restored(connection, damage, span.chain, found)
    return ChainState(
        chain=span.chain, entries=counter.count, head=head[1] if head else "", ok=damage is None,
        seq=damage.seq if damage else None, damage=damage.kind if damage else None,
        explanation=damage.explanation if damage else None, signed=max(marks, default=0),
    )  # fmt: skip


def _perhaps_restored(connection: Connection, damage: Damage, chain: str, found: Witness) -> Damage:
    """What is another history from the end of a backup on may be one that was put back: somebody has to say so."""
    before = entry_before(connection, Span(chain, damage.seq))
    made = found.backup_of(chain, before) if before is not None else None
    if made is None:
        return damage
    said = f"as in the backup of {made:%Y-%m-%d %H:%M:%S} UTC; if you have put that back:  siems db restored"
    return Damage(damage.chain, damage.seq, damage.kind, f"{damage.explanation}: {said}")


@dataclass(frozen=True, slots=True)
class Span:
    """Some entries of a chain, by their numbers, both included; without a last one to the end."""

    chain: str
    first: int = 1
    last: int | None = None

    def holds(self, number: int) -> bool:
        return self.first <= number and (self.last is None or number <= self.last)


def entry_before(connection: Connection, span: Span) -> tuple[int, str] | None:
    """The number and hash that the first entry of a span must follow; None when that is not there."""
    if span.first == 1:
        return 0, GENESIS
    e = t.audit_entry.c
    hash = connection.execute(select(e.hash).where(e.chain == span.chain, e.seq == span.first - 1)).scalar()
    return None if hash is None else (span.first - 1, str(hash))


class _Counter:
    """Counts what passes."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries
        self.count = 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._entries:
            self.count += 1
            yield entry


def entries_of(
    connection: Connection, span: Span, details: dict[int, tuple[str, dict[str, Any]]]
) -> Generator[Entry, None, None]:  # fmt: skip
    """The entries of a span in order. `details` holds salt and details of the one that came last, unless erased."""
    e, d = t.audit_entry.c, t.audit_detail.c
    joined = t.audit_entry.outerjoin(t.audit_detail, (e.chain == d.chain) & (e.seq == d.seq))
    every = select(t.audit_entry, d.salt, d.details).select_from(joined).where(e.chain == span.chain)
    every = every.where(e.seq >= span.first) if span.first > 1 else every
    every = every.where(e.seq <= span.last) if span.last is not None else every
    with connection.execute(every.order_by(e.seq).execution_options(yield_per=1_000)) as rows:
        for row in rows:
            details.clear()
            if row.salt is not None:
                details[row.seq] = (row.salt, _details(row.details))
            yield Entry(
                chain=row.chain, seq=row.seq, at=row.at, actor=row.actor, via=row.via, action=row.action,
                object=row.object, company_id=row.company_id, digest=row.digest, reason=row.reason,
                prev_hash=row.prev_hash, hash=row.hash,
            )  # fmt: skip


def _details(text: str) -> dict[str, Any]:
    """What details say; what is no object of JSON any more is kept as it is, and fits no digest."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"": text}
