"""The hash chain of the audit log: how an entry is sealed, and how damage is found (DOMAIN §13)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from siems.clock import rfc3339

GENESIS = "0" * 64

# made once: json.dumps would make an encoder for every entry
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One sealed line of a chain. What it is about appears as a salted digest; the details live elsewhere."""

    chain: str
    seq: int
    at: datetime
    actor: str
    via: str
    action: str
    object: str
    company_id: str
    digest: str
    reason: str
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What the hash of an entry was when it was signed outside of the database, and when that was."""

    hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Damage:
    """The first thing that is wrong with a chain."""

    chain: str
    seq: int
    kind: str
    explanation: str


def digest(details: Mapping[str, Any], salt: str) -> str:
    """The digest under which details are sealed; with the salt gone it tells nothing about them."""
    return digest_of(canonical(details), salt)


def digest_of(said: str, salt: str) -> str:
    """The same for details that are written in the canonical way already."""
    return sha256((salt + said).encode()).hexdigest()


def canonical(value: Mapping[str, Any]) -> str:
    """The one way to write a mapping, so that a hash over it can be repeated."""
    return _canonical(value)


def seal(
    *,
    chain: str,
    seq: int,
    at: datetime,
    actor: str,
    via: str,
    action: str,
    object: str,
    company_id: str,
    digest: str,
    reason: str,
    prev_hash: str,
) -> Entry:
    """The entry with its hash over the previous hash and its canonical form."""
    body = {
        "chain": chain, "seq": seq, "at": rfc3339(at), "actor": actor, "via": via, "action": action,
        "object": object, "company": company_id, "digest": digest, "reason": reason,
    }  # fmt: skip
    value = sha256((prev_hash + canonical(body)).encode()).hexdigest()
    return Entry(
        chain=chain, seq=seq, at=at, actor=actor, via=via, action=action, object=object, company_id=company_id,
        digest=digest, reason=reason, prev_hash=prev_hash, hash=value,
    )  # fmt: skip


def verify(
    entries: Iterable[Entry],
    *,
    details: Mapping[int, tuple[str, Mapping[str, Any]]] | None = None,
    head: tuple[int, str] | None = None,
    marks: Mapping[int, Mark] = MappingProxyType({}),
    after: tuple[int, str] = (0, GENESIS),
) -> Damage | None:
    """The first damage in one chain, whose entries come in order of their number; None when it is whole.

    `details` maps numbers to (salt, details) where those were not erased. `head` is what the database remembers as
    the last number and hash; `marks` are what was signed outside of it. `after` is the entry before the first one.
    """
    (last, previous), chain = after, ""
    known = last
    for entry in entries:
        chain = entry.chain
        if damage := _damage_of(entry, last, previous, details):
            return damage
        mark = marks.get(entry.seq)
        if mark is not None and mark.hash != entry.hash:
            return _rewritten(chain, known + 1, entry.seq, mark)
        if mark is not None:
            known = entry.seq
        last, previous = entry.seq, entry.hash
    signed = max(marks, default=0)
    if head is not None and last < signed:
        when = f"{marks[signed].at:%Y-%m-%d %H:%M:%S} UTC"
        return Damage(chain, last + 1, "truncated", f"the chain ends at {last}, {signed} entries were signed at {when}")
    return None if head is None else _against_head(chain, last, previous, head)


def _damage_of(
    entry: Entry, last: int, previous: str, details: Mapping[int, tuple[str, Mapping[str, Any]]] | None
) -> Damage | None:
    """What is wrong with an entry that follows another one."""
    if entry.seq != last + 1:
        kind = "deleted" if entry.seq > last + 1 else "inserted"
        return Damage(entry.chain, last + 1, kind, f"after {last} comes {entry.seq}")
    if entry.prev_hash != previous:
        return Damage(entry.chain, entry.seq, "broken link", "it does not follow from the entry before it")
    again = seal(
        chain=entry.chain, seq=entry.seq, at=entry.at, actor=entry.actor, via=entry.via, action=entry.action,
        object=entry.object, company_id=entry.company_id, digest=entry.digest, reason=entry.reason,
        prev_hash=entry.prev_hash,
    )  # fmt: skip
    if again.hash != entry.hash:
        return Damage(entry.chain, entry.seq, "edited", "its hash does not match what it says")
    if details is not None and entry.seq in details:
        salt, said = details[entry.seq]
        if digest(said, salt) != entry.digest:
            return Damage(entry.chain, entry.seq, "details edited", "the details do not match their digest")
    return None


def _rewritten(chain: str, first: int, last: int, mark: Mark) -> Damage:
    """All hashes fit, but they are not those that were signed: somebody has computed them anew."""
    where = f"entry {last}" if first == last else f"one of the entries {first} to {last}"
    when = f"{mark.at:%Y-%m-%d %H:%M:%S} UTC"
    said = f"{where} is not what it was when {last} was signed at {when}; the hashes are made anew"
    return Damage(chain, first, "rewritten", said)


def _against_head(chain: str, last: int, last_hash: str, head: tuple[int, str]) -> Damage | None:
    """A chain that is whole in itself may still not be the one that was written."""
    number, value = head
    if last < number:
        return Damage(chain, last + 1, "truncated", f"the chain ends at {last}, its head says {number}")
    if last > number:
        return Damage(chain, number + 1, "inserted", f"the chain goes on to {last}, its head says {number}")
    if last_hash != value:
        return Damage(chain, last, "rewritten", "the chain is whole, but not the one that was written")
    return None
