"""What of the audit log is signed: its heads, after a look whether they go on from what was signed before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from siems.domain.audit import Damage
from siems.domain.checkpoint import Head, Witness
from siems.storage import tables as t
from siems.storage.repositories.audit import heads_of


@dataclass(frozen=True, slots=True)
class Look:
    """The heads of all chains, and those chains that do not go on from what was signed."""

    heads: Mapping[str, Head]
    damages: Mapping[str, Damage]


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


def branch_of(connection: Connection, found: Witness, heads: Mapping[str, Head]) -> dict[str, Head]:
    """Up to where each chain of a database that was put back is what was signed: to its head, or to where another
    history begins. A chain is left out where nothing of it is what was signed."""
    branch: dict[str, Head] = {}
    for chain, head in heads.items():
        marks = found.marks.get(chain, {})
        numbers = sorted((number for number in marks if number <= head[0]), reverse=True)
        # an entry commits to all before it: the last one that fits stands for them
        fits = (n for n in numbers if _hash_of(connection, chain, n) == marks[n].hash)
        last = next(fits, None)
        if not numbers or last == numbers[0]:
            branch[chain] = head
        elif last is not None:
            branch[chain] = (last, marks[last].hash)
    return branch
