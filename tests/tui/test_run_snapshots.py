"""How screens 3 and 4 look, and the windows before and between them, at both sizes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from driving import Session, looks_as_kept
from scripted import NOW, ScriptedClient
from scripted_runs import asking
from test_snapshots import SIZES, Snap, Steps, help_, lost, nothing

from siems import wire


async def answer(it: Session) -> None:
    await it.press("Y")
    it.time[0] += 1
    await it.press("t")
    await it.write("91")
    await it.press("enter")


async def choose(it: Session) -> None:
    await it.press("R")
    await it.until("fixed it 3 times")


async def plan(it: Session) -> None:
    await choose(it)
    await it.press("enter")
    await it.until("service is missing")
    it.time[0] += 1
    await it.write("vpn")
    await it.press("enter", "o")
    await it.until("2 hosts of Borealis")


async def commands(it: Session) -> None:
    await plan(it)
    await it.press("d")


async def all_hosts(it: Session) -> None:
    await it.press("L")


async def exact(it: Session) -> None:
    await it.press("x")


async def roll_back(it: Session) -> None:
    await it.press("B")


async def next_host(it: Session) -> None:
    await it.press("tab", "tab")


async def of_host(it: Session) -> None:
    await it.press("Y")


def asks(*, held: bool = False) -> dict[str, Any]:
    client = ScriptedClient()
    found = asking()
    if held:
        found.state, found.hosts = "asking", [one for one in found.hosts if one.state in ("succeeded", "held")]
    client.run_list[1] = found
    return {"client": client}


def tried() -> dict[str, Any]:
    """A host whose step was tried twice before, which asks again."""
    kept = asks()
    client = kept["client"]
    host = client.run_list[1].hosts[3]
    host.steps[-1].attempt = 3
    host.steps[-1].tries = [
        wire.RunTryView(
            attempt=number, state="failed", exit_code=1605, detail="exit code 1605", started_at=at, ended_at=at
        )
        for number, at in enumerate((NOW - timedelta(seconds=50), NOW - timedelta(seconds=40)), 1)
    ]
    return kept


STATES: dict[str, tuple[str, Steps, dict[str, Any]]] = {
    "runs": ("runs", nothing, {}),
    "runs_ascii": ("runs", nothing, {"ascii_only": True}),
    "runs_help": ("runs", help_, {}),
    "runs_lost": ("runs", lost, {}),
    "runs_none": ("runs?state:failed", nothing, {}),
    "run": ("RUN-93", nothing, {}),
    "run_ascii": ("RUN-93", all_hosts, {"ascii_only": True}),
    "run_mono": ("RUN-93", exact, {"theme": "mono"}),
    "run_help": ("RUN-93", help_, {}),
    "run_lost": ("RUN-93", lost, {}),
    "run_over": ("RUN-88", roll_back, {}),
    "gate": ("RUN-91", nothing, {}),
    "gate_own": ("RUN-94", nothing, {"read_only": True}),
    "gate_answer": ("RUN-91", answer, {}),
    "run_asks": ("RUN-93", nothing, {"asks": {}}),
    "run_asks_others": ("RUN-93", next_host, {"asks": {}}),
    "run_asks_ascii": ("RUN-93", nothing, {"asks": {}, "ascii_only": True}),
    "run_tried": ("RUN-93", nothing, {"tried": {}}),
    "run_held": ("RUN-93", nothing, {"asks": {"held": True}}),
    "run_answer_host": ("RUN-93", of_host, {"asks": {}}),
    "choose_runbook": ("INC-121", choose, {}),
    "plan": ("INC-121", plan, {}),
    "plan_commands": ("INC-121", commands, {"armed": True, "color": "red"}),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_screens(state: str, size: tuple[int, int], snap_compare: Snap) -> None:
    target, steps, kept = STATES[state]
    options = {name: value for name, value in kept.items() if name not in ("asks", "tried")}
    if "asks" in kept:
        options |= asks(**kept["asks"])
    if "tried" in kept:
        options |= tried()
    assert looks_as_kept(snap_compare, size, steps, target=target, **options)
