"""How screen 5 looks, at both sizes."""

from __future__ import annotations

from typing import Any

import pytest
from driving import Session, connected, console
from scripted import ScriptedClient
from test_snapshots import SIZES, Snap, Steps, help_, lost, nothing
from textual.pilot import Pilot


async def other_table(it: Session) -> None:
    await it.press("r", "tab", "tab", "tab", "tab", "j")


async def behind(it: Session) -> None:
    await it.press("j", "j", "j", "enter")
    await it.until("10 incidents")


STATES: dict[str, tuple[Steps, dict[str, Any]]] = {
    "sla": (nothing, {}),
    "sla_ascii": (nothing, {"ascii_only": True}),
    "sla_mono": (other_table, {"theme": "mono"}),
    "sla_behind": (behind, {}),
    "sla_help": (help_, {}),
    "sla_lost": (lost, {}),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_screens(state: str, size: tuple[int, int], snap_compare: Snap) -> None:
    steps, options = STATES[state]
    client, time = ScriptedClient(), [1_000.0]
    app = console(client, time, target="sla", **options)

    async def drive(pilot: Pilot[Any]) -> None:
        it = Session(app, client, time)
        it.pilot = pilot
        await connected(app, pilot)
        await steps(it)
        await it.settle()
        app.link.stop()
        client.lose()

    assert snap_compare(app, terminal_size=size, run_before=drive)
