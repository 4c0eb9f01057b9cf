"""`siems audit`: who did what, and the proof that nobody changed it."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Item, field, show_list, show_one, when

app = new_app("Audit log: list, verify.")

COLUMNS = (
    field("CHAIN", "chain", grows=True),
    field("SEQ", "seq"),
    when("AT", "at"),
    field("ACTOR", "actor", grows=True),
    field("VIA", "via", drop=1),
    field("ACTION", "action"),
    field("OBJECT", "object", grows=True),
    field("REASON", "reason", grows=True, drop=2),
)


@app.command("list")
@leaf
def list_(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="only this chain; msp for the provider's own")] = "",
    object_: Annotated[str, typer.Option("--object", help="only about this: INC-12")] = "",
    limit: Annotated[int, typer.Option("--limit", help="how many of the newest")] = 100,
) -> None:
    """What was changed, by whom and when; newest first."""
    show_list(door, door.client.audit(company=company, object=object_, limit=limit), COLUMNS, id="seq")


@app.command()
@leaf
def verify(door: Door) -> int:
    """Recompute every chain; exit 9 when one is broken, naming the first bad entry and the damage."""
    found = door.client.verify_audit()
    show_one(door, found, _verdict, id="ok")
    return 0 if found["ok"] else 9


def _verdict(found: Item) -> list[str]:
    lines = []
    for chain in found["chains"]:
        state = "ok" if chain["ok"] else f"BROKEN at {chain['seq']}: {chain['damage']} ({chain['explanation']})"
        lines.append(f"{chain['chain']:<24} {chain['entries']:>8} entries   {state}")
    word = "whole" if found["ok"] else "NOT whole"
    return [*lines, f"{found['entries']} entries, the record is {word}"]
