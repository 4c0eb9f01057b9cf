"""The gate of a run and what is asked before one: nothing is done by Enter, Esc or the key that opened a window."""

from __future__ import annotations

import pytest
from driving import Session, opened
from scripted import ScriptedClient
from scripted_runs import asking

from siems import errors
from siems.client import Client
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.form import Form
from siems.tui.screens.plan import PlanWindow, shell_line
from siems.tui.screens.run import RunScreen
from siems.tui.screens.run_windows import AnswerHost, AnswerRun, ChooseRunbook


async def choose(it: Session, name: str) -> None:
    await it.press("R")
    await it.write(name)
    await it.press("enter")


# --- hosts that ask ---------------------------------------------------------------------------------------------


async def test_a_host_that_asks_is_answered_by_a_key_of_the_window_and_no_other() -> None:
    client = ScriptedClient()
    client.run_list[1] = asking()
    async with opened(client, target="RUN-93") as it:
        for text in ("a step failed on bor-pc-04", "Y answers: skip, retry, hold, go-on", "1 asking  1 held"):
            assert text in it.screen
        await it.press("Y")
        assert isinstance(it.app.screen, AnswerHost)
        await it.press("enter", "y", "escape")
        assert isinstance(it.app.screen, RunScreen)
        assert it.acts == []
        await it.press("Y", "r")
        await it.write("the disk is back")
        await it.press("enter", "t")
        assert it.acts == [("retry", "RUN-93", {"hosts": ["bor-pc-04"], "reason": "the disk is back"})]
        assert "RUN-93: the step is tried again" in it.screen
        assert "output bor-pc-04" in it.screen, "the cursor stays on its host"
        line = "siems runbook answer RUN-93 retry --host bor-pc-04 --reason 'the disk is back'"
        assert it.app.desk.log[-1].cli == line


@pytest.mark.parametrize(("key", "answer"), [("s", "skip"), ("c", "go-on"), ("H", "hold")])
async def test_each_answer_has_its_key(key: str, answer: str) -> None:
    client = ScriptedClient()
    client.run_list[1] = asking()
    async with opened(client, target="RUN-93", size=(120, 40)) as it:
        await it.press("Y", key)
        assert [act[0] for act in it.acts] == [answer]


async def test_what_is_held_is_not_held_again_and_what_asks_nothing_has_no_window() -> None:
    client = ScriptedClient()
    client.run_list[1] = asking()
    async with opened(client, target="RUN-93") as it:
        await it.press("tab")
        assert "bor-pc-03 is held by jon" in it.screen
        await it.press("Y", "H")
        assert "hold is not possible" in it.screen
        await it.press("escape", "tab", "Y")
        assert isinstance(it.app.screen, RunScreen)
        assert "bor-pc-01 asks nothing" in it.screen
        await it.press("3", "j", "Y")
        assert isinstance(it.app.screen, RunScreen), "the question is about one host, so its run is opened"


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
    ("RUN-88", "Z", "cancel is not possible: RUN-88 is succeeded; possible: rollback"),
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
        await it.press("Z")
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
        await it.press("Z")
        it.time[0] += 1
        await it.press("escape", "y")
        assert it.acts == []
        await it.press("t")
        await it.write("borealis")
        await it.press("enter", "y")
        assert [act[0] for act in it.acts] == ["cancel"]


async def test_read_only_sessions_look_and_change_nothing() -> None:
    async with opened(target="RUN-91", read_only=True) as it:
        for key in ("Y", "Z", "B"):
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
        await it.press("Z")
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
        await it.press("Z")
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


def test_looking_at_a_plan_is_no_write(monkeypatch: pytest.MonkeyPatch) -> None:
    client, asked = Client("http://127.0.0.1:9"), []
    client.read_only = True

    def answer(method: str, path: str, *more: object) -> tuple[int, dict[str, str], bytes]:
        asked.append(f"{method} {path}")
        return 201, {}, b"{}"

    monkeypatch.setattr(client, "_exchange", answer)
    client.rehearse_run(runbook="fw-diag")
    assert asked == ["POST /api/v1/runs?dry_run=true"]
    with pytest.raises(errors.Forbidden):
        client.ask_for_run(runbook="fw-diag")
    assert len(asked) == 1
