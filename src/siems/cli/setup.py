"""`siems init` and `siems up`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from siems import errors, places
from siems.cli import process
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Item, show_one

app = new_app("Set up and start.")
COMMANDS = ("init", "up")


@app.command()
@leaf
def init(
    door: Door,
    admin: Annotated[str, typer.Option("--admin", help="e-mail of the first admin")] = "",
    name: Annotated[str, typer.Option("--name", help="the name to log in with; else from the e-mail")] = "",
    listen: Annotated[str, typer.Option("--listen", help="host:port of the daemon")] = "",
    force: Annotated[bool, typer.Option("--force", help="replace an existing siems.toml")] = False,
) -> None:
    """Configuration, database, first admin and this machine's token: siems init --admin dana@msp.example

    The admin's password comes from SIEMS_PASSWORD; without one it is made and shown once.
    """
    if not admin and door.interactive:
        admin = str(typer.prompt("e-mail of the first admin", err=True))
    if not admin:
        raise errors.UsageError("who is the first admin?", hint="siems init --admin dana@msp.example")
    if "@" not in admin:
        raise errors.UsageError(f"{admin!r} is no e-mail address", hint="siems init --admin dana@msp.example")
    before = next((p for p in places.settings_files() if p.exists()), None)
    wrote = _write_settings(before, listen, force=force)
    try:
        password = os.environ.get("SIEMS_PASSWORD", "")
        made = process.call("init", "--admin", admin, "--name", name, text=password + "\n")
    except errors.SiemsError:
        if wrote != before:  # the next attempt begins where this one did
            wrote.unlink(missing_ok=True)
        raise
    made |= {"settings": str(wrote), "token_file": str(places.token_file())}
    show_one(door, made, _welcome, id="user_id")


def _write_settings(file: Path | None, listen: str, *, force: bool) -> Path:
    """A settings file with what was asked for; an existing one stays."""
    if file is not None and not force:
        if listen:
            raise errors.Conflict(f"{file} exists already", hint="add  --force  or set server.port in it")
        return file
    host, _, port = (listen or "127.0.0.1:8717").rpartition(":")
    if not port.isdigit() or not host:
        raise errors.UsageError(f"{listen!r} is no address", hint="--listen 127.0.0.1:8717")
    target = places.config_dir() / "siems.toml"
    if named := os.environ.get("SIEMS_CONFIG"):
        target = Path(named)
    places.write_private(
        target,
        "# siems: what differs from the defaults; siems.toml.example names every key\n\n"
        f'[server]\nhost = "{host}"\nport = {port}\n',
    )
    return target


def _welcome(made: Item) -> list[str]:
    lines = [
        "siems is set up.",
        "",
        f"  settings   {made['settings']}",
        f"  admin      {made['name']} ({made['user_id']})",
    ]
    if made["password"]:
        lines.append(f"  password   {made['password']}   (shown this once)")
    return [
        *lines,
        f"  token      {made['token_file']}   (this machine's commands act as {made['name']})",
        "",
        'next:  siems up -d    then    siems company onboard "Acme Corp"',
    ]


@app.command()
@leaf
def up(
    door: Door,
    detach: Annotated[bool, typer.Option("-d", "--detach", help="in the background")] = False,
    port: Annotated[int | None, typer.Option("--port", help="instead of server.port")] = None,
) -> int:
    """Run the daemon: here until ctrl+c, or in the background with -d."""
    if not detach:
        return foreground(door, port)
    show_one(door, process.start(port), started, id="pid")
    return 0


def started(said: Item) -> list[str]:
    """Where the daemon is, and whether it was there before."""
    return [f"siems listens on {said['url']} (process {said['pid']})" + ("" if said["changed"] else ", as before")]


def foreground(door: Door, port: int | None) -> int:
    """Become the daemon: signals and exit code are its own."""
    sys.stdout.flush()
    errors_as = [] if door.json else ["--errors", "text"]
    arguments = ["-m", "siems.daemon", *errors_as, "run", *process.on_port(port)]
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606
