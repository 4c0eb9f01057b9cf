"""Silences and windows, and common causes at several clients: what is listed, and what each key does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from driving import Session, looks_as_kept, opened
from scripted import NOW, ScriptedClient

from siems import errors
from siems.tui.actions import Where

# --- silences ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ("silence list", Where.SILENCES), ("maintenance", Where.SILENCES), ("silences", Where.SILENCES),
        ("parent list", Where.PARENTS), ("parents", Where.PARENTS),
    ],
)  # fmt: skip
async def test_commands_of_the_shell_go_there(typed: str, where: Where) -> None:
    async with opened() as it:
        await it.press("colon")
        await it.write(typed)
        await it.press("enter")
        assert it.app.places()[-1].WHERE is where


async def test_what_is_silent_until_when_and_by_whom() -> None:
    async with opened() as it:
        await it.press("S")
        lines = it.screen.splitlines()
        assert any("SIL-3" in one and "asset=ups-3" in one and "16:02" in one and "jon" in one for one in lines)
        assert any("SIL-5" in one and "planned" in one for one in lines)
        assert "holds 4 alerts back" in it.screen
        await it.press("G")
        assert "repeats weekly sun" in it.screen
        await it.press("slash")
        await it.write("chg-9")
        await it.press("enter")
        assert "SIL-4" in it.screen
        assert "SIL-3" not in it.screen


async def test_a_new_one_tells_what_it_would_match_before_it_is_made() -> None:
    async with opened(target="silences") as it:
        await it.press("N")
        await it.press("enter")
        await it.write("asset=dc* severity!=CRITICAL")
        await it.press("enter")
        await it.write("2h")
        await it.press("enter")
        await it.write("patches")
        await it.press("enter")
        assert it.acts == []
        await it.press("y")
        assert "3 active alerts; 12 of 200 in 24 h" in it.screen
        assert "nobody is paged any more" in it.screen
        await it.press("enter")
        assert it.acts == []
        await it.press("y")
        ((verb, ref, ask),) = it.acts
        assert (verb, ref, ask["matchers"]) == ("silence", "acme", ["asset=dc*", "severity!=CRITICAL"])
        assert (ask["ends_at"][:16], ask["comment"]) == ((NOW + timedelta(hours=2)).isoformat()[:16], "patches")
        assert "silent until 16:02" in it.screen
        await it.press("at")
        assert "siems silence add" in it.screen


async def test_a_recurring_window_goes_by_the_clock_of_the_first_line() -> None:
    async with opened(target="silences") as it:
        await it.press("N", "escape")
        assert "y see what it would match   esc cancel" in it.screen, "a long form still says how it is left"
        await it.press("m")
        await it.write("asset=dc*")
        await it.press("enter")
        await it.write("4h")
        await it.press("enter")
        await it.write("patches")
        await it.press("enter", "f")
        await it.write("sat 22:00")
        await it.press("enter", "p")
        await it.write("weekly")
        await it.press("enter", "y", "y")
        ask = it.acts[0][2]
        assert (ask["repeat"], ask["time_zone"], ask["starts_at"][:16]) == ("weekly", "UTC", "2026-03-14T22:00")
        assert ask["ends_at"][:16] == "2026-03-15T02:00"


async def test_what_is_wrong_is_said_in_the_form_and_nothing_is_sent() -> None:
    async with opened(target="silences") as it:
        await it.press("N")
        await it.press("escape", "m")
        await it.write("dc01")
        await it.press("enter")
        assert "write asset=dc01" in it.screen
        await it.press("escape", "u")
        await it.write("soon")
        await it.press("enter")
        assert "'tomorrow 9am'" in it.screen
        await it.press("escape", "y")
        assert it.acts == []
        await it.press("escape")
        it.client.refuse = errors.Forbidden("jon may not", hint="ask a manager")
        it.app.foresee_silence({"company": "acme", "matchers": ["asset=x"], "ends_at": NOW.isoformat()})
        await it.settle()
        assert "jon may not" in it.screen


async def test_one_is_extended_and_one_ends_now() -> None:
    async with opened(target="silences") as it:
        await it.press("L")
        await it.write("1h")
        await it.press("enter", "y")
        assert it.acts == [("extend", "SIL-3", {"seconds": 3_600})]
        assert "SIL-3: until 17:02" in it.screen
        await it.press("E")
        assert "4 alerts held back" in it.screen
        await it.press("enter", "escape")
        assert len(it.acts) == 1
        await it.press("E", "y")
        assert it.acts[1][:2] == ("end", "SIL-3")
        assert it.acts[1][2].get("once") is not True
        await it.press("G", "E", "o")
        await it.write("yes")
        await it.press("enter", "y")
        assert it.acts[2] == ("end", "SIL-5", {"once": True})


async def test_enter_shows_what_it_holds_back() -> None:
    async with opened(target="silences") as it:
        await it.press("enter")
        assert it.app.places()[-1].WHERE is Where.ALERTS
        assert it.app.arrivals.query == "suppressed_by:SIL-3"


# --- parents -------------------------------------------------------------------------------------------------------


async def test_groups_stand_with_their_incidents_by_client() -> None:
    async with opened(size=(120, 40)) as it:
        await it.press("C")
        assert "2 groups over 3 clients" in it.screen
        rows = [one.lstrip("> ").split()[0] for one in it.screen.splitlines()[4:10]]
        assert rows == ["PAR-3", "INC-109", "INC-71", "INC-121", "PAR-4", "INC-97"]
        assert "acknowledged by maria: what joins calls nobody" in it.screen
        assert "new ones join by signature:vpn_down" in it.screen
        await it.press("j", "enter")
        assert it.app.places()[-1].WHERE is Where.DETAIL
        assert "INC-109" in it.screen


@pytest.mark.parametrize(
    ("key", "typed", "action", "ask"),
    [
        ("a", [], "ack", {}),
        ("c", [], "close", {}),
        ("n", ["40 minutes, they say", ""], "note", {"note": "40 minutes, they say", "to_children": False}),
        ("r", ["repaired"], "resolve", {"note": "repaired"}),
        ("H", ["vendor", "4h"], "hold", {"hold_for": "vendor", "until": (NOW + timedelta(hours=4)).isoformat()[:16]}),
        ("plus", ["INC-12 14"], "add", {"incidents": ["INC-12", "INC-14"]}),
    ],
)
async def test_what_is_done_to_a_group(key: str, typed: list[str], action: str, ask: dict[str, Any]) -> None:
    async with opened(target="parents") as it:
        await it.press(key)
        for text in filter(None, typed):
            await it.write(text)
            await it.press("enter")
        assert it.acts == []
        await it.press("y")
        ((verb, ref, said),) = it.acts
        said = {name: value[:16] if name == "until" else value for name, value in said.items()}
        assert (verb, ref, said) == (f"parent {action}", "PAR-3", ask)
        assert "PAR-3: " in it.screen
        assert "3 incidents changed" in it.screen


async def test_one_leaves_its_group() -> None:
    async with opened(target="parents") as it:
        await it.press("minus")
        assert "select an incident of a group first" in it.screen
        await it.press("j", "minus", "y")
        assert it.acts == [("parent remove", "PAR-3", {"incidents": ["INC-109"]})]


async def test_all_on_hold_go_on() -> None:
    async with opened(target="parents") as it:
        await it.press("G", "H")
        assert "resume all" in it.screen
        await it.press("y")
        assert it.acts == [("parent resume", "PAR-4", {})]


async def test_marked_incidents_become_a_group() -> None:
    async with opened() as it:
        await it.press("space", "space", "C", "N", "t")
        await it.write("Provider outage")
        await it.press("enter")
        assert "INC-118 INC-121" in it.screen
        await it.press("y")
        assert it.acts == [
            ("parent create", "", {"title": "Provider outage", "incidents": ["INC-118", "INC-121"]})
        ]  # fmt: skip


async def test_what_failed_for_one_is_said_with_its_way_out() -> None:
    async with opened(target="parents", size=(120, 40)) as it:
        it.client.failing = "INC-71"
        await it.press("a", "y")
        assert "2 incidents changed; not INC-71: it is CLOSED  reopen it first" in it.screen


async def test_who_may_not_see_groups_is_told_so() -> None:
    client = ScriptedClient()
    client.role = "client"
    async with opened(client, target="parents") as it:
        assert "may not see what groups incidents" in it.screen


@pytest.mark.parametrize("target", ["silences", "parents"])
async def test_nothing_is_changed_where_nothing_may_change(target: str) -> None:
    async with opened(target=target, read_only=True) as it:
        for key in ("N", "E", "L", "a", "plus", "n", "c"):
            await it.press(key, "y", "escape")
            it.app.do_board()
            it.app.open_target(target)
            await it.settle()
        assert it.acts == []


# --- how it looks --------------------------------------------------------------------------------------------------


async def nothing(it: Session) -> None:
    await it.settle()


async def planned(it: Session) -> None:
    await it.press("G")


async def empty(it: Session) -> None:
    it.client.quiet, it.client.groups = [], []
    it.app.places()[-1].entered()
    it.app.read_silences()
    it.app.read_parents()
    await it.settle()


async def making(it: Session) -> None:
    await it.press("N")


async def foreseen(it: Session) -> None:
    it.app.foresee_silence({"company": "acme", "matchers": ["asset=dc*"], "ends_at": NOW.isoformat()})
    await it.settle()


async def resolving(it: Session) -> None:
    await it.press("r")


async def lost(it: Session) -> None:
    it.client.lose()
    await it.until("DAEMON LOST")
    it.time[0] += 47
    it.app.state.retry_at = it.time[0] + 4
    it.app.tick()


STATES: dict[str, tuple[Callable[[Session], Awaitable[None]], dict[str, Any]]] = {
    "silences": (nothing, {"target": "silences"}),
    "silences_planned": (planned, {"target": "silences"}),
    "silences_empty": (empty, {"target": "silences"}),
    "silences_new": (making, {"target": "silences"}),
    "silences_foreseen": (foreseen, {"target": "silences"}),
    "silences_mono": (nothing, {"target": "silences", "theme": "mono", "ascii_only": True}),
    "silences_lost": (lost, {"target": "silences"}),
    "parents": (nothing, {"target": "parents"}),
    "parents_empty": (empty, {"target": "parents"}),
    "parents_new": (making, {"target": "parents"}),
    "parents_resolve": (resolving, {"target": "parents"}),
    "parents_mono": (nothing, {"target": "parents", "theme": "mono", "ascii_only": True}),
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_screens(state: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    steps, options = STATES[state]
    assert looks_as_kept(snap_compare, size, steps, **options)
