"""`siems user`: people and their roles."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, field, show_list, show_one

app = new_app("Users: create, list.")

COLUMNS = (
    field("ID", "id"),
    field("NAME", "name"),
    field("ROLE", "role"),
    field("EMAIL", "email", grows=True, drop=1),
    Column(
        "COMPANIES",
        lambda u: u["companies"],
        lambda u: ", ".join(u["companies"]) or ("all" if u["role"] == "admin" else "--"),
        grows=True,
    ),
    field("AVAILABILITY", "availability", drop=2),
    Column("OPEN", lambda u: u["open_incidents"]),
)


@app.command()
@leaf
def create(
    door: Door,
    name: Annotated[str, typer.Argument(help="the name to log in with")],
    email: Annotated[str, typer.Option("--email", help="jon@msp.example")],
    role: Annotated[str, typer.Option("--role", help="admin, manager, technician or client")],
    company: Annotated[list[str], typer.Option("--company", help="may see this client; repeat it")] = [],  # noqa: B006
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input")
    ] = False,
) -> None:
    """A new person: siems user create jon --email jon@msp.example --role technician --company acme

    The password comes from a prompt, from SIEMS_PASSWORD or from standard input, never from the command line.
    """
    password = os.environ.get("SIEMS_PASSWORD", "")
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    if not password:
        password = door.secret(f"password of {name}", flag="add  --password-stdin")
    made = door.client.create_user(name=name, email=email, role=role, companies=company, password=password)
    show_one(door, made, lambda u: [f"{u['id']} can log in as {u['role']}:  siems login --user {u['name']}"])


@app.command("list")
@leaf
def list_(
    door: Door, company: Annotated[str, typer.Option("--company", help="who works for this client")] = ""
) -> None:
    """Your colleagues."""
    show_list(door, door.client.users(company=company), COLUMNS)
