"""`siems tui`: the board, in this terminal."""

from __future__ import annotations

import gc
import os
import sys
from datetime import datetime
from typing import Annotated

import typer

from siems import contexts, errors
from siems.cli.context import Door, leaf, new_app
from siems.moments import past

app = new_app("The board, in this terminal.")
COMMANDS = ("tui",)


@app.command()
@leaf
def tui(
    door: Door,
    target: Annotated[
        str,
        typer.Argument(
            help="INC-12, RUN-9, alerts, runs, oncall, sla, companies, users, policies, audit, inbox; alerts?QUERY"
        ),
    ] = "",
    view: Annotated[str, typer.Option("--view", help="a saved view, or a query, to begin with")] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="look, never act")] = False,
    theme: Annotated[str, typer.Option("--theme", help="default, cb-safe, high-contrast or mono")] = "",
    ascii_only: Annotated[bool, typer.Option("--ascii", help="no signs beyond ASCII")] = False,
    low_bandwidth: Annotated[bool, typer.Option("--low-bandwidth", help="repaint less, no mouse")] = False,
    replay: Annotated[
        str, typer.Option("--replay", metavar="HOUR", help="play a past hour from the record: -3h, 'yesterday 14:00'")
    ] = "",
    speed: Annotated[float, typer.Option("--speed", help="how fast a replay goes: 60 is an hour in a minute")] = 60.0,
    no_mouse: Annotated[bool, typer.Option("--no-mouse", help="leave the mouse to the terminal")] = False,
) -> int:
    """Incidents and alerts, live: siems tui, siems tui INC-12, or siems tui --replay 'yesterday 14:00'"""
    if not sys.stdout.isatty() and not os.environ.get("SIEMS_A11Y"):
        raise errors.UsageError("this is no terminal", hint="siems watch -o jsonl,  or  siems incident list")
    gc.disable()  # nothing is garbage before the first screen is painted, and looking for some takes time
    client = door.client
    client.via, client.guard = "tui", None  # the console asks by itself
    here = contexts.chosen()
    me = client.me()  # no daemon, or nobody logged in: say so before the screen is taken
    if replay:
        from siems.tui.replay import run as play

        now = datetime.fromisoformat(me["server_time"])
        return play(
            client, begin=past(replay, now), now=now, speed=speed, theme=theme, ascii_only=ascii_only, color=here.color,
            mouse=not no_mouse, view=view, target=target,
        )  # fmt: skip
    from siems.tui.app import run

    return run(
        client, target=target, view=view, read_only=read_only or here.read_only, theme=theme,
        ascii_only=ascii_only, low_bandwidth=low_bandwidth, mouse=not no_mouse, armed=here.confirm_writes,
        color=here.color,
    )  # fmt: skip
