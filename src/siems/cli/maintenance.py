"""`siems maintenance`: silences for planned work, with a change reference, a schedule, or a command inside."""

from __future__ import annotations

from typing import Annotated

import typer

from siems import errors
from siems.cli import silence
from siems.cli.context import Door, leaf, new_app

app = new_app("Maintenance windows: create, list, show, extend, end, run.")

Match = Annotated[list[str], typer.Option("--match", help="asset=dc*; several are and")]


@app.command()
@leaf
def create(
    door: Door,
    match: Match,
    company: silence.Company = "",
    starts: silence.Starts = "",
    lasts: silence.Lasts = "",
    until: silence.Until = "",
    change: silence.Change = "",
    repeat: silence.Repeat = "",
    zone: silence.Zone = "",
    preview: silence.Preview = False,
) -> None:
    """Plan a window in which nobody is paged for what matches; --reason is what the alerts will show.

    siems maintenance create --company acme --from 'today 22:00' --for 3h --match 'asset=dc*' --reason CHG-9
    siems maintenance create --company acme --from 'sat 22:00' --for 4h --repeat weekly --match 'asset=*' --reason IT
    """
    change = reference(door, change)
    silence.create(
        door, company, match, starts=starts, lasts=lasts, until=until, comment=door.reason, change=change,
        repeat=repeat, zone=zone, preview=preview,
    )  # fmt: skip


def reference(door: Door, change: str) -> str:
    """The change that a window is for: as named, else the reason. Raises UsageError."""
    if not (change or door.reason):
        raise errors.UsageError("what is the window for?", hint="add  --reason CHG-9")
    return change or door.reason


@app.command("list")
@leaf
def list_(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="acme")] = "",
    within: Annotated[str, typer.Option("--within", help="that end within: 8h")] = "",
    expired: Annotated[bool, typer.Option("--expired", help="those that are over")] = False,
) -> None:
    """The windows that are on or planned, the next end first."""
    silence.listed(door, company=company, within=within, expired=expired, kind="maintenance")


app.command("show")(silence.show)
app.command("extend")(silence.extend)
app.command("end")(silence.end)


@app.command()
@leaf
def run(
    door: Door,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="what to run inside the window")],
    match: Match,
    longest: Annotated[str, typer.Option("--max", help="the window ends after this, whatever happens: 30m")] = "",
    settle: Annotated[str, typer.Option("--settle", help="so long may alerts take to recover afterwards")] = "5m",
    company: silence.Company = "",
    change: silence.Change = "",
) -> int:
    """Open a window, run a command in it, and end the window however the command ends.

    Exits as the command; with 9 if it went well but matching alerts are still active after settling. A command that
    fails ends the window at once.

    siems maintenance run --company acme --match 'asset=web*' --max 30m --settle 5m --reason CHG-9 -- ./deploy.sh
    """
    from siems.cli.window import run_inside

    if not longest:
        raise errors.UsageError("how long may it take at most?", hint="add  --max 30m")
    return run_inside(
        door, command, company=silence.company_of(door, company), matchers=match, longest=longest, settle=settle,
        change=reference(door, change),
    )  # fmt: skip
