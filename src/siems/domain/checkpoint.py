"""Statements about the audit log that are signed and kept outside of the database, and what they prove (DOMAIN §13).

Whoever has the database can compute every hash anew. Who has not the key cannot sign, and whoever has not the host
cannot take back what was signed before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from siems.domain.audit import GENESIS, Mark, canonical
from siems.domain.changing import replace

VERSION = 1
_PURPOSE = b"siems audit statement\n"
Head = tuple[int, str]
"""The number and the hash of a chain's last entry."""


class Kind(StrEnum):
    """What a statement is about."""

    CHECKPOINT = "checkpoint"
    BACKUP = "backup"
    RESTORED = "restored_from"
    KEY = "key"
    EXPORT = "export"


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One signed line. `chains` are heads; of an export, they are the last entries that it holds."""

    v: int = VERSION
    kind: str
    at: str
    chains: dict[str, Head] = {}
    full: bool = False
    """Whether all chains are named, not only those that went on."""
    begins: dict[str, Head] = {}
    """Of an export: what its first entry of each chain follows."""
    lost: dict[str, Head] = {}
    """Of `restored_from`: heads that were signed before, and which the database does not reach any more."""
    anew: bool = False
    """Of `restored_from`: another history begins; what was signed before does not bind it."""
    source: str = ""
    old: str = ""
    """Of a new key: the one before it, unless that was lost."""
    key: str
    countersigned: str = ""
    """The signature of the old key over the same."""
    signature: str = ""


_decode = msgspec.json.Decoder(Statement).decode


# --- signing ---------------------------------------------------------------------------------------------------


def public_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """A public key as 64 hexadecimal digits."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes_raw().hex()


def signed(statement: Statement, key: Ed25519PrivateKey, *, old: Ed25519PrivateKey | None = None) -> Statement:
    """The statement with its signature; with `old` also with that of the key before."""
    said = _said(statement)
    if old is not None:
        statement = replace(statement, countersigned=old.sign(said).hex())
    return replace(statement, signature=key.sign(said).hex())


def _said(statement: Statement) -> bytes:
    """What is signed: everything but the signatures, in the one canonical form."""
    body = msgspec.to_builtins(replace(statement, signature="", countersigned=""))
    return _PURPOSE + canonical(body).encode()


def is_signed(statement: Statement) -> bool:
    """Whether its key has signed exactly this, and the old one too where it names one."""
    said = _said(statement)
    good = _signed_by(statement.key, statement.signature, said)
    return good and (not statement.old or _signed_by(statement.old, statement.countersigned, said))


def _signed_by(key: str, signature: str, said: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), said)
    except (InvalidSignature, ValueError):
        return False
    return True


def written(statement: Statement) -> str:
    """The statement as a line, without its end."""
    return canonical(msgspec.to_builtins(statement))


def read(line: str | bytes) -> Statement | None:
    """The statement in a line; None when it is none, or was not signed like this."""
    try:
        found = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    whole = found.v == VERSION and all(number >= 0 for number, _ in found.chains.values())
    return found if whole and is_signed(found) else None


# --- what was signed so far ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Restored:
    """Somebody who has the key has put the database back, and said so."""

    at: datetime
    source: str
    lost: Mapping[str, tuple[int, int]]
    """For each chain the first and the last entry that were signed and are not there any more."""
    anew: bool


@dataclass(slots=True)
class Witness:
    """All that was signed: what each chain must be like."""

    marks: dict[str, dict[int, Mark]] = field(default_factory=dict)
    restored: list[Restored] = field(default_factory=list)
    backups: list[tuple[datetime, Mapping[str, Head]]] = field(default_factory=list)
    statements: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    bad_lines: list[int] = field(default_factory=list)
    """Lines that are no statement, or not as they were signed."""
    keys: list[str] = field(default_factory=list)
    """Every key that has signed, in order."""
    last_key: str = ""
    unvouched: list[str] = field(default_factory=list)
    """Those of them that no key after them has taken over from."""

    def last(self, chain: str) -> Head | None:
        """The last entry of a chain that was signed."""
        marks = self.marks.get(chain)
        if not marks:
            return None
        number = max(marks)
        return number, marks[number].hash

    def heads(self) -> dict[str, Head]:
        """The last entry of each chain that was signed."""
        return {chain: head for chain in self.marks if (head := self.last(chain)) is not None}

    def backup_of(self, chain: str, end: Head) -> datetime | None:
        """When a backup was made in which a chain ends like this, if one was."""
        ends = ((at, chains.get(chain, (0, GENESIS))) for at, chains in reversed(self.backups))
        return next((at for at, head in ends if head == end), None)


def witness(lines: Iterable[str | bytes], *, trusted: str | None = None) -> Witness:
    """Read all statements, oldest first. `trusted` is the key in use: what it does not vouch for is said."""
    found, handed = Witness(), {}
    for number, line in enumerate(lines, 1):
        statement = read(line)
        if statement is None:
            found.bad_lines.append(number)
            continue
        _take(found, statement)
        if statement.kind == Kind.KEY and statement.old:
            handed[statement.key] = statement.old
    known: set[str] = set()
    key = trusted
    while key and key not in known:
        known.add(key)
        key = handed.get(key)
    found.unvouched = [] if trusted is None else [key for key in found.keys if key not in known]
    return found


def _take(found: Witness, statement: Statement) -> None:
    at = datetime.fromisoformat(statement.at)
    found.statements += 1
    found.first_at, found.last_at = found.first_at or at, at
    found.last_key = statement.key
    if statement.key not in found.keys:
        found.keys.append(statement.key)
    if statement.kind == Kind.RESTORED:
        _take_back(found, statement, at)
    if statement.kind == Kind.BACKUP:
        found.backups.append((at, statement.chains))
    if statement.kind in (Kind.CHECKPOINT, Kind.BACKUP, Kind.RESTORED):
        for chain, (number, hash) in statement.chains.items():
            if number:
                found.marks.setdefault(chain, {}).setdefault(number, Mark(hash, at))


def _take_back(found: Witness, statement: Statement, at: datetime) -> None:
    """What came after a backup was not kept: it binds no longer."""
    ends = {chain: number for chain, (number, _) in statement.chains.items()}
    lost = {chain: (ends.get(chain, 0) + 1, number) for chain, (number, _) in statement.lost.items()}
    found.restored.append(Restored(at, statement.source, lost, statement.anew))
    for chain, marks in list(found.marks.items()):
        reached = 0 if statement.anew else ends.get(chain, 0)
        found.marks[chain] = {number: mark for number, mark in marks.items() if number <= reached}


def thinned(lines: Sequence[str], *, now: datetime, fine: float, coarse: float) -> list[str]:
    """The lines that are worth keeping: all of the last `fine` days, one checkpoint of every hour before, and one of
    every day before `coarse`. Only full ones stand for those that go; everything else stays."""
    kept: list[str] = []
    slots: set[str] = set()
    for line in lines:
        try:
            said: dict[str, Any] = json.loads(line)
            age = (now - datetime.fromisoformat(said["at"])).total_seconds() / 86_400
            plain = said["kind"] == Kind.CHECKPOINT
        except (ValueError, KeyError, TypeError):
            kept.append(line)  # what is damaged stays where it is, to be seen
            continue
        slot = said["at"][: 13 if age < coarse else 10] if plain else ""
        if not plain or age < fine or (said.get("full") and slot not in slots):
            kept.append(line)
            if plain and said.get("full"):
                slots.add(slot)
    return kept
