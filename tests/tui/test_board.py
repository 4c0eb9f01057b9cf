"""The board by its keys: what they do, what is asked first, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driving import Session, opened
from scripted import ScriptedClient, incidents, view

from siems import errors
from siems.tui import clipboard, saved
from siems.tui.screens.books import Help
from siems.tui.screens.choose import AssignTo, CopyMenu
from siems.tui.screens.confirm import Confirm
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.inbox import InboxScreen
from siems.tui.screens.logs import CommandLog
from siems.tui.screens.palette import Palette


async def test_it_opens_on_what_is_due_next() -> None:
    async with opened() as it:
        assert it.cursor == "INC-118"
        assert "LIVE" in it.screen
        assert "10 of 10" in it.screen


async def test_moving() -> None:
    async with opened() as it:
        await it.press("j", "j", "down")
        assert it.cursor == "INC-97"
        await it.press("k", "up")
        assert it.cursor == "INC-121"
        await it.press("G")
        assert it.cursor == "INC-71"
        await it.press("g")
        assert it.cursor == "INC-118"
        await it.press("pagedown")
        assert it.cursor == "INC-71"
        await it.press("pageup", "end", "home")
        assert it.cursor == "INC-118"


@pytest.mark.parametrize(
    ("key", "action", "fields"), [("a", "ack", {}), ("t", "assign", {"to": "@me"}), ("s", "start", {})]
)
async def test_direct_actions_ask_nothing_and_can_be_undone(key: str, action: str, fields: dict[str, str]) -> None:
    async with opened() as it:
        await it.press(key)
        assert it.acts == [(action, "INC-118", {"version": 1, "undoable": True} | fields)]
        assert "u undo (10s)" in it.screen
        await it.press("u")
        assert it.acts[-1] == ("undo", "INC-118", {"version": 2})
        assert "Undone: INC-118" in it.screen
        assert "u undo" not in it.screen


async def test_undo_ends_after_ten_seconds() -> None:
    async with opened() as it:
        await it.press("a")
        await it.later(11)
        assert "u undo" not in it.screen
        await it.press("u")
        assert len(it.acts) == 1
        assert "nothing to undo" in it.screen


async def test_resolve_lists_takes_a_note_and_acts_on_y_alone() -> None:
    async with opened() as it:
        await it.press("j", "r")
        assert isinstance(it.app.screen, Confirm)
        assert "VPN concentrator flapping" in it.screen
        assert "Borealis" in it.screen
        await it.write("rebooted it, y")
        assert it.acts == []
        await it.press("enter")
        assert isinstance(it.app.screen, Confirm)
        await it.press("enter", "r")
        assert it.acts == []
        await it.press("y")
        assert it.acts == [("resolve", "INC-121", {"version": 1, "undoable": True, "note": "rebooted it, y"})]
        assert "Resolved INC-121" in it.screen


async def test_a_breached_incident_wants_a_cause() -> None:
    async with opened() as it:
        await it.press("r")
        await it.write("done")
        await it.press("enter", "escape", "y")
        assert "cause is needed" in it.screen
        await it.press("c")
        await it.write("disk")
        await it.press("enter", "y")
        assert it.acts[0][2]["cause"] == "disk"


async def test_escape_leaves_without_doing() -> None:
    async with opened() as it:
        await it.press("r", "escape", "escape")
        assert not isinstance(it.app.screen, Confirm)
        await it.press("e", "escape", "q")
        assert it.acts == []


async def test_keys_of_the_first_moment_are_dropped() -> None:
    async with opened() as it:
        await it.press("G", "c")
        assert isinstance(it.app.screen, Confirm)
        it.app.screen._born = it.time[0]
        await it.pilot.press("y")
        assert it.acts == []
        assert isinstance(it.app.screen, Confirm)
        await it.press("y")
        assert it.acts[0][:2] == ("close", "INC-71")


async def test_reopen_and_escalate_want_a_reason() -> None:
    async with opened() as it:
        await it.press("G", "O")
        await it.write("came back")
        await it.press("enter", "y")
        assert it.acts[0][0] == "reopen"
        assert it.acts[0][2]["reason"] == "came back"
        await it.press("g", "e")
        await it.write("no access")
        await it.press("enter", "l")
        await it.write("7")
        await it.press("enter")
        assert "level: 2 or 3" in it.screen
        await it.press("backspace")
        await it.write("3")
        await it.press("enter", "y")
        assert it.acts[1] == (
            "escalate",
            "INC-118",
            {"version": 1, "undoable": True, "reason": "no access", "level": 3},
        )


async def test_hold_and_resume() -> None:
    async with opened() as it:
        await it.press("j", "H")
        await it.write("nobody")
        await it.press("enter")
        assert "for: one of client" in it.screen
        await it.press(*["backspace"] * 6)
        await it.write("vendor")
        await it.press("enter", "u", "backspace", "backspace")
        await it.write("30")
        await it.press("enter")
        assert "30m or 30h" in it.screen
        await it.write("m")
        await it.press("enter", "y")
        assert it.acts[0][0] == "hold"
        assert it.acts[0][2]["hold_for"] == "vendor"
        assert it.acts[0][2]["until"].startswith("2026-03-10T14:3")
        it.app.model.go("INC-75")
        await it.press("H")
        assert it.acts[1][:2] == ("resume", "INC-75")


async def test_assign_offers_oneself_first() -> None:
    client = ScriptedClient()
    client.everywhere()
    async with opened(client) as it:
        await it.press("A")
        assert isinstance(it.app.screen, AssignTo)
        await it.until("Maria Lopez (me)")
        await it.press("j", "enter")
        assert it.acts[0][2]["to"] == "user-priya"
        await it.press("j", "A")
        await it.until("Maria Lopez (me)")
        await it.press("1")
        assert it.acts[1][2]["to"] == "user-maria"


async def test_a_note_is_written_at_the_bottom() -> None:
    async with opened() as it:
        await it.press("n")
        await it.write("called ISP [/foo]")
        await it.press("enter")
        assert it.acts == [("note", "INC-118", {"version": 1, "undoable": True, "note": "called ISP [/foo]"})]
        await it.press("n")
        await it.write("never mind")
        await it.press("escape")
        await it.press("n", "enter")
        assert len(it.acts) == 1


async def test_marks_and_bulk() -> None:
    async with opened() as it:
        await it.press("space", "space")
        assert it.app.model.marks == {"INC-118", "INC-121"}
        await it.press("s")
        assert isinstance(it.app.screen, Confirm)
        await it.press("y")
        assert [call[:2] for call in it.acts] == [("start", "INC-118")]
        assert "1 of 2 marked do not allow start" in it.screen or len(it.acts) == 1
        await it.press("V", "g", "v", "j", "j", "v", "n")
        assert "3 incidents" in it.screen
        await it.write("same cause")
        await it.press("enter", "y")
        assert [call[0] for call in it.acts[1:]] == ["note"] * 3
        await it.press("asterisk")
        assert len(it.app.model.marks) == 10
        await it.press("escape")
        assert not it.app.model.marks


async def test_one_mark_out_of_sight_is_asked_about_too() -> None:
    async with opened() as it:
        await it.press("space", "j", "a")
        assert isinstance(it.app.screen, Confirm)
        assert "INC-118" in it.screen
        await it.press("y")
        assert it.acts[0][:2] == ("ack", "INC-118")


async def test_what_an_incident_does_not_allow_is_said_and_not_sent() -> None:
    async with opened() as it:
        await it.press("c")
        assert "close is not possible: INC-118 is OPEN; possible: assign, ack" in it.screen
        assert it.acts == []


async def test_a_conflict_is_told_with_its_way_out() -> None:
    async with opened() as it:
        it.client.refuse = errors.StaleVersion("INC-118 is at version 3, you saw 1", hint="look again")
        await it.press("a")
        assert "you saw 1  look again" in it.screen


async def test_an_answer_that_is_lost_is_looked_up_and_never_sent_again() -> None:
    async with opened() as it:
        it.client.lose_answers = True
        await it.press("a")
        await it.until("DAEMON LOST")
        assert "ack ?" in it.screen
        it.client.down = it.client.lose_answers = False
        await it.press("ctrl+r")
        await it.until("ack INC-118: done")
        assert [call[0] for call in it.acts] == ["ack"]
        assert "ack ?" not in it.screen


async def test_an_order_that_never_arrived_is_not_done() -> None:
    async with opened() as it:
        it.client.down = True
        await it.press("a")
        await it.until("DAEMON LOST")
        it.client.down = False
        await it.press("ctrl+r")
        await it.until("ack INC-118: not done")
        assert it.acts == []


async def test_losing_the_daemon_keeps_the_session() -> None:
    async with opened() as it:
        await it.press("j", "space")
        it.client.lose()
        await it.until("DAEMON LOST")
        assert "data as of 14:02:31" in it.screen
        assert "VPN concentrator" in it.screen
        await it.press("k", "r")
        assert "resolve needs the daemon; it is unreachable (ctrl+r retry)" in it.screen
        await it.later(47)
        assert "OFFLINE 0:4" in it.screen
        it.client.down = False
        it.client.views["INC-900"] = view(900, minutes=1)
        await it.press("ctrl+r")
        await it.until("back, 1 change")
        assert it.cursor == "INC-121"
        assert it.app.model.marks == {"INC-121"}


async def test_what_happens_elsewhere_appears() -> None:
    async with opened() as it:
        await it.later(5)
        it.client.views["INC-900"] = view(900, minutes=-60, title="Core switch down", severity="CRITICAL")
        it.client.emit("incident.opened", "INC-900")
        await it.until("Core switch down")
        assert it.cursor == "INC-118"
        assert it.client.queries[-1].endswith("id:INC-900")


async def test_rows_hold_still_while_keys_are_pressed() -> None:
    async with opened() as it:
        await it.press("j")
        it.client.views["INC-900"] = view(900, minutes=-60, title="Core switch down")
        it.client.emit("incident.opened", "INC-900")
        await it.until("^1 change held")
        assert "Core switch" not in it.screen
        await it.later(3)
        assert "Core switch down" in it.screen
        assert it.cursor == "INC-121"


async def test_freezing() -> None:
    async with opened() as it:
        await it.press("z")
        await it.later(5)
        del it.client.views["INC-109"]
        it.client.emit("incident.closed", "INC-109")
        await it.until("^1 change held")
        assert "FROZEN" in it.screen
        await it.later(10)
        assert "INC-109" in it.screen
        await it.press("z")
        assert "INC-109" not in it.screen


async def test_filter() -> None:
    async with opened() as it:
        await it.press("slash")
        await it.write("disk")
        await it.press("enter")
        assert it.client.queries[-1] == "state:OPEN,ASSIGNED,IN_PROGRESS,RESOLVED (disk)"
        assert "1 of 1" in it.screen
        assert it.cursor == "INC-101"
        await it.press("slash", "escape")
        assert it.app.saved.filter == "disk"
        await it.press("escape")
        assert "10 of 10" in it.screen
        await it.press("slash")
        await it.write("bad:x")
        await it.press("enter")
        assert "unknown field 'bad'" in it.screen
        assert "10 of 10" in it.screen
        await it.press("slash")
        await it.write("nothing")
        await it.press("enter")
        assert "No incident matches this filter." in it.screen


async def test_pane_zone_and_sizes() -> None:
    async with opened() as it:
        assert "d pane" in it.screen
        await it.press("d")
        assert "d pane" not in it.screen
        await it.press("d", "T")
        it.app.run_command("tz Europe/Oslo")
        await it.settle()
        assert "15:02:" in it.screen
        assert "CET" in it.screen
        it.app.run_command("tz Mars/Base")
        await it.settle()
        assert "no time zone is called Mars/Base" in it.screen
        await it.pilot.resize_terminal(60, 12)
        await it.settle()
        assert "INC-118" in it.screen


WINDOWS = {
    "question_mark": Help, "at": CommandLog, "8": InboxScreen, "colon": Palette, "ctrl+p": Palette, "y": CopyMenu,
    "enter": DetailScreen,
}  # fmt: skip


@pytest.mark.parametrize("key", WINDOWS)
async def test_windows_open_and_close(key: str) -> None:
    async with opened() as it:
        await it.press(key)
        assert isinstance(it.app.screen, WINDOWS[key])
        await it.press("escape")
        assert not isinstance(it.app.screen, WINDOWS[key])
        assert it.app.is_running


async def test_copying(home: Path) -> None:
    async with opened() as it:
        await it.press("y", "c")
        assert clipboard.copy_file().read_text() == "siems incident show INC-118\n"
        await it.press("space", "space", "y", "i")
        assert clipboard.copy_file().read_text() == "INC-118 INC-121\n"


async def test_the_command_log_shows_shell_lines() -> None:
    async with opened() as it:
        await it.press("a", "at")
        assert "siems incident ack INC-118" in it.screen
        await it.press("y")
        assert clipboard.copy_file().read_text() == "siems incident ack INC-118\n"


async def test_the_inbox_opens_what_it_tells_of() -> None:
    async with opened() as it:
        assert "bell 2" in it.screen
        await it.press("8")
        await it.until("2 unread")
        await it.press("m")
        await it.until("1 unread")
        await it.press("M")
        await it.until("0 unread")
        await it.press("g", "enter")
        assert isinstance(it.app.screen, DetailScreen)
        assert it.app.screen.ref == "INC-118"


async def test_help_searches_and_runs() -> None:
    async with opened() as it:
        await it.press("question_mark")
        assert "not now c close, O reopen, H hold" in it.screen
        await it.write("freez")
        await it.press("enter")
        assert it.app.model.frozen


async def test_the_palette_runs_commands() -> None:
    async with opened() as it:
        await it.press("colon")
        await it.write("ack 109 101")
        await it.press("enter")
        assert isinstance(it.app.screen, Confirm)
        await it.press("y")
        assert [call[1] for call in it.acts] == ["INC-109", "INC-101"]
        await it.press("colon")
        await it.write("sort score")
        await it.press("enter")
        assert it.app.model.sort == "-priority_score"
        assert it.app.model.order[0] == "INC-118"
        await it.press("colon")
        await it.write("dance")
        await it.press("enter")
        assert "there is no command 'dance'" in it.screen
        await it.press("colon")
        await it.write("co cedar")
        await it.press("enter")
        assert "2 of 2" in it.screen
        await it.press("colon", "f", "r", "tab", "enter")
        assert it.app.model.frozen
        await it.press("colon")
        await it.write("theme high-contrast")
        await it.press("enter")
        assert it.app.looks.theme == "high-contrast"
        await it.press("colon")
        await it.write("resolve 4711")
        await it.press("enter")
        assert "INC-4711 is not in this list" in it.screen


async def test_read_only_reads_only() -> None:
    async with opened(read_only=True) as it:
        assert "READ ONLY" in it.screen
        await it.press("a", "n", "r")
        assert "resolve is off: this session is read only" in it.screen
        assert it.acts == []


async def test_the_view_is_restored() -> None:
    async with opened() as it:
        await it.press("j", "j", "space", "d")
        await it.press("Q")
    state = json.loads(saved.state_file("http://127.0.0.1:8717").read_text())
    assert state["cursor"] == "INC-97"
    async with opened() as again:
        assert again.cursor == "INC-97"
        assert again.app.model.marks == {"INC-109"}
        assert "d pane" not in again.screen


async def test_the_first_paint_comes_from_the_last_session() -> None:
    async with opened() as it:
        await it.press("Q")
    client = ScriptedClient()
    client.down = True
    async with opened(client) as again:
        assert "INC-118" in again.screen
        assert "DAEMON LOST" in again.screen
        assert "data as of 14:02:31" in again.screen


async def test_without_daemon_and_memory_it_says_so() -> None:
    client = ScriptedClient()
    client.down = True
    async with opened(client) as it:
        assert "No daemon answers." in it.screen
        assert "siems up -d" in it.screen
        client.down = False
        await it.press("ctrl+r")
        await it.until("INC-118")


async def test_all_quiet() -> None:
    async with opened(ScriptedClient([])) as it:
        assert "All quiet: nothing is open." in it.screen
        await it.press("j", "space", "a", "r", "enter", "y", "G", "u")
        assert it.acts == []


async def test_a_page_rings_once() -> None:
    async with opened() as it:
        rung: list[int] = []
        it.app.bell = lambda: rung.append(1)  # type: ignore[method-assign]
        it.client.emit("notice.created", "INC-118", event="incident.escalated", users=["user-maria"])
        await it.settle()
        it.client.emit("notice.created", "INC-118", event="incident.resolved", users=["user-maria"])
        await it.settle()
        await it.pilot.pause(0.1)
        assert rung == [1]


async def test_the_mouse_selects_opens_and_scrolls() -> None:
    client = ScriptedClient([view(n, minutes=n) for n in range(100, 160)])
    async with opened(client) as it:
        await it.pilot.click("#rows", offset=(5, 3))
        assert it.cursor == "INC-103"
        await it.pilot._post_mouse_events(
            [__import__("textual.events", fromlist=["x"]).MouseScrollDown], "#rows", button=0
        )
        await it.settle()
        assert it.app.model.top == 3


async def test_thousands_of_rows() -> None:
    client = ScriptedClient([view(n, minutes=n) for n in range(1, 5_001)])
    async with opened(client) as it:
        await it.press("G")
        assert it.cursor == "INC-5000"
        assert "5000 of 5000" in it.screen
        await it.press("pageup")
        assert "more below" in it.screen


async def test_a_user_key_map() -> None:
    from siems import places

    places.config_dir().mkdir(parents=True)
    (places.config_dir() / "keys.toml").write_text('ack = "x"\nnote = "f5"\n')
    async with opened() as it:
        assert "keys.toml: note: f5 belongs to the terminal" in it.screen
        assert " x ack" in it.screen
        await it.press("a")
        assert it.acts == []
        await it.press("x")
        assert it.acts[0][0] == "ack"


async def test_quitting_by_key() -> None:
    it: Session
    async with opened() as it:
        await it.press("Q")
        assert it.app.return_code == 0


def test_the_scripted_board_is_what_the_drawings_show() -> None:
    assert len(incidents()) == 10
