"""`siems notify`: your inbox."""

from __future__ import annotations

from typing import Annotated

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, field, show_list, when

app = new_app("Your inbox: inbox, read.")

COLUMNS = (
    Column("READ", lambda n: n["read"], lambda n: "yes" if n["read"] else ""),
    field("ID", "id"),
    when("AT", "at"),
    field("KIND", "kind", drop=1),
    field("OBJECT", "object"),
    field("WHAT", "subject", grows=True),
)


@app.command()
@leaf
def inbox(
    door: Door,
    unread: Annotated[bool, typer.Option("--unread", help="only what was not read")] = False,
    limit: Annotated[int, typer.Option("--limit", help="how many of the newest")] = 100,
) -> None:
    """What you were told, newest first."""
    show_list(door, door.client.inbox(unread=unread, limit=limit), COLUMNS)


@app.command()
@leaf
def read(
    door: Door,
    ids: Annotated[list[int], typer.Argument(help="ids of notices")] = [],  # noqa: B006
    all_: Annotated[bool, typer.Option("--all", help="every one")] = False,
) -> None:
    """Mark notices as read: siems notify read --all"""
    if not ids and not all_:
        raise errors.UsageError("which notices?", hint="name ids, or add  --all")
    done = door.client.read_inbox(None if all_ else ids)
    door.say(f"{done['read']} marked as read")
