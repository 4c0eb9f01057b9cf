"""`siems search`: words in incidents, alerts, notes and the audit log."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli.context import Door, leaf, new_app
from siems.cli.pages import how_many
from siems.cli.show import Column, field, show_list, when

app = new_app("Words in incidents, alerts, notes and the audit log.")
COMMANDS = ("search",)

COLUMNS = (
    when("AT", "at"),
    field("TYPE", "type"),
    field("ID", "id"),
    Column("COMPANY", lambda i: i["company_id"], lambda i: str(i["company"]), drop=1),
    field("WHAT", "title", grows=True),
    field("TEXT", "text", grows=True),
)


@app.command()
@leaf
def search(
    door: Door,
    query: Annotated[list[str], typer.Argument(help='words; "in a row", begin*, -without')],
    types: Annotated[str, typer.Option("--type", help="incident,alert,note,audit; else all that you may see")] = "",
    limit: Annotated[str, typer.Option("--limit", help="how many, 200 at most")] = "",
) -> None:
    """Find words, the newest first; all of them have to be in a text.

    siems search "ref 8812" --type note
    siems search 'vpn "timed out" -lab' -q
    """
    wanted = how_many(limit) if limit else 30
    found = door.client.search(" ".join(query), types=types, limit=wanted or 200)
    show_list(door, found["items"], COLUMNS)
    if found["more"]:
        door.note(f"more were found; these are the newest {len(found['items'])}")
    if found["behind"]:
        door.note("what came in the last moments is not in the index yet")
