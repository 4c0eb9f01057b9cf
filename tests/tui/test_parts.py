"""The parts that need no screen: clocks, orders, saved state, copying, lanes, the plain board."""

from __future__ import annotations

import io
import os
import threading
import time
from datetime import UTC, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import NOW, ScriptedClient, view

from siems import present, wire
from siems.tui import clipboard, clocks, lanes, panes, saved
from siems.tui.actions import BY_ID
from siems.tui.desk import Desk, Order, carry_out, look_up, target
from siems.tui.frame import LinkState
from siems.tui.lanes import Lane
from siems.tui.link import DEFAULT_QUERY, whole_query
from siems.tui.looks import THEMES, Looks, spread, width_of, wrap
from siems.tui.messages import Acted
from siems.tui.plain import PlainBoard
from siems.tui.screens.confirm import length, slots
from siems.tui.widgets.rows import columns, heading, row


@pytest.mark.parametrize(
    ("to", "said"), [("jon", "escalates to jon in 3h34m"), ("all admins", "-> all admins in 3h34m")]
)
def test_when_it_escalates_is_whole_on_a_narrow_terminal(to: str, said: str) -> None:
    chain = wire.NextEscalation(due_at=NOW + timedelta(minutes=214), level=2, to=to)
    one = view(1, minutes=214, next_escalation=chain)
    scene = panes.Scene(NOW, Looks(ascii_only=True))
    timers = "".join(text for text, _ in panes.preview(one, None, scene, 80)[2])
    assert timers.endswith(said)
    assert len(timers) <= 80


def test_the_board_shows_the_clock_that_comes_first() -> None:
    fresh, late = view(1, minutes=20), view(2, minutes=-4)
    assert clocks.board_cell(fresh, NOW) == clocks.Countdown("~" if 20 * 60 < 28_800 / 4 else " ", "    20m")
    assert clocks.board_cell(late, NOW).glyph == "x"
    held = view(3, state="ASSIGNED", on_hold=True)
    assert clocks.board_cell(held, NOW) == clocks.Countdown("=", "   hold")
    done = view(4, state="RESOLVED")
    assert clocks.board_cell(done, NOW) == clocks.Countdown("v", "    met")


def test_clocks_in_words() -> None:
    one = view(1, minutes=3, state="ASSIGNED", severity="CRITICAL")
    said = "".join(text for text, _ in clocks.respond(one, NOW, UTC))
    assert said == "v met in 3m08s"
    assert "".join(text for text, _ in clocks.resolve(one, NOW, UTC)) == "! 3:00  by 14:05"
    cancelled = msgspec.structs.replace(one.sla.response, met_at=None, cancelled=True)
    silent = msgspec.structs.replace(one, sla=msgspec.structs.replace(one.sla, response=cancelled))
    assert "".join(text for text, _ in clocks.respond(silent, NOW, UTC)) == "  not needed"
    assert clocks.escalates(one, NOW) == ""


@pytest.mark.parametrize("width", range(20, 200, 7))
def test_rows_and_headings_fit_their_width(width: int) -> None:
    shape = columns(width)
    looks = Looks()
    assert width_of(row(view(1), shape, looks)) <= max(width, 30)
    if width >= 40:
        assert width_of(heading(shape)) == width_of(row(view(1), shape, looks)) == width


def test_columns_drop_in_order() -> None:
    widths = [columns(width) for width in (108, 68, 62, 56, 40)]
    assert [bool(one.alerts) for one in widths] == [True, True, False, False, False]
    assert [bool(one.who) for one in widths] == [True, True, True, False, False]
    assert [bool(one.company) for one in widths] == [True, True, True, True, False]


@given(st.text(), st.integers(0, 60))
def test_wrapped_lines_fit(text: str, width: int) -> None:
    assert all(present.cell_width(line) <= max(2, width) for line in wrap(text, width))


@given(st.text(), st.text(), st.integers(1, 80))
def test_strips_have_their_width(left: str, right: str, width: int) -> None:
    looks = Looks(ascii_only=True)
    strip = looks.strip(spread([(left, "")], [(right, "")], width), width)
    assert sum(present.cell_width(segment.text) for segment in strip) == width
    assert "".join(segment.text for segment in strip).isascii()


def test_every_theme_has_every_role() -> None:
    for table in THEMES.values():
        assert set(table) == set(THEMES["default"])
    assert all("#" not in look and " on " not in f" {look} " for look in THEMES["mono"].values())


def test_a_query_keeps_closed_ones_out_unless_it_names_states() -> None:
    assert whole_query("") == DEFAULT_QUERY
    assert whole_query("#acme OR #borealis") == f"{DEFAULT_QUERY} (#acme OR #borealis)"
    assert whole_query("state:CLOSED") == "state:CLOSED"


def test_orders_and_what_became_of_them() -> None:
    client, desk, told = ScriptedClient(), Desk(), []
    order = Order(BY_ID["ack"], [target(client.views["INC-118"]), target(client.views["INC-109"])])
    desk.begin(order, NOW)
    assert desk.pending == {"INC-118": "ack ..", "INC-109": "ack .."}
    carry_out(client, order, told.append)  # type: ignore[arg-type]
    assert desk.finish(told[0]) == "Acknowledged INC-118, INC-109"
    assert desk.pending == {}
    assert desk.undoable(NOW + timedelta(seconds=9)) is not None
    assert desk.undoable(NOW + timedelta(seconds=10)) is None
    assert desk.log[-1].outcome == "Acknowledged INC-118, INC-109"


def test_only_the_last_act_can_be_taken_back() -> None:
    client, desk, told = ScriptedClient(), Desk(), []
    for name, undoable in (("ack", True), ("escalate", False)):
        order = Order(BY_ID[name], [target(client.views["INC-118"])], {"reason": "x"} if name == "escalate" else {})
        carry_out(client, order, told.append)  # type: ignore[arg-type]
        if not undoable:
            told[-1].results[0].undo_until = None
        desk.finish(told[-1])
        assert (desk.undoable(NOW) is not None) is undoable
    assert "to Maria Lopez" in told_to(client, desk)


def told_to(client: ScriptedClient, desk: Desk) -> str:
    told: list[Acted] = []
    order = Order(BY_ID["assign"], [target(client.views["INC-109"])], {"to": "user-maria"})
    carry_out(client, order, told.append)  # type: ignore[arg-type]
    return desk.finish(told[0])


def test_a_lost_answer_stops_the_rest() -> None:
    client, desk, told = ScriptedClient(), Desk(), []
    client.lose_answers = True
    order = Order(BY_ID["ack"], [target(client.views[ref]) for ref in ("INC-118", "INC-121", "INC-109")])
    desk.begin(order, NOW)
    carry_out(client, order, told.append)  # type: ignore[arg-type]
    assert len(client.calls) == 1
    text = desk.finish(told[0])
    assert "ack ? INC-118" in text
    assert "not sent" in text
    assert desk.pending == {"INC-118": "ack ?"}
    client.down = False
    look_up(client, list(desk.unknown), told.append)  # type: ignore[arg-type]
    assert desk.look_up(told[1].found) == "ack INC-118: done"
    assert desk.pending == {}
    assert isinstance(told[0], Acted)


def test_lengths_of_time() -> None:
    assert length("1d12h") == timedelta(hours=36)
    assert [length(text) for text in ("30", "", "4x", "h4", "-1h")] == [None] * 5
    assert [slot.name for slot in slots(BY_ID["hold"], [])] == ["hold_for", "until"]
    assert slots(BY_ID["ack"], []) == ()


def test_state_survives_and_damage_does_not_matter() -> None:
    kept = saved.Saved(cursor="INC-7", filter="#acme", marks=["INC-1"], pane=False, zone="Europe/Oslo")
    saved.save("http://a", kept)
    assert saved.load("http://a") == kept
    assert saved.load("http://b") == saved.Saved()
    assert os.stat(saved.state_file("http://a")).st_mode & 0o777 == 0o600
    for text in ("{", "[]", '{"marks": 5}', '{"cursor": "INC-1", "new": 1}'):
        saved.state_file("http://a").write_text(text)
        assert saved.load("http://a").filter == ""


def test_the_list_is_kept_per_reader() -> None:
    saved.save_rows("http://a", "user-maria", [view(1)], NOW)
    found = saved.load_rows("http://a", "user-maria")
    assert found is not None
    assert found.rows[0].id == "INC-1"
    assert saved.load_rows("http://a", "user-jon") is None
    saved.cache_file("http://a", "user-maria").write_text("{}")
    assert saved.load_rows("http://a", "user-maria") is None
    assert saved.identity("e30.eyJzdWIiOiJ1c2VyLW1hcmlhIn0.x") == "user-maria"
    assert saved.identity("opaque") == "opaque"


def test_copying_is_wrapped_for_what_stands_in_between() -> None:
    assert clipboard.osc52("hi", {}) == "\x1b]52;c;aGk=\x07"
    assert clipboard.osc52("hi", {"TMUX": "1"}) == "\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\\x1b]52;c;aGk=\x07"
    parts = clipboard.osc52("x" * 300, {"TERM": "screen"}).split("\x1b\\")
    assert all(part.startswith("\x1bP") and len(part) <= 80 for part in parts if part)
    assert clipboard.keep("hi") == clipboard.copy_file()


def test_a_lane_keeps_order_and_drops_what_is_superseded() -> None:
    lane, done, gate = Lane("test"), [], threading.Event()
    lane.put("", lambda: gate.wait(2) and None)
    for n in range(5):
        lane.put("same", lambda n=n: done.append(n))  # type: ignore[misc]
    lane.put("", lambda: done.append(9))
    gate.set()
    for _ in range(200):
        if lane.idle:
            break
        time.sleep(0.01)
    assert done == [4, 9]


def test_a_lane_without_work_lets_its_thread_go_and_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "IDLE_SECONDS", 0.0)
    lane, done = Lane("test"), threading.Event()
    lane.put("", lambda: None)
    thread = lane._thread
    if thread is not None:
        thread.join(5)
        assert not thread.is_alive()
    lane.put("", done.set)
    assert done.wait(5)


def test_the_link_in_words() -> None:
    state = LinkState()
    assert state.word(0)[0] == "CONNECTING"
    state.returned()
    state.heartbeat = 4
    state.told(100)
    assert state.word(109) == ("LIVE", "live")
    assert state.word(110) == ("STALE 10s", "stale")
    state.heard_at = 110  # an answer says nothing of what the stream would tell
    assert state.word(111) == ("STALE 11s", "stale")
    state.doubted_at = 112
    assert state.word(115) == ("NO ANSWER 5s", "stale")
    state.told(116)
    assert state.word(117) == ("LIVE", "live")
    state.up, state.lost_at = False, 120
    assert state.word(167) == ("OFFLINE 0:47", "lost")


def plain(client: ScriptedClient, *lines: str, **options: bool) -> str:
    out = io.StringIO()
    PlainBoard(client, out=out, **options).run([f"{line}\n" for line in lines])  # type: ignore[arg-type]
    return out.getvalue()


class Narrow(io.StringIO):
    """A terminal of forty columns."""

    def isatty(self) -> bool:
        return True


def test_the_plain_board_breaks_its_lines_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    PlainBoard(ScriptedClient(), out=(out := Narrow())).run(["1\n", "help\n"])  # type: ignore[arg-type]
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(out.getvalue().split()) == " ".join(plain(ScriptedClient(), "1", "help").split())


def test_the_plain_board_speaks_in_sentences() -> None:
    said = plain(ScriptedClient(), "2", "help", "quit", "never")
    assert said.startswith("10 incidents, 1 breached, at 14:02:31 UTC.\n1. INC-118, critical, open, Acme Dental: ")
    assert "response breached by 4:12, with nobody, 14 alerts." in said
    assert "You can: assign, unassign" in said or "You can: " in said
    assert "13:58 note, maria: called ISP" in said
    assert "never" not in said
    assert "\x1b" not in said


def test_the_plain_board_acts_and_asks() -> None:
    client = ScriptedClient()
    said = plain(client, "ack 1", "resolve 2 rebooted it", "no", "resolve 2 rebooted it", "yes", "take 3", "undo 3")
    assert [call[0] for call in client.calls] == ["ack", "resolve", "assign", "undo"]
    assert client.calls[1][2]["note"] == "rebooted it"
    assert "Nothing done." in said
    assert "Acknowledged INC-118." in said


def test_the_plain_board_refuses_plainly() -> None:
    client = ScriptedClient()
    said = plain(client, "99", "dance 1", "filter bad:x", "filter", "INC-4711", read_only=True)
    assert said.count("Not done:") == 4
    assert "read only" in plain(client, "ack 1", read_only=True)
    client.down = True
    assert "siems up -d" in plain(client, "list")
