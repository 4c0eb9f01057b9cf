"""`siems db`: check and upgrade."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli import process
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import show_one

app = new_app("The database: check, upgrade.")


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
