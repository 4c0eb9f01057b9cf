"""How companies, the form for one, what is shown once, users and policies look, at both sizes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from driving import Session, looks_as_kept
from scripted import ScriptedClient

from siems import errors

SIZES = [(80, 24), (120, 40)]
Steps = Callable[[Session], Awaitable[None]]


async def nothing(it: Session) -> None:
    await it.settle()


async def refusals(it: Session) -> None:
    await it.press("j", "j")


async def help_(it: Session) -> None:
    await it.press("question_mark")


async def filtered(it: Session) -> None:
    await it.press("slash")
    await it.write("silver")
    await it.press("enter")


async def lost(it: Session) -> None:
    it.client.lose()
    await it.until("DAEMON LOST")
    it.time[0] += 47
    it.app.state.retry_at = it.time[0] + 4
    it.app.tick()


async def wizard(it: Session) -> None:
    await it.press("N")
    await it.write("Gull Labs")


async def wizard_security(it: Session) -> None:
    await wizard(it)
    await it.press("pagedown", "down", "down")
    await it.write("fast")


async def wizard_correlation(it: Session) -> None:
    await wizard(it)
    await it.press("pagedown", "pagedown", "down", "right")


async def wizard_tried(it: Session) -> None:
    await wizard_correlation(it)
    await it.press("p")


async def wizard_review(it: Session) -> None:
    await wizard(it)
    await it.press("pagedown", "pagedown", "pagedown")


async def wizard_refused(it: Session) -> None:
    it.client.refuse = errors.Conflict("there is a company gull-labs", hint="choose another slug")
    await wizard_review(it)
    await it.press("y")


async def changes(it: Session) -> None:
    await it.press("j", "enter", "pagedown", "down")
    await it.write("0")
    await it.press("pagedown", "right", "pagedown")


async def handover(it: Session) -> None:
    await wizard_review(it)
    await it.press("y")


async def handover_leaving(it: Session) -> None:
    await handover(it)
    await it.press("escape")


async def tool(it: Session) -> None:
    await it.press("I")


async def setup(it: Session) -> None:
    await it.press("I", "down", "down", "enter")


async def rotate(it: Session) -> None:
    await it.press("X")
    await it.write("acme")
    await it.press("enter")


async def person(it: Session) -> None:
    await it.press("enter", "escape")


async def trial(it: Session) -> None:
    await it.press("w")


async def chain(it: Session) -> None:
    await it.press("enter")


async def chain_steps(it: Session) -> None:
    await it.press("enter", "pagedown", "j", "enter", "tab")


async def chain_picking(it: Session) -> None:
    """The list of whom a step may page."""
    await it.press("enter", "pagedown", "j", "enter", "ctrl+u")
    await it.write("r")


async def chain_saving(it: Session) -> None:
    await it.press("enter", "down", "right", "pagedown", "j", "minus", "pagedown")


async def chain_outrun(it: Session) -> None:
    await chain_saving(it)
    it.client.chains[0].version = 3
    it.client.chains[0].policy = it.client.chains[0].policy | {"repeat": 0}
    await it.press("y")


async def chain_ending(it: Session) -> None:
    await it.press("j", "E")


STATES: dict[str, tuple[Steps, dict[str, Any]]] = {
    "companies": (refusals, {}),
    "companies_ascii": (nothing, {"ascii_only": True}),
    "companies_mono": (nothing, {"theme": "mono"}),
    "companies_help": (help_, {}),
    "companies_filter": (filtered, {}),
    "companies_lost": (lost, {}),
    "wizard": (wizard, {}),
    "wizard_security": (wizard_security, {}),
    "wizard_correlation": (wizard_correlation, {}),
    "wizard_tried": (wizard_tried, {}),
    "wizard_review": (wizard_review, {}),
    "wizard_refused": (wizard_refused, {}),
    "changes": (changes, {}),
    "handover": (handover, {}),
    "handover_leaving": (handover_leaving, {"ascii_only": True}),
    "tool": (tool, {}),
    "setup": (setup, {}),
    "rotate": (rotate, {}),
    "users": (nothing, {"target": "users"}),
    "person": (person, {"target": "users"}),
    "policies": (nothing, {"target": "policies"}),
    "policy": (chain, {"target": "policies"}),
    "policy_steps": (chain_steps, {"target": "policies"}),
    "policy_picking": (chain_picking, {"target": "policies"}),
    "policy_saving": (chain_saving, {"target": "policies"}),
    "policy_outrun": (chain_outrun, {"target": "policies"}),
    "policy_ending": (chain_ending, {"target": "policies", "armed": True}),
    "trial": (trial, {"target": "policies"}),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_screens(state: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    steps, options = STATES[state]
    client = ScriptedClient()
    client.role = "admin"
    assert looks_as_kept(snap_compare, size, steps, client, **{"target": "companies"} | options)
