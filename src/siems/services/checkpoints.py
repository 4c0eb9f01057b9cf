"""What of the audit log is signed: its heads, after a look whether they go on from what was signed before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from siems.domain.audit import Damage
from siems.domain.checkpoint import Head, Witness
from siems.storage import tables as t


@dataclass(frozen=True, slots=True)
class Look:
    """The heads of all chains, and those chains that do not go on from what was signed."""

    heads: Mapping[str, Head]
    damages: Mapping[str, Damage]


def heads_of(connection: Connection) -> dict[str, Head]:
    """The last number and hash of every chain that has entries, as the database remembers them."""
    rows = connection.execute(select(t.audit_head).where(t.audit_head.c.seq > 0))
    return {row.chain: (int(row.seq), row.hash) for row in rows}


def look(connection: Connection, signed: Mapping[str, Head]) -> Look:
    """The heads, and what speaks against signing them. It does not recompute: that is what `verify` is for."""
    heads = heads_of(connection)
    damages: dict[str, Damage] = {}
    for chain in sorted(heads.keys() | signed.keys()):
        damage = _against(connection, chain, heads.get(chain, (0, "")), signed.get(chain, (0, "")))
        if damage is not None:
            damages[chain] = damage
    return Look(heads, damages)


def _against(connection: Connection, chain: str, head: Head, signed: Head) -> Damage | None:
    if head[0] < signed[0]:
        said = f"the chain ends at {head[0]}, {signed[0]} entries were signed"
        return Damage(chain, head[0] + 1, "truncated", said)
    for (number, hash), kind in ((signed, "rewritten"), (head, "edited")):
        there = _hash_of(connection, chain, number) if number else hash
        if there is None:
            return Damage(chain, number, "deleted", f"entry {number} is not there")
        if there != hash:
            return Damage(chain, number, kind, f"entry {number} is not the one that was written")
    return None


def _hash_of(connection: Connection, chain: str, number: int) -> str | None:
    e = t.audit_entry.c
    found = connection.execute(select(e.hash).where(e.chain == chain, e.seq == number)).scalar()
    return None if found is None else str(found)


def agrees(connection: Connection, witness: Witness, heads: Mapping[str, Head]) -> bool:
    """Whether a database has the history that was signed, as far as it goes: so a backup has been put back."""
    for chain, marks in witness.marks.items():
        numbers = [number for number in marks if number <= heads.get(chain, (0, ""))[0]]
        # an entry commits to all before it: the last one that was signed stands for them
        if numbers and _hash_of(connection, chain, max(numbers)) != marks[max(numbers)].hash:
            return False
    return True
