"""`siems user`: people and their roles."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one

app = new_app("Users: create, list, show, edit, availability, set-role, disable, enable, reset-password.")

Ref = Annotated[str, typer.Argument(metavar="USER", help="jon, user-jon, an address, or @me")]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="read the password from standard input")]

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
    Column(
        "AVAILABILITY",
        lambda u: u["availability"],
        lambda u: "disabled" if u["disabled"] else str(u["availability"]),
        drop=2,
    ),
    Column("OPEN", lambda u: u["open_incidents"]),
    Column("SKILLS", lambda u: u["skills"], lambda u: ", ".join(u["skills"]) or "--", grows=True, drop=3),
    field("DISABLED", "disabled", wide=True),
)


@app.command()
@leaf
def create(
    door: Door,
    name: Annotated[str, typer.Argument(help="the name to log in with")],
    email: Annotated[str, typer.Option("--email", help="jon@msp.example")],
    role: Annotated[str, typer.Option("--role", help="admin, manager, technician or client")],
    company: Annotated[list[str], typer.Option("--company", help="may see this client; repeat it")] = [],  # noqa: B006
    password_stdin: Stdin = False,
) -> None:
    """A new person: siems user create jon --email jon@msp.example --role technician --company acme

    The password comes from a prompt, from SIEMS_PASSWORD or from standard input, never from the command line.
    """
    password = _password(door, name, password_stdin)
    made = door.client.create_user(name=name, email=email, role=role, companies=company, password=password)
    show_one(door, made, lambda u: [f"{u['id']} can log in as {u['role']}:  siems login --user {u['name']}"])
    if not made["companies"] and made["role"] != "admin":
        door.note(f"{made['name']} sees no client yet:  siems user edit {made['id']} --add-company ID")


def _password(door: Door, name: str, stdin: bool) -> str:
    """A password from the environment, standard input or a prompt. Raises UsageError."""
    password = os.environ.get("SIEMS_PASSWORD", "")
    if stdin:
        password = sys.stdin.readline().rstrip("\n")
    return password or door.secret(f"password of {name}", flag="add  --password-stdin")


@app.command("list")
@leaf
def list_(
    door: Door, company: Annotated[str, typer.Option("--company", help="who works for this client")] = ""
) -> None:
    """Your colleagues."""
    show_list(door, door.client.users(company=company), COLUMNS)


@app.command()
@leaf
def show(door: Door, ref: Ref) -> None:
    """One person: role, companies, skills, availability, what they have open."""
    show_one(door, door.client.user(ref), _card)


def _card(u: Item) -> list[str]:
    from siems.present import safe

    companies = ", ".join(u["companies"]) or ("all companies" if u["role"] == "admin" else "no company")
    given = f", last given one at {at(u['assigned_at'])}" if u["assigned_at"] else ""
    return [
        f"{safe(u['name'])} ({u['id']})  {u['role']}{'  DISABLED' if u['disabled'] else ''}",
        f"{safe(u['email'])}   {companies}",
        f"{u['availability']}, {u['open_incidents']} open{given}",
        f"skills: {', '.join(u['skills']) or 'none'}",
    ]


# --- changing --------------------------------------------------------------------------------------------------


def _changed(door: Door, done: Item) -> None:
    """What became of it, and what is left to do."""
    from siems.present import plural, safe

    def lines(u: Item) -> list[str]:
        again = " (dry run, nothing is written)" if door.dry_run else ""
        word = "changed" if u["changed"] else "so already, nothing changed"
        head = f"{u['id']}: {word}{again}  -> {u['role']}{', DISABLED' if u['disabled'] else ''}"
        left = u["disabled"] and u["open_incidents"]
        more = [f"{plural(u['open_incidents'], 'open incident')} of theirs:"] if left else []
        more += [f"  siems incident list --assignee {safe(u['name'])}"] if left else []
        return [head, *_card(u)[1:], *more]

    show_one(door, {**done["user"], "changed": done["changed"]}, lines)


@app.command()
@leaf
def edit(
    door: Door,
    ref: Ref,
    skills: Annotated[
        str | None, typer.Option("--skills", help="categories with commas: network,database; '' for none")
    ] = None,
    available: Annotated[bool, typer.Option("--available", help="may be given work")] = False,
    busy: Annotated[bool, typer.Option("--busy", help="only where nobody is free")] = False,
    away: Annotated[bool, typer.Option("--away", help="is given nothing, unless on call")] = False,
    email: Annotated[str | None, typer.Option("--email", help="jon@msp.example")] = None,
    add_company: Annotated[list[str], typer.Option("--add-company", help="may see it too; repeat it")] = [],  # noqa: B006
    remove_company: Annotated[list[str], typer.Option("--remove-company", help="sees it no more")] = [],  # noqa: B006
) -> None:
    """Change what is given: siems user edit jon --skills network,database --away"""
    words = [word for word, said in (("available", available), ("busy", busy), ("away", away)) if said]
    if len(words) > 1:
        raise errors.UsageError("somebody is available, busy or away", hint=f"only one of  --{'  --'.join(words)}")
    done = door.client.edit_user(
        ref, skills=None if skills is None else [s for s in skills.split(",") if s.strip()],
        availability=words[0] if words else None, email=email, add_companies=add_company,
        remove_companies=remove_company, reason=door.reason,
    )  # fmt: skip
    _changed(door, done)


@app.command()
@leaf
def availability(
    door: Door,
    ref: Ref,
    word: Annotated[str, typer.Argument(metavar="available|busy|away", help="available, busy or away")],
) -> None:
    """Whether somebody may be given work: siems user availability @me away"""
    _changed(door, door.client.set_availability(ref, word, reason=door.reason))


@app.command("set-role")
@leaf
def set_role(
    door: Door, ref: Ref, role: Annotated[str, typer.Option("--role", help="admin, manager, technician or client")]
) -> None:
    """Another role, at once: siems user set-role jon --role manager"""
    _changed(door, door.client.edit_user(ref, role=role, reason=door.reason))


@app.command()
@leaf
def disable(door: Door, ref: Ref) -> None:
    """They cannot log in any more, and are given and sent nothing; what they did stays on record."""
    door.ask(f"disable {ref}?", flag="--yes")
    _changed(door, door.client.edit_user(ref, disabled=True, reason=door.reason))


@app.command()
@leaf
def enable(door: Door, ref: Ref) -> None:
    """They may log in again."""
    _changed(door, door.client.edit_user(ref, disabled=False, reason=door.reason))


@app.command("reset-password")
@leaf
def reset_password(door: Door, ref: Ref, password_stdin: Stdin = False) -> None:
    """Another password; whoever is logged in as them is so no more: siems user reset-password jon"""
    user = door.client.user(ref)
    door.ask(f"replace the password of {user['name']}?", flag="--yes")
    done = door.client.reset_password(user["id"], _password(door, user["name"], password_stdin), reason=door.reason)
    _changed(door, done)
