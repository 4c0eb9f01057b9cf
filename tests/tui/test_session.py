"""What holds on every screen: saved views, contexts, the doctor, earlier incidents, and the whole table of keys."""

from __future__ import annotations

import pytest
from driving import Session, opened

from siems import places
from siems.tui import saved
from siems.tui.actions import ALL, DEEDS, EVERY, Where

# --- saved views, contexts, the doctor --------------------------------------------------------------------------


async def test_a_view_is_saved_and_shown_again() -> None:
    async with opened() as it:
        await it.press("slash")
        await it.write("#cedar")
        await it.press("enter", "F")
        await it.write("law firms")
        await it.press("enter")
        assert "view: law firms" in it.screen
        await it.press("escape")
        assert "view:" not in it.screen
        await it.press("f", "enter")
        assert "view: law firms" in it.screen
        assert "INC-118" not in it.screen
        await it.press("f", "x")
        assert saved.own_views() == []
        await it.press("escape", "colon")
        await it.write("view mine")
        await it.press("enter")
        assert "view: mine" in it.screen


def test_a_damaged_file_of_views_has_none() -> None:
    places.config_dir().mkdir(parents=True)
    saved.views_file().write_text("{")
    assert saved.own_views() == []
    assert saved.view_named("MINE") is not None


async def test_an_armed_context_asks_before_everything_and_wants_the_client_typed() -> None:
    async with opened(armed=True, color="red") as it:
        assert "PROD  | ARMED" in it.screen
        await it.press("a")
        assert it.acts == []
        await it.press("y")
        assert [call[0] for call in it.acts] == ["ack"]
        await it.press("j", "r")
        await it.write("restored")
        await it.press("enter", "escape", "y")
        assert "type is needed: press t" in it.screen
        await it.press("t")
        await it.write("acme")
        await it.press("enter", "escape", "y")
        assert "type borealis in full" in it.screen
        assert [call[0] for call in it.acts] == ["ack"]
        await it.press("t", *["backspace"] * 4)
        await it.write("borealis")
        await it.press("enter", "y")
        assert it.acts[-1] == ("resolve", "INC-121", {"version": 1, "undoable": True, "note": "restored"})


async def test_an_armed_bulk_of_several_clients_wants_the_context_typed() -> None:
    async with opened(armed=True) as it:
        await it.press("space", "space", "t")
        await it.write("prod")
        await it.press("enter", "y")
        assert [call[1] for call in it.acts] == ["INC-118", "INC-121"]


async def test_the_doctor_says_how_it_is_with_and_without_a_daemon() -> None:
    async with opened() as it:
        await it.press("D")
        assert "2 could not be sent" in await it.until("FAILS")
        await it.press("escape")
        it.client.lose()
        await it.until("DAEMON LOST")
        await it.press("D")
        assert "siems up -d" in it.screen
        assert "ctrl+r" in it.screen


async def test_what_happened_on_the_asset_before() -> None:
    async with opened(target="INC-101") as it:
        await it.press("tab", "tab", "tab")
        screen = await it.until("[History")
        assert "INC-102" in screen or "Nothing happened on this asset before" in screen


TARGETS = {Where.BOARD: "", Where.DETAIL: "INC-121", Where.ALERTS: "alerts", Where.ONCALL: "oncall",
           Where.AUDIT: "audit", Where.INBOX: "inbox", Where.CLIENTS: "companies", Where.PEOPLE: "users",
           Where.CHAINS: "policies", Where.SLA: "sla", Where.SILENCES: "silences", Where.PARENTS: "parents"
           }  # fmt: skip


async def test_every_key_of_the_table_has_somebody_who_answers() -> None:
    for where, target in TARGETS.items():
        async with opened(target=target) as it:
            place = it.app.places()[-1]
            assert place.WHERE is where
            bound = {binding.action for keys in place._bindings.key_to_bindings.values() for binding in keys}
            for deed in DEEDS:
                if where in deed.where and deed.keys:
                    assert f"deed('{deed.id}')" in bound
                    assert deed.acts or hasattr(place, f"do_{deed.id}") or hasattr(it.app, f"do_{deed.id}"), deed.id


@pytest.mark.parametrize("where", TARGETS)
async def test_every_key_of_the_table_can_be_pressed(where: Where) -> None:
    """The keys that mean the same everywhere are pressed on the board, its own ones on each screen."""
    async with opened(target=TARGETS[where]) as it:
        for deed in DEEDS:
            if (
                where not in deed.where
                or deed.id == "quit"
                or (deed.where in (EVERY, ALL) and where is not Where.BOARD)
            ):
                continue
            for key in deed.keys:
                await it.press(key)
                assert it.app.is_running
                await _home(it, where)


async def _home(it: Session, where: Where) -> None:
    """Back to the screen that is tried."""
    while len(it.app.screen_stack) > 1 + len(it.app.places()):
        it.app.pop_screen()
    place = it.app.places()[-1]
    if place._purpose:
        place.close_prompt()
    if place.WHERE is not where:
        it.app.do_board()
        it.app.open_target(TARGETS[where])
    it.app.desk.pending.clear()
    await it.settle()
