"""`siems daemon`: run, start, stop, restart, status, logs, install."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from siems import errors
from siems.cli import process
from siems.cli.context import Door, leaf, new_app
from siems.cli.setup import foreground, started
from siems.cli.show import Item, show_one

app = new_app("The daemon: run, start, stop, restart, status, logs, install.")

Port = Annotated[int | None, typer.Option("--port", help="instead of server.port")]


@app.command()
@leaf
def run(door: Door, port: Port = None) -> int:
    """Run it here, until ctrl+c: what a service manager calls."""
    return foreground(door, port)


@app.command()
@leaf
def start(door: Door, port: Port = None) -> None:
    """Start it in the background, and wait until it is ready."""
    show_one(door, process.start(port), started, id="pid")


@app.command()
@leaf
def stop(door: Door) -> None:
    """Let it finish what it has accepted, then end it."""
    stopped = process.stop()
    show_one(door, {"changed": stopped}, lambda s: ["stopped" if s["changed"] else "no daemon runs here"], id="changed")


@app.command()
@leaf
def restart(door: Door, port: Port = None) -> None:
    """Stop and start."""
    process.stop()
    show_one(door, process.start(port), started, id="pid")


@app.command()
@leaf
def status(
    door: Door,
    wait: Annotated[str, typer.Option("--wait", help="until it is ready, at most so long: 10s")] = "",
    exit_status: Annotated[bool, typer.Option("--exit-status", help="exit 9 when a check fails")] = False,
) -> int:
    """Whether it runs, since when, and what it says of itself."""
    if wait:
        from siems.grammar import parse_span

        end = time.monotonic() + parse_span(wait).total_seconds()
        while not door.client.ready():
            if time.monotonic() > end:
                raise errors.Pending(f"no daemon is ready after {wait}", hint="siems daemon logs")
            time.sleep(0.1)
            door.forget_client()
    found = door.client.status()
    show_one(door, found, _card, id="pid")
    return 9 if exit_status and not all(check["ok"] for check in found["checks"]) else 0


def _card(s: Item) -> list[str]:
    from siems.present import safe

    lines = [
        f"siems {s['version']} on {s['url']}, process {s['pid']}, since {s['started_at']}",
        f"database {safe(s['database'])}   queue {s['queue']}   overdue {s['overdue']}   listeners {s['subscribers']}",
    ]
    return lines + [f"{'ok  ' if c['ok'] else 'FAIL'} {c['name']}: {safe(c['cause'])}" for c in s["checks"]]


@app.command()
@leaf
def logs(
    door: Door,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="and what comes")] = False,
    lines: Annotated[int, typer.Option("--lines", help="how many of the last")] = 100,
) -> None:
    """What a daemon in the background has written down."""
    from siems.present import safe

    file = process.log_file()
    if not file.exists():
        raise errors.NotFound(f"there is no log at {file}", hint="it is written by  siems up -d")
    for line in process.log_lines(lines, follow=follow):
        print(safe(line.decode(errors="replace")), flush=follow)


@app.command()
@leaf
def install(
    door: Door,
    system: Annotated[bool, typer.Option("--system", help="a service of the machine; needs root")] = False,
    user: Annotated[bool, typer.Option("--user", help="a service of your own, which runs without a login")] = False,
    run_as: Annotated[str, typer.Option("--run-as", help="with --system: the user that it runs as")] = "siems",
    root: Annotated[Path | None, typer.Option("--root", help="write below this folder and start nothing")] = None,
) -> None:
    """Run it by systemd, so that it starts with the machine and is started anew when it stands still.

    Shows the unit and asks before it writes.
    """
    from siems.cli.install import install as go

    go(door, system=system, user=user, run_as=run_as, under=root)
