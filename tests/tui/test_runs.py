"""Screens 3 and 4 by their keys: choosing, looking, approving, stopping and rolling back, and what comes live."""

from __future__ import annotations

from datetime import timedelta

import pytest
from driving import Session, opened
from scripted import NOW, ScriptedClient
from scripted_runs import host, piece

from siems import errors
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.choose import CopyMenu
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.form import Form
from siems.tui.screens.plan import PlanWindow, shell_line
from siems.tui.screens.run import RunScreen
from siems.tui.screens.run_windows import AnswerRun, ChooseRunbook
from siems.tui.screens.runs import RunsScreen

LARGE = (120, 40)


def row(it: Session) -> str:
    """The row under the cursor."""
    return next((line for line in it.screen.splitlines() if line.startswith("> ")), "")


async def choose(it: Session, name: str) -> None:
    await it.press("R")
    await it.write(name)
    await it.press("enter")


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
        await it.press("Y", "C", "B", "o", "y", "x", "tab", "q", "q")
        assert isinstance(it.app.screen, BoardScreen)


async def test_copies_are_the_id_the_command_and_the_output() -> None:
    async with opened(target="RUN-93") as it:
        await it.press("y")
        assert isinstance(it.app.screen, CopyMenu)
        copied = {name: text for _, name, text in it.app.screen.choices}
        assert copied["command"] == "siems runbook logs RUN-93"
        assert copied["output"].splitlines()[1] == "wusa /uninstall /kb:5034122"


# --- the gate --------------------------------------------------------------------------------------------------


async def test_approving_takes_the_number_of_the_run() -> None:
    async with opened(target="RUN-91") as it:
        for text in ("approval needed", "fw-edge-01, fw-edge-02", "jon", "carrier is back"):
            assert text in it.screen
        assert "clear ipsec" in it.screen or "export SIEMS_SERVICE" in it.screen, "what it would do"
        await it.press("Y")
        assert isinstance(it.app.screen, AnswerRun)
        it.time[0] += 1
        await it.press("enter", "y")
        assert "type is needed" in it.screen
        await it.press("t")
        await it.write("93")
        await it.press("enter")
        assert "type 91" in it.screen
        await it.press("t", "ctrl+u")
        await it.write("91")
        await it.press("enter", "y")
        assert it.acts == [("approve", "RUN-91", {"confirm": "91"})]
        assert "QUEUED" in it.screen
        await it.press("at")
        assert "siems runbook approve RUN-91 --confirm 91" in it.screen


async def test_rejecting_takes_a_reason() -> None:
    async with opened(target="RUN-91") as it:
        await it.press("Y")
        it.time[0] += 1
        await it.press("n")
        assert "wants to know why" in it.screen
        await it.press("r")
        await it.write("after six")
        await it.press("enter", "n")
        assert it.acts == [("reject", "RUN-91", {"reason": "after six"})]
        assert "REJECTED" in it.screen


async def test_high_risk_takes_the_id_of_the_company() -> None:
    client = ScriptedClient()
    client.run_list[2].risk = "high"
    async with opened(client, target="RUN-91") as it:
        assert "type comp-borealis" in it.screen
        await it.press("Y")
        it.time[0] += 1
        await it.press("t")
        await it.write("91")
        await it.press("enter", "y")
        assert it.acts == []
        await it.press("t", "ctrl+u")
        await it.write("comp-borealis")
        await it.press("enter", "y")
        assert it.acts == [("approve", "RUN-91", {"confirm": "comp-borealis"})]


@pytest.mark.parametrize(("ref", "keys", "why"), [
    ("RUN-94", "Y", "you asked for RUN-94: somebody else has to approve it"),
    ("RUN-93", "Y", "approve is not possible: RUN-93 is running; possible: cancel"),
    ("RUN-93", "B", "rollback is not possible"),
    ("RUN-88", "C", "cancel is not possible: RUN-88 is succeeded; possible: rollback"),
])  # fmt: skip
async def test_what_is_not_possible_says_why(ref: str, keys: str, why: str) -> None:
    async with opened(target=ref) as it:
        await it.press(keys)
        assert isinstance(it.app.screen, RunScreen)
        assert why in it.screen
        assert it.acts == []


async def test_a_refusal_of_the_daemon_is_shown() -> None:
    async with opened(target="RUN-91") as it:
        it.client.refuse = errors.Conflict("RUN-91 is running by user-priya", hint="siems runbook status RUN-91")
        await it.press("Y")
        it.time[0] += 1
        await it.press("t")
        await it.write("91")
        await it.press("enter", "y")
        assert "RUN-91 is running by user-priya" in it.screen


async def test_cancelling_asks_and_only_y_acts() -> None:
    async with opened(target="RUN-93") as it:
        await it.press("C")
        assert isinstance(it.app.screen, Form)
        it.time[0] += 1
        await it.press("enter")
        assert it.acts == []
        await it.press("r")
        await it.write("wrong patch")
        await it.press("enter", "y")
        assert it.acts == [("cancel", "RUN-93", {"reason": "wrong patch"})]
        assert "STOPPING" in it.screen


async def test_rolling_back_takes_the_number_and_goes_to_the_new_run() -> None:
    async with opened(target="RUN-88") as it:
        await it.press("B")
        it.time[0] += 1
        await it.write("88")
        await it.press("enter", "y")
        assert it.acts == [("rollback", "RUN-88", {})]
        assert "RUN-96 rollback of fw-diag" in it.screen


async def test_an_armed_context_takes_the_name_of_the_client() -> None:
    async with opened(target="RUN-93", armed=True) as it:
        await it.press("C")
        it.time[0] += 1
        await it.press("escape", "y")
        assert it.acts == []
        await it.press("t")
        await it.write("borealis")
        await it.press("enter", "y")
        assert [act[0] for act in it.acts] == ["cancel"]


async def test_read_only_sessions_look_and_change_nothing() -> None:
    async with opened(target="RUN-91", read_only=True) as it:
        for key in ("Y", "C", "B"):
            await it.press(key)
            assert "read only" in it.screen
            assert isinstance(it.app.screen, RunScreen)
        await it.press("1")
        await choose(it, "fw-diag")
        assert isinstance(it.app.screen, PlanWindow)
        it.time[0] += 1
        await it.press("y")
        assert "read only" in it.screen
    assert it.acts == []


async def test_an_answer_that_was_lost_is_never_sent_again() -> None:
    async with opened(target="RUN-93") as it:
        it.client.refuse = errors.Unavailable("the daemon closed the connection")
        await it.press("C")
        it.time[0] += 1
        await it.press("y")
        assert "whether it was done is not known" in it.screen
        it.client.refuse = None
        await it.later(5)
        assert len(it.acts) == 1


async def test_a_lost_daemon_leaves_what_was_read() -> None:
    async with opened(target="RUN-93") as it:
        it.client.lose()
        await it.until("DAEMON LOST")
        assert "bor-pc-04" in it.screen
        await it.press("C")
        assert "needs the daemon" in it.screen
        await it.press("1", "R")
        assert "needs the daemon" in it.screen


# --- before a run ----------------------------------------------------------------------------------------------


async def test_a_runbook_is_chosen_told_its_values_looked_at_and_started() -> None:
    async with opened(target="INC-121") as it:
        await it.press("R")
        assert isinstance(it.app.screen, ChooseRunbook)
        for text in ("vpn-bounce", "fixed it 3 times before", "needs a manager", "fw-diag", "matches", "wipe"):
            assert text in it.screen
        await it.press("enter")
        assert isinstance(it.app.screen, PlanWindow)
        assert "service is missing" in it.screen
        it.time[0] += 1
        await it.press("escape", "y")
        assert it.acts == []
        await it.press("1")
        await it.write("vpn")
        await it.press("enter")
        for text in ("MEDIUM risk", "2 hosts of Borealis", "has to approve it: priya", "fw-edge-02", "linux by ssh"):
            assert text in it.screen
        await it.press("d")
        assert "on fw-edge-01, fw-edge-02" in it.screen
        await it.press("j", "k", "d", "h")
        await it.write("fw-edge-02")
        await it.press("enter", "o", "p")
        await it.write("1")
        await it.press("enter", "y")
        [(_, _, ask)] = it.acts
        assert ask["values"] == {"service": "vpn"}
        assert (ask["hosts"], ask["parallel"], ask["incident"]) == (["fw-edge-02"], 1, "INC-121")
        assert isinstance(it.app.screen, RunScreen)
        assert it.app.screen.ref == "RUN-95"
        assert "You asked for it" in it.screen
        await it.press("q")
        assert isinstance(it.app.screen, DetailScreen)


async def test_low_risk_begins_at_once_and_high_takes_the_company() -> None:
    async with opened(target="INC-121") as it:
        await choose(it, "fw-diag")
        assert "it begins at once" in it.screen
        it.time[0] += 1
        await it.press("y")
        assert "RUN-95 Bounce the VPN tunnel: it begins" in it.screen
        await it.press("q", "colon")
        await it.write("run wipe")
        await it.press("enter")
        it.time[0] += 1
        await it.press("y")
        assert "type comp-borealis in full" in it.screen
        await it.press("t")
        await it.write("comp-borealis")
        await it.press("enter", "y")
    assert [ask.get("confirm") for _, _, ask in it.acts] == [None, "comp-borealis"]


async def test_nothing_is_asked_for_by_looking() -> None:
    async with opened(target="INC-121", armed=True) as it:
        await choose(it, "fw-diag")
        it.time[0] += 1
        await it.press("y")
        assert "type borealis in full" in it.screen, "an armed context asks before everything"
        await it.press("escape")
        assert isinstance(it.app.screen, DetailScreen)
        assert len(it.client.rehearsed) == 1
        assert it.acts == []


async def test_a_wrong_number_is_said_where_it_was_typed() -> None:
    async with opened(target="INC-121") as it:
        await choose(it, "fw-diag")
        it.time[0] += 1
        await it.press("o", "m")
        await it.write("many")
        await it.press("enter")
        assert "failures: a number from 0 to 500" in it.screen


def test_the_command_line_of_a_run() -> None:
    ask = {"runbook": "x", "incident": "INC-1", "hosts": ["a", "b c"], "values": {"k": "it's"}, "parallel": 4,
           "max_failures": 0, "reason": ""}  # fmt: skip
    assert shell_line(ask) == (
        "siems runbook run x --incident INC-1 --host a --host 'b c' --var 'k=it'\"'\"'s' --parallel 4 --max-failures 0"
    )


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
