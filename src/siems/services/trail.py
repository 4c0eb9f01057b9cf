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
from siems.domain.audit import Entry, verify
from siems.domain.permissions import Actor, Permission, require, require_role
from siems.errors import InvalidField
from siems.services.filters import Asker, in_scope
from siems.services.queries import DEFAULT_PAGE, MAX_PAGE
from siems.services.trail_filter import trail_filter
from siems.storage import tables as t
from siems.vocabulary import Role
from siems.wire import AuditView, ChainHead, ChainState, Page, VerifyAnswer


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


def verify_all(connection: Connection, actor: Actor) -> VerifyAnswer:
    """Every chain, recomputed from its first entry to what the database remembers as its head."""
    require_role(actor, Permission.VERIFY_AUDIT)
    heads = {row.chain: (row.seq, row.hash) for row in connection.execute(select(t.audit_head))}
    present = {chain for (chain,) in connection.execute(select(t.audit_entry.c.chain).distinct())}
    states = [_verify(connection, chain, heads.get(chain)) for chain in sorted(heads.keys() | present)]
    return VerifyAnswer(ok=all(s.ok for s in states), entries=sum(s.entries for s in states), chains=states)


def _verify(connection: Connection, chain: str, head: tuple[int, str] | None) -> ChainState:
    details = _Details(connection, chain).ahead()
    with closing(_entries(connection, chain)) as entries:
        counter = _Counter(entries)
        damage = verify(counter, details=details, head=head or (0, ""))
    return ChainState(
        chain=chain, entries=counter.count, head=head[1] if head else "", ok=damage is None,
        seq=damage.seq if damage else None, damage=damage.kind if damage else None,
        explanation=damage.explanation if damage else None,
    )  # fmt: skip


class _Counter:
    """Counts what passes."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries
        self.count = 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._entries:
            self.count += 1
            yield entry


class _Details:
    """Salts and details by number, where they were not erased."""

    def __init__(self, connection: Connection, chain: str) -> None:
        self._connection = connection
        self._chain = chain

    def ahead(self) -> dict[int, tuple[str, dict[str, Any]]]:
        d = t.audit_detail.c
        rows = self._connection.execute(select(d.seq, d.salt, d.details).where(d.chain == self._chain))
        return {seq: (salt, json.loads(details)) for seq, salt, details in rows}


def _entries(connection: Connection, chain: str) -> Generator[Entry, None, None]:
    e = t.audit_entry.c
    every = select(t.audit_entry).where(e.chain == chain).order_by(e.seq).execution_options(yield_per=1_000)
    with connection.execute(every) as rows:
        for row in rows:
            yield Entry(
                chain=row.chain, seq=row.seq, at=row.at, actor=row.actor, via=row.via, action=row.action,
                object=row.object, company_id=row.company_id, digest=row.digest, reason=row.reason,
                prev_hash=row.prev_hash, hash=row.hash,
            )  # fmt: skip
