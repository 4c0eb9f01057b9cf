"""`siems heartbeat`: addresses to be called every so often; silence raises an alert."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one, when

app = new_app("Heartbeats: create, list, show, beat, edit, pause, resume, rotate, delete.")

Ref = Annotated[str, typer.Argument(help="its name, or HB-3")]
Every = Annotated[str, typer.Option("--every", help="how often it is called: 5m, 1h, 1d")]
Grace = Annotated[str | None, typer.Option("--grace", help="how late it may be; else a tenth of the period, 1m to 1h")]
Severity = Annotated[str | None, typer.Option("--severity", help="of the alert: LOW, MEDIUM, HIGH or CRITICAL")]
COLUMNS = (
    field("ID", "id"),
    field("NAME", "name", grows=True),
    field("COMPANY", "company_id"),
    field("STATE", "state"),
    Column("EVERY", lambda h: _span(h["every_seconds"])),
    Column("GRACE", lambda h: _span(h["grace_seconds"]), drop=3),
    field("SEVERITY", "severity", drop=2),
    when("LAST", "last_beat_at", drop=1),
)


@app.command()
@leaf
def create(
    door: Door,
    name: Annotated[str, typer.Argument(help="what is watched: nightly-backup")],
    company: Annotated[str, typer.Option("--company", help="acme")],
    every: Every,
    grace: Grace = None,
    severity: Severity = None,
) -> None:
    """An address to call, shown once: siems heartbeat create nightly-backup --company acme --every 1d --grace 2h

    Nothing is expected before its first beat.
    """
    from siems.moments import seconds

    made = door.client.create_heartbeat(
        name=name, company=company, every_seconds=seconds(every), grace_seconds=seconds(grace),
        severity=severity or "", reason=door.reason,
    )  # fmt: skip
    _show_made(door, made, "is ready")


def _show_made(door: Door, made: Item, what: str) -> None:
    if door.dry_run:
        show_one(door, made["heartbeat"], lambda h: [f"{h['name']} of {h['company_id']}: nothing was changed"])
        return
    show_one(door, {**made["heartbeat"], "url": made["url"]}, lambda h: _welcome(h, what))


def _welcome(h: Item, what: str) -> list[str]:
    from siems.present import safe

    every, grace = _span(h["every_seconds"]), _span(h["grace_seconds"])
    return [
        f"{safe(h['name'])} ({h['id']}) of {h['company_id']} {what}.",
        "",
        f"  address   {h['url']}",
        "            (shown this once: whoever has it can report the job as done)",
        f"  expected  every {every}, at most {grace} late; then a {h['severity']} alert, which its next beat resolves",
        "            (from its first beat on)",
        "",
        "at the end of the job:",
        "",
        f"  curl -fsS -m 10 --retry 5 {h['url']}",
        "",
        "/start tells that it begins, /fail that it failed, /$? either by its exit status.",
    ]


@app.command("list")
@leaf
def list_(door: Door, company: Annotated[str, typer.Option("--company", help="acme")] = "") -> None:
    """Every heartbeat that you may see; what is down comes first."""
    show_list(door, door.client.heartbeats(company=company), COLUMNS)


@app.command()
@leaf
def show(door: Door, ref: Ref) -> None:
    """One heartbeat: when it was called, and when it is due."""
    show_one(door, door.client.heartbeat(ref), _card)


def _card(h: Item) -> list[str]:
    from siems.present import safe

    lines = [
        f"{safe(h['name'])} ({h['id']}) of {h['company_id']}: {h['state']}",
        f"every {_span(h['every_seconds'])}, grace {_span(h['grace_seconds'])}, {h['severity']},"
        f" address ends in {h['token_hint']}",
        f"last beat {at(h['last_beat_at']) if h['last_beat_at'] else 'never'}",
    ]
    if h["down_since"]:
        lines.append(f"down since {at(h['down_since'])}")
    elif h["due_at"]:
        lines.append(f"next due {at(h['due_at'])}")
    return lines


@app.command()
@leaf
def beat(door: Door, ref: Ref) -> None:
    """Report it alive by hand: it counts like a call of its address, and is on record."""
    show_one(door, door.client.heartbeat_act(ref, "beat"), _card)


@app.command()
@leaf
def edit(
    door: Door,
    ref: Ref,
    name: Annotated[str | None, typer.Option("--name", help="another name; its address stays")] = None,
    every: Annotated[str | None, typer.Option("--every", help="5m, 1h, 1d")] = None,
    grace: Grace = None,
    severity: Severity = None,
) -> None:
    """Change what is given: siems heartbeat edit nightly-backup --every 12h --grace 1h"""
    from siems.moments import seconds

    changed = door.client.edit_heartbeat(
        ref, name=name, every_seconds=seconds(every), grace_seconds=seconds(grace), severity=severity,
        reason=door.reason,
    )  # fmt: skip
    show_one(door, changed, _card)


@app.command()
@leaf
def pause(door: Door, ref: Ref) -> None:
    """Expect nothing until it is resumed; what it has raised is resolved."""
    show_one(door, door.client.heartbeat_act(ref, "pause"), _card)


@app.command()
@leaf
def resume(door: Door, ref: Ref) -> None:
    """Expect it again, one period from now on."""
    show_one(door, door.client.heartbeat_act(ref, "resume"), _card)


@app.command()
@leaf
def rotate(door: Door, ref: Ref) -> None:
    """A new address, shown once; the old one ends at once."""
    door.ask(f"the old address of {ref} ends at once; go on?", flag="--yes")
    _show_made(door, door.client.heartbeat_act(ref, "rotate"), "has a new address")


@app.command()
@leaf
def delete(door: Door, ref: Ref) -> None:
    """Its address ends; what it has raised is resolved."""
    door.ask(f"delete the heartbeat {ref}?", flag="--yes")
    said = "would be deleted" if door.dry_run else "deleted"
    show_one(door, door.client.delete_heartbeat(ref), lambda h: [f"{h['name']} ({h['id']}) {said}"])


def _span(seconds: int) -> str:
    """`1d12h`, `90s`: as it is typed."""
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
