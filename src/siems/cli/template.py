"""`siems template`: the texts of status updates and messages, per client."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, field, show_list, show_one, when

app = new_app("Templates: list, show, edit, render.")

Name = Annotated[str, typer.Argument(help="identified")]
Company = Annotated[str, typer.Option("--company", help="acme; msp is what all clients share")]


def _words(k: Item) -> str:
    """Its text; before it what is wrong, where the last message could not be made of it."""
    said = " ".join(k["body"].split())
    return f"FAILS ({k['problem']}): {said}" if k.get("problem") else said


COLUMNS = (
    field("NAME", "name"),
    field("EVENT", "event", drop=2),
    field("CHANNEL", "channel"),
    field("FROM", "origin"),
    Column("TEXT", lambda k: k["body"], lambda k: _words(k), grows=True, drop=1),
    when("CHANGED", "updated_at", wide=True),
)


def _company(door: Door, named: str) -> str:
    from siems.cli.silence import company_of

    return company_of(door, named)


@app.command("list")
@leaf
def list_(door: Door, company: Company = "") -> None:
    """Those in force for a client: its own, those of the MSP, and those that ship."""
    show_list(door, door.client.templates(_company(door, company)), COLUMNS, id="name")


@app.command()
@leaf
def show(door: Door, name: Name, company: Company = "") -> None:
    """One template as it is written."""
    from siems.present import safe

    found = door.client.template(_company(door, company), name)
    show_one(door, found, lambda k: [safe(line) for line in k["body"].splitlines()], id="name")


@app.command()
@leaf
def edit(
    door: Door,
    name: Name,
    company: Company = "",
    file: Annotated[str, typer.Option("--file", help="the text; - for standard input")] = "",
    event: Annotated[str, typer.Option("--event", help="of a new one: incident.resolved")] = "",
    channel: Annotated[str, typer.Option("--channel", help="of a new one: status, email, sms, slack")] = "",
    reset: Annotated[bool, typer.Option("--reset", help="back to what was there before")] = False,
) -> None:
    """Another text, tried before it is taken; in an editor where no file is given.

    siems template edit identified --company acme --file identified.txt
    """
    company = _company(door, company)
    if reset:
        done = door.client.reset_template(company, name)
        word = "back to what was there before" if done["changed"] else "had no text of its own, nothing changed"
        show_one(door, done, lambda k: [f"{k['name']}: {word}"], id="name")
        return
    body = _text(door, file, company, name)
    done = door.client.edit_template(
        name, company=company, body=body, event=event, channel=channel, reason=door.reason,
        idempotency_key=door.idempotency_key,
    )  # fmt: skip
    again = " (dry run, nothing is written)" if door.dry_run else ""
    show_one(door, done, lambda k: [f"{k['name']}: changed for {k['company_id']}{again}"], id="name")


def _text(door: Door, file: str, company: str, name: str) -> str:
    if file == "-":
        return sys.stdin.read()
    if file:
        try:
            with open(file) as handle:
                return handle.read()
        except (OSError, UnicodeDecodeError) as why:
            raise errors.UsageError(f"{file} cannot be read ({why})", hint="--file F, or -") from why
    if not door.interactive:
        raise errors.UsageError("the text is missing", hint="add  --file F  or  --file -")
    try:
        before = str(door.client.template(company, name)["body"])
    except errors.NotFound:
        before = "{{ incident.title }}: {{ text }}"
    written = _edited(before)
    if written == before:
        door.note("nothing was changed")
        raise typer.Exit(130)
    return written


def _edited(text: str) -> str:
    """What somebody makes of it in their editor. Raises UsageError."""
    import os
    import shlex
    import subprocess
    import tempfile
    from pathlib import Path

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.txt"
        path.write_text(text)
        try:
            subprocess.run([*shlex.split(editor), str(path)], check=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError) as why:
            raise errors.UsageError(f"the editor {editor!r} did not work ({why})", hint="add  --file F") from why
        return path.read_text()


@app.command()
@leaf
def render(
    door: Door,
    name: Name,
    incident: Annotated[str, typer.Option("--incident", help="INC-12: with its facts")] = "",
    data: Annotated[str, typer.Option("--data", help="JSON file with facts of your own; - for standard input")] = "",
    company: Company = "",
    text: Annotated[str, typer.Option("--text", help="what somebody would add")] = "",
    file: Annotated[str, typer.Option("--file", help="a text that is not taken yet")] = "",
) -> None:
    """What would be said; nothing is sent: siems template render identified --incident INC-12"""
    from siems.present import safe

    ask: dict[str, Any] = {"incident": incident, "text": text}
    if data:
        ask["data"] = _data(data)
    if not incident:
        ask["company"] = _company(door, company)
    if file:
        ask["body"] = _text(door, file, company, name)
    done = door.client.render_template(name, **ask)
    show_one(door, done, lambda k: [safe(line) for line in k["text"].splitlines()], id="name")


def _data(file: str) -> Item:
    import json

    try:
        if file == "-":
            found = json.load(sys.stdin)
        else:
            with open(file) as handle:
                found = json.load(handle)
    except (OSError, ValueError) as why:
        raise errors.UsageError(f"{file} cannot be read as JSON ({why})", hint="--data F, or -") from why
    if not isinstance(found, dict):
        raise errors.UsageError("the facts are one object", hint='{"incident": {"title": "..."}}')
    return found
