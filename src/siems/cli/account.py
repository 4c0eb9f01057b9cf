"""`siems login`, `logout` and `whoami`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from siems import session
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import at, show_one

app = new_app("Who you are.")
COMMANDS = ("login", "logout", "whoami")


@app.command()
@leaf
def login(
    door: Door,
    user: Annotated[str, typer.Option("--user", help="name or e-mail")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input")
    ] = False,
    insecure_storage: Annotated[
        bool, typer.Option("--insecure-storage", help="a file of mode 0600 instead of the keyring")
    ] = False,
) -> None:
    """Begin a session: siems login --user jon"""
    name = user or (str(typer.prompt("name or e-mail", err=True)) if door.interactive else "")
    if not name:
        from siems.errors import UsageError

        raise UsageError("who are you?", hint="add  --user NAME")
    password = os.environ.get("SIEMS_PASSWORD", "")
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    if not password:
        password = door.secret("password", flag="add  --password-stdin")
    answer = door.stranger.login(name, password)
    where = session.save(session.with_end(answer), insecure=insecure_storage)
    if where != "keyring":
        door.note(f"no keyring here: the session is kept in {where}, readable by you only")
    show_one(door, answer["user"], lambda u: [f"logged in as {u['name']} ({u['role']})"])


@app.command()
@leaf
def logout(door: Door) -> None:
    """End the session, here and on the daemon."""
    from siems.errors import SiemsError

    try:
        tokens = session.load()
        if tokens is not None:
            door.stranger.logout(tokens["refresh_token"])
    except SiemsError as error:
        tokens = {}
        door.note(f"the daemon was not told: {error.message}")
    session.forget()
    ended = tokens is not None
    show_one(door, {"changed": ended}, lambda _: ["logged out" if ended else "nobody was logged in"], id="changed")


@app.command()
@leaf
def whoami(door: Door) -> None:
    """Who you are to the daemon, and what you may see."""
    me = door.client.me()
    user = {**me["user"], "unread": me["unread"], "server_time": me["server_time"]}
    user["on_call_until"] = me["on_call_until"]
    show_one(
        door,
        user,
        lambda u: [
            f"{u['name']} ({u['id']}), {u['role']}",
            f"companies: {', '.join(u['companies']) or ('all' if u['role'] == 'admin' else 'none')}",
            f"inbox: {u['unread']} unread",
            *([f"on call until {at(u['on_call_until'])}"] if u["on_call_until"] else []),
        ],
    )
