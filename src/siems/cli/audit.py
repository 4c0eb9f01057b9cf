"""`siems audit`: who did what, and the proof that nobody changed it."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli.audit_keys import export, key, rotate_key
from siems.cli.audit_proof import verify
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Item, field, show_list, show_one, when
from siems.errors import NotFound, UsageError

app = new_app("Audit log: list, show, verify, export, key, rotate-key.")

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
    object_: Annotated[str, typer.Option("--object", "--target", help="only about this: INC-12")] = "",
    actor: Annotated[str, typer.Option("--actor", help="only by this person; @me, system")] = "",
    action: Annotated[str, typer.Option("--action", help="incident.resolved, or the noun: incident")] = "",
    since: Annotated[str, typer.Option("--since", help="within the last 24h")] = "",
    query: Annotated[str, typer.Option("--query", help='actor:maria action:incident via:cli "disk full"')] = "",
    limit: Annotated[int, typer.Option("--limit", help="how many of the newest")] = 100,
) -> None:
    """What was changed, by whom and when; newest first: siems audit list --actor @me --since 24h"""
    words = [query] if query else []
    words += [f"{name}:{_word(value)}" for name, value in (("actor", actor), ("action", action)) if value]
    words += [f"since:<{_word(since)}"] if since else []
    found = door.client.audit(company=company, object=object_, limit=limit, query=" ".join(words))
    show_list(door, found, COLUMNS, id="seq")


def _word(text: str) -> str:
    """A value as the query language takes it."""
    return f'"{text}"' if " " in text else text


@app.command()
@leaf
def show(
    door: Door, entry: Annotated[str, typer.Argument(help="CHAIN:NUMBER as in the list: acme:48211, msp:7")]
) -> None:
    """One entry with all that it holds: siems audit show acme:48211"""
    chain, _, number = entry.rpartition(":")
    if not (chain and number.isascii() and number.isdigit() and len(number) < 18):
        raise UsageError(f"{entry!r} is no entry: each client has a chain of its own", hint="siems audit show msp:7")
    name = chain if chain == "msp" or chain.startswith("comp-") else f"comp-{chain}"
    found = door.client.audit(query=f"chain:{name} seq:{number}", limit=1)
    if not found:
        raise NotFound(f"there is no entry {entry}", hint="siems audit list")
    show_one(door, found[0], _card, id="seq")


def _card(one: Item) -> list[str]:
    lines = [
        f"{one['chain']}:{one['seq']}  {one['at']}",
        f"{one['actor']} via {one['via']}  {one['action']}  {one['object']}  ({one['company_id']})",
    ]
    if one["reason"]:
        lines.append(f"reason   {one['reason']}")
    details = one["details"]
    if details is None:
        lines.append("details  a batch of alerts, or erased; sealed by the digest")
    else:
        lines += [f"  {name:<20} {value}" for name, value in details.items()]
    return [*lines, f"digest   {one['digest']}", f"hash     {one['hash']}", f"follows  {one['prev_hash']}"]


app.command()(verify)
app.command()(export)
app.command()(key)
app.command("rotate-key")(rotate_key)
