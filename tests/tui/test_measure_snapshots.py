"""How screen 5 looks, at both sizes."""

from __future__ import annotations

from typing import Any

import pytest
from driving import Session, looks_as_kept
from test_snapshots import SIZES, Snap, Steps, help_, lost, nothing


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
    assert looks_as_kept(snap_compare, size, steps, target="sla", **options)
