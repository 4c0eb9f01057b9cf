"""`siems db`: check, upgrade, another key, and what is in it."""

from __future__ import annotations

from typing import Annotated

import typer

from siems import errors
from siems.cli import process
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, field, show_list, show_one, when

app = new_app("The database: check, upgrade, rotate-key, stats.")


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
    if (running := process.endpoint()) is not None:  # on PostgreSQL no lock says so
        raise errors.Locked(
            f"the daemon runs (process {running['pid']}) and seals with the old key", hint="siems daemon stop"
        )
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
def stats(door: Door) -> None:
    """Rows, size and oldest row of each table, and for how long what is over is kept.

    The daemon may run meanwhile. Room that removed rows have left is used again; the file does not shrink.
    """
    found = process.call("stats")
    show_list(door, found["tables"], TABLES, id="table")
    door.note(f"{_size(found['bytes'])} in all, {_size(found['free_bytes'])} of it free")
