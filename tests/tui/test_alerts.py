"""The alert stream by its keys: following, pausing, freezing, filtering, bodies, and the way to the incident."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from driving import Session, opened
from scripted import NOW, ScriptedClient
from streamed import arrival

from siems import errors
from siems.tui import saved
from siems.tui.screens.alerts import AlertsScreen
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.books import Help
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.inbox import InboxScreen
from siems.tui.screens.logs import CommandLog
from siems.tui.screens.palette import Palette


def many(count: int) -> ScriptedClient:
    client = ScriptedClient()
    client.arrived = [arrival(n, count - n, text=f"text {n}") for n in range(count, 0, -1)]
    return client


def at(it: Session) -> str:
    return it.app.arrivals.cursor or ""


async def comes(it: Session, number: int, **fields: object) -> None:
    row = arrival(number, 0, text=f"fresh {number}", **fields)
    it.client.comes(row)
    for _ in range(100):
        if it.app.arrivals.latest == row.cursor:
            break
        await it.pilot.pause(0.02)
    await it.settle()


async def test_it_opens_on_what_came_last() -> None:
    async with opened(target="alerts") as it:
        assert isinstance(it.app.screen, AlertsScreen)
        for text in ("[2 Alerts]", "FOLLOWING", "ICMP unreachable", "→ INC-118", "tunnel down x4", "silenced", "waits",
                     "new 6/min", "peak 10", "repeats 59%", "nothing older is kept"):  # fmt: skip
            assert text in it.screen


async def test_nothing_is_asked_for_while_nobody_looks() -> None:
    async with opened() as it:
        it.client.comes(arrival(40, 0))
        await it.settle()
        assert it.client.asked == []
        await it.press("2")
        assert len(it.client.asked) == 1


async def test_what_comes_is_on_top_at_once() -> None:
    async with opened(target="alerts") as it:
        await comes(it, 34, severity="CRITICAL")
        assert "fresh 34" in it.screen
        assert at(it) == "e34"
        assert it.client.asked[-1] == {"query": "", "cursor": "", "after": "e33"}
        await comes(it, 35, kind="refused", detail="bad HMAC")
        assert "rej Acme Dental  generic   203.0.113.9" in it.screen


async def test_moving_pauses_and_f_follows() -> None:
    async with opened(target="alerts") as it:
        await it.press("j", "down")
        assert at(it) == "e31"
        assert "PAUSED (f)" in it.screen
        for number in (34, 35, 36):
            await comes(it, number)
        assert (at(it), it.app.arrivals.newer) == ("e31", 2)  # one of the three is in sight
        await it.press("k", "up")
        assert at(it) == "e33"
        await it.press("G")
        assert at(it) == "e22"
        await it.press("home")
        assert at(it) == "e36"
        await comes(it, 37)
        assert at(it) == "e36"
        await it.press("f")
        assert at(it) == "e37"
        assert "FOLLOWING" in it.screen


async def test_newer_ones_are_counted_while_paused() -> None:
    async with opened(many(60), target="alerts") as it:
        await it.press("pagedown")
        seen = [line for line in it.screen.splitlines() if " text " in line]
        await comes(it, 61)
        await comes(it, 62)
        assert "PAUSED (f)  ^2 newer" in it.screen
        assert [line for line in it.screen.splitlines() if " text " in line] == seen
        await it.press("pageup", "g")
        assert "newer" not in it.screen.splitlines()[2]
        await it.press("end", "G", "pagedown")
        assert at(it) == "e1"


async def test_z_freezes_and_goes_on() -> None:
    async with opened(target="alerts") as it:
        await it.press("z")
        await comes(it, 34)
        await comes(it, 35)
        assert "FROZEN (z)  ^2 newer" in it.screen
        assert "fresh" not in it.screen
        await it.press("z")
        assert "FOLLOWING" in it.screen
        assert "fresh 35" in it.screen
        assert "fresh 34" in it.screen


async def test_older_ones_are_read_on_the_way_down() -> None:
    async with opened(many(1_500), target="alerts") as it:
        assert len(it.app.arrivals) == 200
        await it.press("G")
        assert it.client.asked[-1]["cursor"] == "e1301"
        assert len(it.app.arrivals) == 1_200
        await it.press("G", "G")
        assert at(it) == "e1"
        assert "nothing older is kept" in it.screen
        assert len(it.client.asked) == 3


async def test_the_filter_asks_the_daemon_and_is_kept() -> None:
    async with opened(target="alerts") as it:
        await it.press("slash")
        await it.write("tunnel")
        await it.press("enter")
        assert it.client.asked[-1]["query"] == "tunnel"
        assert "filter: tunnel" in it.screen
        assert "2 rows" in it.screen
        await comes(it, 34)
        assert it.client.asked[-1] == {"query": "tunnel", "cursor": "", "after": "e29"}
        it.app.keep()
        assert saved.load(it.client.url).stream_filter == "tunnel"
        assert it.app.saved.filter == ""
        await it.press("slash")
        await it.write(" bad:1")
        await it.press("enter")
        assert "there is no field 'bad'" in it.screen
        assert "filter: tunnel" in it.screen
        await it.press("escape")
        assert "filter: none" in it.screen
        assert "13 rows" in it.screen


async def test_a_filter_that_nothing_matches() -> None:
    async with opened(target="alerts") as it:
        await it.press("colon")
        await it.write("filter nothing like this")
        await it.press("enter")
        assert "Nothing that arrived matches this filter." in it.screen
        for key in ("j", "k", "G", "g", "e", "E", "enter", "o", "J", "K", "f", "z", "z", "d", "d"):
            await it.press(key)
        await it.press("y")
        assert "nothing is selected" in it.screen


async def test_one_and_two_switch_and_keep_both() -> None:
    async with opened() as it:
        await it.press("j", "2", "j", "j", "enter")
        assert "[2 Alerts]" in it.screen
        await it.press("1")
        assert isinstance(it.app.screen, BoardScreen)
        assert "[1 Incidents]" in it.screen
        assert it.cursor == "INC-121"
        await it.press("enter", "2")
        assert at(it) == "e31"
        assert "body of ALR-31" in it.screen
        await it.press("o", "2")
        assert isinstance(it.app.screen, AlertsScreen)
        await it.press("2", "1", "1")
        assert isinstance(it.app.screen, BoardScreen)
        await it.press("2", "q", "q")
        assert isinstance(it.app.screen, BoardScreen)


async def test_what_came_while_one_was_away_is_there_on_return() -> None:
    async with opened(target="alerts") as it:
        await it.press("1")
        it.client.arrived.insert(0, arrival(34, 0, text="meanwhile"))
        await it.press("2")
        assert "meanwhile" in it.screen


@pytest.mark.parametrize(
    ("typed", "query"), [("alerts", ""), ("alerts severity:CRITICAL", "severity:CRITICAL"), ("alert list", "")]
)
async def test_the_palette_goes_there(typed: str, query: str) -> None:
    async with opened() as it:
        await it.press("colon")
        await it.write(typed)
        await it.press("enter")
        assert isinstance(it.app.screen, AlertsScreen)
        assert it.app.arrivals.query == query


async def test_commands_here_are_about_the_stream() -> None:
    async with opened(target="alerts") as it:
        await it.press("colon")
        await it.write("co borealis")
        await it.press("enter")
        assert it.app.arrivals.query == "#borealis"
        await it.press("colon")
        await it.write("ack")
        await it.press("enter")
        assert it.acts == []
        assert "ack belongs to the board and detail" in it.screen


async def test_windows_zone_pane_and_leaving() -> None:
    async with opened(target="alerts") as it:
        for key, kind in (
            ("question_mark", Help),
            ("at", CommandLog),
            ("8", InboxScreen),
            ("colon", Palette),
            ("ctrl+p", Palette),
        ):
            await it.press(key)
            assert isinstance(it.app.screen, kind)
            await it.press("escape")
        await it.press("d")
        assert "signature ICMP" not in it.screen
        await it.press("d")
        assert "signature ICMP" in it.screen
        await it.press("T", "u")
        assert "nothing to undo" in it.screen
        asked = len(it.client.asked)
        await it.press("ctrl+r")
        await it.settle()
        assert len(it.client.asked) > asked
        await it.press("Q")
        assert it.app.return_code == 0


async def test_another_day_is_named() -> None:
    client = ScriptedClient()
    client.arrived = [arrival(2, 0), arrival(1, 86_400)]
    async with opened(client, target="alerts") as it:
        assert " Mo 14:02 ME" in it.screen


async def test_a_storm_between_two_answers_cuts_the_list_off() -> None:
    async with opened(target="alerts") as it:
        it.client.arrived[:0] = [arrival(n, 0, text=f"storm {n}") for n in range(3_000, 40, -1)]
        await comes(it, 3_001)
        assert (len(it.app.arrivals), it.app.arrivals.older) == (1_000, "e2002")
        await it.press("j")
        it.client.arrived[:0] = [arrival(n, 0, text=f"storm {n}") for n in range(6_000, 3_001, -1)]
        await comes(it, 6_001)
        assert "^1000+ newer" in it.screen
        await it.press("f")
        assert at(it) == "e6001"


async def test_a_lost_daemon_keeps_what_is_there() -> None:
    async with opened(target="alerts") as it:
        it.client.lose()
        await it.until("DAEMON LOST")
        await it.press("j", "enter", "slash")
        await it.write("x")
        await it.press("enter")
        assert "a filter needs the daemon" in it.screen
        assert "ICMP unreachable" in it.screen
        it.client.down = False
        it.client.arrived.insert(0, arrival(34, 0, text="while it was gone"))
        await it.press("ctrl+r")
        await it.until("LIVE")
        await it.press("f")
        await it.until("while it was gone")


async def test_another_database_behind_the_daemon_is_a_fresh_start() -> None:
    async with opened(target="alerts") as it:
        whole = it.client.arrivals

        def gone(query: str = "", **how: object) -> dict[str, object]:
            if how.get("after"):
                raise errors.CursorGone("nothing was ever numbered like this cursor")
            return whole(query, **how)  # type: ignore[arg-type]

        it.client.arrivals = gone  # type: ignore[assignment]
        it.client.arrived = [arrival(1, 0, text="restored")]
        it.app.catch_up()
        await it.until("restored")
        assert at(it) == "e1"


async def test_a_window_of_mouse_moves() -> None:
    async with opened(many(100), target="alerts") as it:
        stream = it.app.alerts_screen.query_one("#stream")
        await it.pilot.click(stream, offset=(10, 4))
        await it.settle()
        assert at(it) == "e96"
        stream.post_message(type(stream).Wheeled(30))
        await it.settle()
        assert "PAUSED" in it.screen
        assert it.app.arrivals.top == 30
        await it.pilot.click(stream, offset=(10, 2), times=2)
        await it.settle()
        assert "body of ALR-68" in it.screen


async def test_small_and_slow_terminals() -> None:
    async with opened(size=(40, 12), target="alerts") as it:
        assert "ICMP unr" in it.screen
        assert "signature" not in it.screen.replace("signature: ", "")
        await it.press("enter", "j", "q")
    async with opened(size=(120, 40), target="alerts", low_bandwidth=True) as it:
        assert "log scale" not in it.screen


async def test_an_incident_that_came_later_is_the_alerts() -> None:
    client = ScriptedClient()
    waiting = arrival(1, 5)
    assert waiting.alert is not None
    later = msgspec.structs.replace(waiting.alert, incident_id="INC-121", last_seen_at=NOW - timedelta(seconds=1))
    client.arrived = [msgspec.structs.replace(waiting, alert=later)]
    async with opened(client, target="alerts") as it:
        assert "→ INC-121" in it.screen
        await it.press("o")
        assert isinstance(it.app.screen, DetailScreen)
