"""Screens 3 and 4 by their keys: the list, one run, what its hosts print, and what comes live."""

from __future__ import annotations

from datetime import timedelta

import pytest
from driving import Session, opened
from scripted import NOW, ScriptedClient
from scripted_runs import host, piece

from siems.tui.screens.board import BoardScreen
from siems.tui.screens.choose import CopyMenu
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.run import RunScreen
from siems.tui.screens.runs import RunsScreen

LARGE = (120, 40)


def row(it: Session) -> str:
    """The row under the cursor."""
    return next((line for line in it.screen.splitlines() if line.startswith("> ")), "")


# --- the list --------------------------------------------------------------------------------------------------


async def test_the_list_is_there_by_its_digit_a_command_and_a_link() -> None:
    async with opened() as it:
        await it.press("3")
        assert isinstance(it.app.screen, RunsScreen)
        for text in ("[3 Runs(1)]", "5 of 5 runs", "1 waits for your answer", "RUN-93", "vpn-bounce", "? Y to answer"):
            assert text in it.screen
        await it.press("q", "colon")
        await it.write("runs state:failed,rejected")
        await it.press("enter")
        assert isinstance(it.app.screen, RunsScreen)
        assert "1 of 1 run" in it.screen
    async with opened(target="runs?state:running", size=LARGE) as it:
        assert "RUN-93" in it.screen
        assert "RUN-91" not in it.screen
        assert "3 Runs(1 to approve)" in it.screen


async def test_a_filter_is_a_query_and_a_wrong_one_changes_nothing() -> None:
    async with opened(target="runs") as it:
        await it.press("slash")
        await it.write("state:succeeded")
        await it.press("enter")
        assert "1 of 1 run" in it.screen
        await it.press("slash", "ctrl+u")
        await it.write("bad:x")
        await it.press("enter")
        assert "no field 'bad'" in it.screen
        assert "filter: state:succeeded" in it.screen
        await it.press("escape")
        assert "5 of 5 runs" in it.screen


async def test_enter_opens_a_run_and_o_its_incident() -> None:
    async with opened(target="runs") as it:
        await it.press("j", "enter")
        assert isinstance(it.app.screen, RunScreen)
        assert it.app.screen.ref == "RUN-93"
        await it.press("o")
        assert isinstance(it.app.screen, DetailScreen)
        await it.press("q", "q", "y")
        assert isinstance(it.app.screen, CopyMenu)
        assert [text for _, _, text in it.app.screen.choices] == ["RUN-93", "siems tui RUN-93",
                                                                 "siems runbook status RUN-93"]  # fmt: skip


async def test_b_on_an_incident_lists_its_runs_and_back_shows_all() -> None:
    async with opened(target="INC-121") as it:
        await it.press("b")
        assert isinstance(it.app.screen, RunsScreen)
        assert "4 of 4 runs" in it.screen
        assert "filter: INC-121" in it.screen
        await it.press("q")
        assert "5 of 5 runs" in it.screen
        await it.press("q")
        assert isinstance(it.app.screen, DetailScreen)


@pytest.mark.parametrize("size", [(80, 24), LARGE], ids=str)
async def test_an_incident_tells_what_fits_it_and_what_was_run(size: tuple[int, int]) -> None:
    async with opened(target="INC-121", size=size) as it:
        if size != LARGE:
            await it.press("tab", "tab", "tab", "tab")
        text = " ".join(it.screen.split())
        assert "vpn-bounce (fixed it 3x), fw-diag" in text
        assert "RUN-94 waits for approval" in text
        it.client.run_list[0].state = "rejected"
        it.client.tells("rejected", "RUN-94")
        await it.until("RUN-94 rejected")


async def test_clients_are_told_that_runs_are_not_for_them() -> None:
    client = ScriptedClient()
    client.role = "client"
    async with opened(client, target="runs") as it:
        assert "runs are not for clients" in it.screen
        assert "3 Runs(" not in it.screen
        await it.press("1", "R")
        assert "not for this account" in it.screen


# --- one run ---------------------------------------------------------------------------------------------------


async def test_failed_hosts_come_first_with_what_they_printed() -> None:
    async with opened(target="RUN-93", size=LARGE) as it:
        assert "bor-pc-04" in row(it)
        for text in ("2 done", "1 failed", "2 running", "1 queued", "failures 1, allowed 1", "INC-88", "Borealis"):
            assert text in it.screen
        for text in ("wusa /uninstall /kb:5034122", "product not installed", "(exit 1605)", "[2] bounce tunnel"):
            assert text in it.screen
        assert "waiting for winrm (try 4)" in it.screen, "a host's newest line"
        assert "try 3" not in it.screen, "a bar that wrote over itself"


async def test_tab_and_j_go_through_the_hosts_and_l_shows_all() -> None:
    async with opened(target="run/93") as it:
        await it.press("tab")
        assert "output bor-pc-01" in it.screen
        await it.press("j", "j")
        assert "output bor-pc-03" in it.screen
        await it.press("L")
        assert "output all hosts" in it.screen
        assert "bor-pc-04: [1] check carrier" in it.screen
        await it.press("G")
        assert "output bor-pc-07" in it.screen
        assert "offline since 09:12" in it.screen


async def test_text_of_hosts_is_shown_as_text() -> None:
    async with opened(target="RUN-93", size=LARGE) as it:
        await it.press("tab")
        assert "health ok \\x1b[31m[/red]" in it.screen
        assert "\x1b" not in it.screen


async def test_output_comes_live_and_follows_its_end_until_one_scrolls() -> None:
    client = ScriptedClient()
    async with opened(client, target="RUN-93") as it:
        it.client.output += [piece(10 + n, "bor-pc-04", f"line {n}\n", 2) for n in range(40)]
        it.client.tells("output", "RUN-93")
        await it.until("line 39")
        await it.press("K")
        assert "f follows" in it.screen
        it.client.output.append(piece(90, "bor-pc-04", "the newest\n", 2))
        it.client.tells("output", "RUN-93")
        await it.settle()
        assert "the newest" not in it.screen
        await it.press("f")
        assert "the newest" in it.screen
        await it.press("enter")
        assert "line 25" in it.screen, "the whole screen"
        await it.press("k", "k", "q")
        assert isinstance(it.app.screen, RunScreen)
        assert "HOST" in it.screen


async def test_the_cursor_stays_on_its_host_while_states_change() -> None:
    async with opened(target="RUN-93", size=LARGE) as it:
        await it.press("j", "j", "j", "j")
        before = row(it).split()[1]
        it.client.run_list[1].hosts[4] = host("bor-pc-05", "failed", 2, "it broke")
        it.client.tells("host_finished", "RUN-93")
        await it.until("it broke")
        assert row(it).split()[1] == before


async def test_timers_tick_without_asking() -> None:
    async with opened(target="RUN-91") as it:
        assert "Expires in 8:48" in it.screen
        await it.later(10)
        assert "Expires in 8:38" in it.screen


async def test_x_shows_every_command_exactly() -> None:
    async with opened(target="RUN-93") as it:
        await it.press("x")
        for text in ("exact commands of every linux host", "2 bounce tunnel", "      clear ipsec sa peer 198.51.100.7"):
            assert text in it.screen
        await it.press("J", "K", "j", "x")
        assert "output bor-pc-04" in it.screen


async def test_a_run_that_is_not_there_says_so() -> None:
    async with opened(target="RUN-7") as it:
        assert "no run RUN-7  siems runbook runs" in it.screen
        await it.press("Y", "Z", "B", "o", "y", "x", "tab", "q", "q")
        assert isinstance(it.app.screen, BoardScreen)


async def test_copies_are_the_id_the_command_and_the_output() -> None:
    async with opened(target="RUN-93") as it:
        await it.press("y")
        assert isinstance(it.app.screen, CopyMenu)
        copied = {name: text for _, name, text in it.app.screen.choices}
        assert copied["command"] == "siems runbook logs RUN-93"
        assert copied["output"].splitlines()[1] == "wusa /uninstall /kb:5034122"


# --- what the stream tells --------------------------------------------------------------------------------------


async def test_a_request_that_comes_in_is_counted_and_shown() -> None:
    client = ScriptedClient()
    asked = client.run_list.pop(2)
    async with opened(client) as it:
        assert "3 Runs(" not in it.screen
        it.client.run_list.append(asked)
        it.client.tells("requested", "RUN-91")
        await it.until("3 Runs(1)")
        await it.press("3")
        assert "RUN-91" in it.screen
        it.client.run_list.remove(asked)
        it.client.tells("approved", "RUN-91")
        await it.until("4 of 4 runs")
        assert "3 Runs(" not in it.screen


async def test_an_inbox_entry_about_a_run_opens_it() -> None:
    client = ScriptedClient()
    client.notices[0].object = "RUN-91"
    async with opened(client, target="inbox") as it:
        await it.press("enter")
        assert isinstance(it.app.screen, RunScreen)


async def test_the_place_is_kept_for_the_next_session() -> None:
    async with opened(target="RUN-93") as it:
        it.app.keep()
    async with opened() as it:
        assert isinstance(it.app.screen, RunScreen)
        assert it.app.screen.ref == "RUN-93"


async def test_a_run_that_has_expired_says_so() -> None:
    client = ScriptedClient()
    client.run_list[2].expires_at = NOW - timedelta(seconds=1)
    async with opened(client, target="RUN-91") as it:
        assert "It has expired." in it.screen
