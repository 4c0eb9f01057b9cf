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
    admin: Annotated[str, typer.Option("--admin", help="e-mail of the first admin")],
    name: Annotated[str, typer.Option("--name", help="the name to log in with; else from the e-mail")] = "",
    listen: Annotated[str, typer.Option("--listen", help="host:port of the daemon")] = "",
    force: Annotated[bool, typer.Option("--force", help="replace an existing siems.toml")] = False,
) -> None:
    """Configuration, database, first admin and this machine's token: siems init --admin dana@msp.example

    The admin's password comes from SIEMS_PASSWORD; without one it is made and shown once.
    """
    if "@" not in admin:
        raise errors.UsageError(f"{admin!r} is no e-mail address", hint="siems init --admin dana@msp.example")
    wrote = _write_settings(listen, force=force)
    made = process.call("init", "--admin", admin, "--name", name, text=os.environ.get("SIEMS_PASSWORD", "") + "\n")
    made |= {"settings": str(wrote), "token_file": str(places.token_file())}
    show_one(door, made, _welcome, id="user_id")


def _write_settings(listen: str, *, force: bool) -> Path:
    """A settings file with what was asked for; an existing one stays."""
    file = next((p for p in places.settings_files() if p.exists()), None)
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
    arguments = [] if port is None else ["--port", str(port)]
    if not detach:
        return foreground(arguments)
    said = process.start(arguments)
    door.say(f"siems listens on {said['url']} (process {said['pid']})" + ("" if said["changed"] else ", as before"))
    if door.json:
        show_one(door, said, lambda _: [], id="pid")
    return 0


def foreground(arguments: list[str]) -> int:
    """Become the daemon: signals and exit code are its own."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "siems.daemon", "run", *arguments])  # noqa: S606
