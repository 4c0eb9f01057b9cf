"""Verbs of `siems audit` for what leaves the house, and for the key that signs it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli import process
from siems.cli.audit_proof import LONG, Company, First, Last, witness_lines
from siems.cli.context import Door, leaf
from siems.cli.show import Item, show_one


@leaf
def export(
    door: Door,
    company: Company = "",
    first: First = 1,
    last: Last = 0,
    since: Annotated[str, typer.Option("--since", help="from then on: 30d, or 2026-03-01")] = "",
    until: Annotated[str, typer.Option("--until", help="before then: 2026-04-01")] = "",
    out: Annotated[str, typer.Option("--out", help="a file, or - for standard output")] = "-",
) -> None:
    """Entries as lines of JSON that prove themselves: anybody can verify them, without this database.

    siems audit export --company acme --since 2026-03-01 --until 2026-04-01 --out acme.jsonl
    """
    door.client.timeout = max(door.client.timeout, LONG)
    lines = door.client.export_audit(
        company=company, first=first, last=last or None, since=_time(since), until=_time(until)
    )
    head = next(lines)
    if out == "-":
        _write(sys.stdout, head, lines)
        return
    try:
        with open(out, "w", encoding="ascii", opener=lambda name, how: os.open(name, how, 0o600)) as file:
            count = _write(file, head, lines)
    except OSError as why:
        raise errors.UsageError(f"{out} cannot be written: {why.strerror}", hint="--out - for standard output") from why
    door.note(f"{count} entries in {out}; whoever has it verifies it by  siems audit verify {out} --key KEY")


def _write(file: Any, head: Item, lines: Iterator[Item]) -> int:
    """The lines as they were signed; how many are entries. Raises Unavailable where the answer broke off."""
    statement = head["statement"]
    wanted = sum(end[0] - statement["begins"][chain][0] for chain, end in statement["chains"].items())
    count = 0
    file.write(_line(head))
    for line in lines:
        file.write(_line(line))
        count += line["type"] == "entry"
    if count != wanted:
        raise errors.Unavailable(f"the answer broke off after {count} of {wanted} entries", hint="try again")
    return count


def _line(said: Item) -> str:
    return json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n"


def _time(text: str) -> str | None:
    """A moment, or so long ago."""
    if not text:
        return None
    from siems.grammar import parse_span
    from siems.moments import moment

    word = text.strip().lower()
    if word[-1:] in "wdhms" and word[:1].isdigit():
        return (datetime.now(UTC) - parse_span(word)).isoformat()
    return moment(text).isoformat()


@leaf
def key(door: Door) -> None:
    """The public key that signs the record, for those who verify exports; and how it stands with the checkpoints."""
    found = door.client.witness()
    show_one(door, found, lambda f: [f["key"] or "not there", *witness_lines(f)[:1], *_trouble(f)], id="key")


def _trouble(found: Item) -> list[str]:
    return [f"!! {found['cause']}", found["fix"]] if found["cause"] else []


@leaf
def rotate_key(
    door: Door,
    lost: Annotated[bool, typer.Option("--lost", help="the old key is not there any more")] = False,
) -> None:
    """Sign with a new key from now on; the old one signs that it does. The daemon must be stopped."""
    process.stopped("it signs with the old key")
    words = ["--lost"] if lost else []
    found = process.call("audit-key", *words, *(["--reason", door.reason] if door.reason else []))
    show_one(door, found, _rotated, id="key")


def _rotated(found: Item) -> list[str]:
    return [
        f"the record is signed with a new key: {found['key']}",
        f"keep a copy of {found['key_file']}; tell those who verify exports",
    ]
