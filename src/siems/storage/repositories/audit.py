"""The audit log of a batch: entries are numbered and sealed when they are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from siems.clock import to_micros
from siems.domain import audit
from siems.domain.permissions import SYSTEM, Actor
from siems.storage import tables as t

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork


def heads_of(connection: Connection) -> dict[str, tuple[int, str]]:
    """The last number and hash of every chain that has entries, as the database remembers them."""
    rows = connection.execute(select(t.audit_head).where(t.audit_head.c.seq > 0))
    return {row.chain: (int(row.seq), row.hash) for row in rows}


_HEAD = (
    "INSERT INTO audit_head (chain, company_id, seq, hash) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, hash = excluded.hash"
)


class AuditLog:
    """One chain per company and one for the MSP."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._lines: list[tuple[str, datetime, Actor, str, str, str, Mapping[str, Any]]] = []
        self._facts: dict[str, list[Any]] = {}

    def add(
        self, actor: Actor, action: str, object: str, *, company_id: str, reason: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Somebody did something, or the system decided it."""
        line = (company_id, self._uow.now, actor, action, object, reason, details or {})
        self._uow.journal.append(self._lines, line)

    def add_fact(self, company_id: str, fact: Any) -> None:
        """A machine-made fact: one entry per batch and company commits to all of them."""
        facts = self._facts.get(company_id)
        if facts is None:
            facts = self._facts[company_id] = []
        self._uow.journal.append(facts, fact)

    def flush(self) -> None:
        uow = self._uow
        lines, self._lines = self._lines, []
        facts, self._facts = self._facts, {}
        for company_id, found in sorted(facts.items()):
            if found:
                lines.append((company_id, uow.now, SYSTEM, "alerts.accepted", company_id, "", {"facts": found}))
        if not lines:
            return
        entries, details, heads = [], [], set()
        for chain, at, actor, action, object, reason, said in lines:
            seq, previous = uow.memory.heads.get(chain, (0, audit.GENESIS))
            salt, told = token_hex(16), audit.canonical(said)
            entry = audit.seal(
                chain=chain, seq=seq + 1, at=at, actor=actor.id, via=actor.via.value, action=action,
                object=object, company_id=chain, digest=audit.digest_of(told, salt), reason=reason,
                prev_hash=previous,
            )  # fmt: skip
            uow.journal.set(uow.memory.heads, chain, (entry.seq, entry.hash))
            heads.add(chain)
            entries.append(
                (
                    chain, entry.seq, to_micros(at), entry.actor, entry.via, action, object, chain, entry.digest,
                    reason, previous, entry.hash,
                )
            )  # fmt: skip
            details.append((chain, entry.seq, chain, salt, told))
        uow.run(uow.dialect.insert("audit_entry"), entries)
        uow.run(uow.dialect.insert("audit_detail"), details)
        uow.run(_HEAD, [(chain, chain, *uow.memory.heads[chain]) for chain in sorted(heads)])
