"""Entries of the audit log as a file that proves itself: lines of JSON, the first of them signed.

The first line says, under the signature, of which entries it is: for each chain the one before the first, and the last.
Each entry commits to all before it, so nothing between them can be changed, left out or added.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec

from siems.clock import rfc3339
from siems.domain.audit import Damage, Entry, Mark, canonical, digest_of, verify
from siems.domain.checkpoint import Kind, Statement, is_signed

ENTRY, EXPORT, CHECKPOINT = "entry", "export", "checkpoint"


def entry_line(entry: Entry, salt: str | None, details: str | None) -> str:
    """An entry as a line; `details` is the very text that its digest is of, None where it was erased."""
    said: dict[str, Any] = {
        "type": ENTRY, "chain": entry.chain, "seq": entry.seq, "at": rfc3339(entry.at), "actor": entry.actor,
        "via": entry.via, "action": entry.action, "object": entry.object, "company": entry.company_id,
        "digest": entry.digest, "reason": entry.reason, "prev_hash": entry.prev_hash, "hash": entry.hash,
    }  # fmt: skip
    return canonical(said if salt is None else said | {"salt": salt, "details": details})


def statement_line(statement: Statement) -> str:
    """A statement as a line of the file: that which heads it, or one that was signed before."""
    type = EXPORT if statement.kind == Kind.EXPORT else CHECKPOINT
    return canonical({"type": type, "statement": msgspec.to_builtins(statement)})


@dataclass(frozen=True, slots=True)
class ChainFound:
    """What a file holds of a chain."""

    chain: str
    first: int
    entries: int
    damage: Damage | None


@dataclass(slots=True)
class Found:
    """What a file proves. `trusted` is None where nobody said which key to trust."""

    at: str = ""
    key: str = ""
    trusted: bool | None = None
    checkpoints: int = 0
    chains: list[ChainFound] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What is wrong with the file as a whole."""

    @property
    def ok(self) -> bool:
        return not self.faults and self.trusted is not False and all(one.damage is None for one in self.chains)


def examine(lines: Iterable[str], *, trusted: str = "") -> Found:
    """Whether a file is what was exported. `trusted` is the public key of whoever should have made it."""
    found = Found()
    reading = _Reading(lines, found)
    head = reading.head()
    if head is None:
        found.faults.append("the first line is no signed head of an export")
        return found
    found.at, found.key = head.at, head.key
    found.trusted = _reaches(reading.handed, head.key, trusted) if trusted else None
    seen: set[str] = set()
    for chain, entries in groupby(reading.entries(), lambda entry: entry.chain):
        if chain in seen or chain not in head.chains:
            found.faults.append(f"there are entries of {chain} that were not exported here")
        else:
            seen.add(chain)
            found.chains.append(_chain(chain, entries, head, reading))
    for chain in head.chains.keys() - seen:
        found.chains.append(_chain(chain, iter(()), head, reading))
    return found


def _chain(chain: str, entries: Iterator[Entry], head: Statement, reading: _Reading) -> ChainFound:
    before, last = head.begins.get(chain, (0, "")), head.chains[chain]
    marks = {n: mark for n, mark in reading.marks.get(chain, {}).items() if before[0] < n <= last[0]}
    count = 0

    def counted() -> Iterator[Entry]:
        nonlocal count
        for entry in entries:
            count += 1
            yield entry

    damage = verify(counted(), details=reading.details, head=last, marks=marks, after=before)
    return ChainFound(chain, before[0] + 1, count, damage)


def _reaches(handed: Mapping[str, str], key: str, trusted: str) -> bool:
    """Whether one of two keys has taken over from the other, perhaps by way of others."""

    def olds(one: str) -> set[str]:
        found = {one}
        while (one := handed.get(one, "")) and one not in found:
            found.add(one)
        return found

    return trusted in olds(key) or key in olds(trusted)


class _Reading:
    """Goes through the lines once; keeps what statements say, and the details of the last entry."""

    def __init__(self, lines: Iterable[str], found: Found) -> None:
        self._lines = enumerate(lines, 1)
        self._found = found
        self._waiting: list[dict[str, Any]] = []
        self.marks: dict[str, dict[int, Mark]] = {}
        self.handed: dict[str, str] = {}
        self.details: dict[int, tuple[str, dict[str, Any]]] = {}

    def head(self) -> Statement | None:
        """The head, after which everything that was signed comes before the first entry."""
        said = self._next()
        head = self._statement(said) if said is not None and said.get("type") == EXPORT else None
        while head is not None and (said := self._next()) is not None:
            if said.get("type") != CHECKPOINT:
                self._waiting.append(said)
                break
            statement = self._statement(said)
            if statement is None or statement.kind == Kind.EXPORT:
                self._found.faults.append("a checkpoint in the file is not as it was signed")
            else:
                self._take(statement)
        return head if head is not None and head.kind == Kind.EXPORT else None

    def _take(self, statement: Statement) -> None:
        self._found.checkpoints += 1
        if statement.kind == Kind.KEY:
            self.handed[statement.key] = statement.old
        at = datetime.fromisoformat(statement.at)
        for chain, (number, hash) in statement.chains.items():
            self.marks.setdefault(chain, {})[number] = Mark(hash, at)

    def _statement(self, said: Mapping[str, Any]) -> Statement | None:
        try:
            found = msgspec.convert(said.get("statement"), Statement)
        except msgspec.ValidationError:
            return None
        return found if is_signed(found) else None

    def _next(self) -> dict[str, Any] | None:
        if self._waiting:
            return self._waiting.pop()
        for number, line in self._lines:
            try:
                said = json.loads(line)
            except ValueError:
                said = None
            if isinstance(said, dict):
                return said
            self._found.faults.append(f"line {number} is no JSON object")
        return None

    def entries(self) -> Iterator[Entry]:
        """The entries, in the order of the file."""
        while (said := self._next()) is not None:
            entry = _entry(said)
            if entry is None:
                self._found.faults.append("there is a line that is no entry")
                continue
            self.details.clear()
            if isinstance(said.get("salt"), str):
                # the text is what is hashed; it stands for itself here
                text = str(said.get("details"))
                good = digest_of(text, said["salt"]) == entry.digest
                self.details[entry.seq] = _whole(text, said["salt"]) if good else ("", {})
            yield entry


def _whole(text: str, salt: str) -> tuple[str, dict[str, Any]]:
    """Details that fit their digest, as the chain's own check takes them."""
    return salt, json.loads(text)


def _entry(said: Mapping[str, Any]) -> Entry | None:
    try:
        if said["type"] != ENTRY or not isinstance(said["seq"], int):
            return None
        words = {
            name: said[name]
            for name in ("chain", "actor", "via", "action", "object", "digest", "reason", "prev_hash", "hash")
        }
        if not all(isinstance(word, str) for word in (*words.values(), said["company"])):
            return None
        return Entry(seq=said["seq"], at=datetime.fromisoformat(said["at"]), company_id=said["company"], **words)
    except (KeyError, ValueError, TypeError):
        return None
