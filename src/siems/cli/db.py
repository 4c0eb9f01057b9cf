"""`siems db`: check, upgrade, backup and restore, another key, and what is in it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import Annotated

import typer

from siems.cli import process
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, field, show_list, show_one, when

app = new_app("The database: check, upgrade, backup, restore, restored, resume, rotate-key, stats.")


def _size(number: int | None) -> str:
    """Bytes for people."""
    if number is None:
        return "--"
    amount, unit = float(number), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def _kept(row: Item) -> str:
    if row["kept_days"]:
        return f"{row['kept_days']} d"
    return "for good" if row["table"].startswith("audit_") else "--"


TABLES = (
    field("TABLE", "table"),
    field("ROWS", "rows"),
    Column("SIZE", lambda row: row["bytes"], lambda row: _size(row["bytes"])),
    when("OLDEST", "oldest"),
    Column("KEPT", lambda row: row["kept_days"], lambda row: _kept(row)),
)


@app.command()
@leaf
def check(door: Door) -> None:
    """Whether the schema is the one this siems needs, and the file is whole."""
    found = process.call("check")
    show_one(door, found, lambda f: [f"the database is whole, schema {f['schema']}"], id="schema")


@app.command()
@leaf
def upgrade(door: Door, to: Annotated[str, typer.Option("--to", help="a revision; else the newest")] = "head") -> None:
    """Bring the schema up to this siems; the daemon must be stopped."""
    found = process.call("upgrade", "--to", to)
    show_one(
        door, found,
        lambda f: [f"schema {f['before'] or 'none'} -> {f['after']}" + ("" if f["changed"] else ", nothing to do")],
        id="after",
    )  # fmt: skip


@app.command("rotate-key")
@leaf
def rotate_key(door: Door) -> None:
    """Encrypt all stored secrets with a new key; the daemon must be stopped.

    Sessions, links in messages and cards already sent end with the old key. When it is interrupted, run it again.
    """
    process.stopped("it seals with the old key")
    found = process.call("rotate-key")
    show_one(door, found, _rotated, id="key_file")


def _rotated(found: Item) -> list[str]:
    counts = ", ".join(f"{count} in {table}" for table, count in found["sealed"].items() if count)
    return [
        f"stored secrets have a new key: {counts or 'there were none'}",
        f"keep a copy of {found['key_file']}; a backup from before needs the key from before",
    ]


@app.command()
@leaf
def backup(door: Door, out: Annotated[str, typer.Option("--out", help="a file, or - for standard output")]) -> None:
    """Copy the database into one file; the daemon may run meanwhile. Keep secret.key and audit.key, too.

    siems db backup --out "siems-$(date +%F).db"
    """
    if out != "-":
        show_one(door, process.call("backup", os.path.abspath(out)), _backed_up, id="file")
        return
    with tempfile.TemporaryDirectory(prefix="siems-") as folder:
        made = os.path.join(folder, "siems.backup")
        found = process.call("backup", made)
        with open(made, "rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
    for line in _backed_up(found | {"file": "standard output"}):
        door.note(line)


def _backed_up(found: Item) -> list[str]:
    lines = [f"{_size(found['bytes'])} in {found['file']}, with {found['entries']} entries of the audit log"]
    return lines if found["signed"] else [*lines, f"not signed: {found['why']}"]


@app.command()
@leaf
def restore(door: Door, file: Annotated[str, typer.Argument(help="what siems db backup has made")]) -> None:
    """Put a backup in the place of the database; the daemon must be stopped. What was there is kept beside it.

    siems db restore siems-2026-03-01.db --confirm siems.db
    """
    process.stopped("it writes to the database")
    door.sure(f"{file} takes the place of everything that is there now", _name())
    if door.dry_run:
        door.note(f"dry run: {file} would be put back")
        return
    words = ["--reason", door.reason] if door.reason else []
    show_one(door, process.call("restore", os.path.abspath(file), *words), _put_back, id="source")


@app.command()
@leaf
def restored(
    door: Door,
    source: Annotated[str, typer.Option("--source", help="what it was put back from")] = "other means",
    anew: Annotated[bool, typer.Option("--anew", help="it is no backup: another history begins")] = False,
) -> None:
    """Say that the database was put back by other means, so that its audit log is not taken for one that was cut.

    siems db restored --source "snapshot of Sunday" --reason "the disk died" --confirm siems.db
    """
    process.stopped("it signs what it remembers")
    door.sure("what was signed of entries that are not there any more will not bind any more", _name())
    if door.dry_run:
        door.note("dry run: nothing was signed")
        return
    words = ["--source", source, *(["--anew"] if anew else []), *(["--reason", door.reason] if door.reason else [])]
    show_one(door, process.call("restored", *words), _put_back, id="source")


@app.command()
@leaf
def resume(door: Door) -> None:
    """Let a copy that was put back send messages, run runbooks and keep tickets again. What waited goes out, as late.

    siems db resume --reason "the old machine is gone"
    """
    found = door.client.resume(door.reason)
    show_one(door, found, lambda f: ["siems sends again" if f["changed"] else "nothing was paused"], id="changed")


def _name() -> str:
    """What the database is called where it has to be confirmed."""
    return str(process.call("database-name")["name"])


def _put_back(found: Item) -> list[str]:
    lost = ", ".join(f"{number} of {chain}" for chain, number in sorted(found["lost"].items()))
    lines = [f"the database is that of {found['source']}: {found['entries']} entries of the audit log"]
    lines.append(f"entries that came later are gone: {lost}" if lost else "no entry that was signed is missing")
    if found.get("kept"):
        lines.append(f"what was there before is in {found['kept']}")
    return [*lines, "nobody is paged until you say so:  siems up -d;  siems audit verify;  siems db resume"]


@app.command()
@leaf
def stats(door: Door) -> None:
    """Rows, size and oldest row of each table, and for how long what is over is kept.

    The daemon may run meanwhile. Room that removed rows have left is used again; the file does not shrink.
    """
    found = process.call("stats")
    show_list(door, found["tables"], TABLES, id="table")
    door.note(f"{_size(found['bytes'])} in all, {_size(found['free_bytes'])} of it free")
