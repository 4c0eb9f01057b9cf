"""The ways between the screens, and the on-call board: what it shows, what is asked first, and what is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from boards import gap, schedule, shift
from driving import opened
from scripted import NOW, ScriptedClient

from siems import errors
from siems.tui.board_messages import Duty
from siems.tui.looks import flow, width_of
from siems.tui.screens.audit import AuditScreen
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.form import Form
from siems.tui.screens.inbox import InboxScreen
from siems.tui.screens.oncall import OncallScreen
from siems.tui.screens.tables import BriefWindow, SwapsWindow, WhoWindow

# --- going there and back ---------------------------------------------------------------------------------------


async def test_digits_go_to_a_screen_and_q_goes_back() -> None:
    async with opened() as it:
        for key, kind in (("4", OncallScreen), ("7", AuditScreen), ("8", InboxScreen)):
            await it.press(key)
            assert isinstance(it.app.screen, kind)
        await it.press("4")
        assert isinstance(it.app.screen, OncallScreen)
        assert len(it.app.places()) == 2
        await it.press("7", "q")
        assert isinstance(it.app.screen, OncallScreen)
        await it.press("1")
        assert isinstance(it.app.screen, BoardScreen)


@pytest.mark.parametrize(
    ("target", "kind"),
    [("oncall", OncallScreen), ("audit", AuditScreen), ("inbox", InboxScreen), ("INC-121", DetailScreen)],
)
async def test_deep_links_begin_there(target: str, kind: type) -> None:
    async with opened(target=target) as it:
        assert isinstance(it.app.screen, kind)
        assert "reading" not in it.screen


async def test_a_deep_link_carries_a_filter() -> None:
    async with opened(target="audit?actor:dana") as it:
        assert "filter: actor:dana" in it.screen
        assert "actor:dana" in it.client.queries
        assert "integration.rotated" in it.screen
        assert "incident.started" not in it.screen
    async with opened(target="incidents?#cedar") as it:
        assert "INC-97" in it.screen
        assert "INC-118" not in it.screen


async def test_a_view_lies_under_the_incident_that_a_deep_link_opens() -> None:
    async with opened(target="INC-121", under="#borealis") as it:
        assert isinstance(it.app.screen, DetailScreen)
        assert it.app.screen.ref == "INC-121"
        await it.press("q")
        assert "filter: #borealis" in it.screen
        assert "INC-118" not in it.screen


async def test_long_lines_about_a_schedule_go_on_under_themselves() -> None:
    why = "a concert of the children, and then the long way home over the mountains"
    line = [("override  ", "dim"), ("Maria", "bold"), (f'  Sat 14:00 to Sun 18:00  "{why}"', ""), ("  OVR-1", "dim")]
    parts = flow(line, 60)
    assert len(parts) == 3
    assert all(width_of(part) <= 60 for part in parts)
    said = " ".join("".join(text for text, _ in part).strip() for part in parts)
    assert said.split() == "".join(text for text, _ in line).split()
    assert ("Maria", "bold") in parts[0]
    assert flow(line, 200) == [line]
    assert all(width_of(part) <= 20 for part in flow([("x" * 90, "bold")], 20))


async def test_the_session_is_restored_where_it_was_left() -> None:
    async with opened() as it:
        await it.press("7")
        it.app.keep()
    async with opened() as it:
        assert isinstance(it.app.screen, AuditScreen)
        await it.press("1")
        it.app.keep()
    async with opened() as it:
        assert isinstance(it.app.screen, BoardScreen)


async def test_commands_of_the_shell_go_there_too() -> None:
    async with opened() as it:
        for typed, kind in (("oncall who", OncallScreen), ("audit list", AuditScreen), ("notify inbox", InboxScreen)):
            await it.press("colon")
            await it.write(typed)
            await it.press("enter")
            assert isinstance(it.app.screen, kind)
        await it.press("colon")
        await it.write("audit actor:dana")
        await it.press("enter")
        assert "filter: actor:dana" in it.screen
        await it.press("colon")
        await it.write("handoff")
        await it.press("enter")
        assert isinstance(it.app.screen, BriefWindow)


# --- on call ----------------------------------------------------------------------------------------------------


async def test_who_is_on_call_and_who_is_missing() -> None:
    async with opened(target="oncall") as it:
        assert "maria till 18:00" in it.screen
        assert "! cedar" in it.screen
        assert "NOBODY till 18:00" in it.screen
        assert "1 without anybody now" in it.screen
        assert "covered  somebody is on call" in it.screen
        await it.press("j", "j")
        assert "! nobody 14:00 to 18:00 (4h00m), and 1 gap more in 14 days" in it.screen


async def test_days_and_weeks_turn() -> None:
    async with opened(target="oncall") as it:
        assert "Tue 10" in it.screen
        await it.press("l")
        assert "from Wed 11 Mar" in it.screen
        await it.press("right_square_bracket", "left")
        assert "from Tue 17 Mar" in it.screen
        await it.press("left_square_bracket", "h", "h")
        assert "from Tue 10 Mar" in it.screen
        for _ in range(6):
            await it.press("right_square_bracket")
        assert "from Tue 07 Apr" in it.screen


async def test_bars_end_where_shifts_do_on_a_day_of_23_hours() -> None:
    """On the night of 29 March an hour is missing in Berlin: midnight stays where a day begins."""
    async with opened(target="oncall") as it:
        it.app.set_zone("Europe/Berlin")
        berlin = it.app.zone
        ends = NOW.replace(hour=0, minute=0, second=0).astimezone(berlin).replace(day=31, month=3, hour=0)
        day = shift("x", "maria", NOW, (ends - NOW).total_seconds() / 3600)
        it.client.duty = Duty(schedules=[schedule("x", [day, shift("x", "jon", ends, 100)])])
        it.app.oncall_screen.read()
        await it.settle()
        await it.press("right_square_bracket", "right_square_bracket", "l", "l", "l", "l")
        header = next(line for line in it.screen.splitlines() if "Sun 29" in line)
        bar = next(line for line in it.screen.splitlines() if "|jon" in line)
        assert header.index("Tue 31") == bar.index("|jon")


async def test_an_override_is_asked_for_and_sent_once() -> None:
    async with opened(target="oncall") as it:
        await it.press("i")
        assert isinstance(it.app.screen, Form)
        assert "every client" not in it.screen
        await it.write("4h")
        await it.press("enter", "y")
        assert [call[:2] for call in it.acts] == [("override", "sch-default")]
        said = it.acts[0][2]
        assert (said["user"], said["ends_at"]) == ("@me", "2026-03-10T18:02:35+00:00")
        assert "starts_at" not in said or said["starts_at"] is None
        assert "@me stands in on default" in it.screen
        await it.press("at")
        assert "siems oncall override add --schedule sch-default --user @me" in it.screen


async def test_an_override_that_begins_later_lasts_from_then_on() -> None:
    async with opened(target="oncall") as it:
        await it.press("i", "escape", "f")
        await it.write("Thu 08:00")
        await it.press("enter")
        await it.write("4h")
        await it.press("enter", "y")
        said = it.acts[0][2]
        assert said["starts_at"] == "2026-03-12T08:00:00+00:00"
        assert said["ends_at"] == "2026-03-12T12:00:00+00:00"


async def test_enter_and_escape_never_send_and_nonsense_is_told() -> None:
    async with opened(target="oncall") as it:
        await it.press("i")
        await it.write("soon")
        await it.press("enter", "enter")
        assert "until: 14:00, Tue 14:00" in it.screen
        await it.press("escape", "y")
        assert it.acts == []
        await it.press("escape")
        assert isinstance(it.app.screen, OncallScreen)
        assert it.acts == []


async def test_a_refusal_is_told_with_its_way_out() -> None:
    async with opened(target="oncall") as it:
        it.client.refuse = errors.Conflict("OVR-3 is there already", hint="siems oncall override list")
        await it.press("i")
        await it.write("4h")
        await it.press("enter", "y")
        assert "OVR-3 is there already  siems oncall override list" in it.screen


async def test_a_swap_is_asked_for() -> None:
    async with opened(target="oncall") as it:
        await it.press("x")
        await it.write("jon")
        await it.press("enter")
        await it.write("2026-03-14")
        await it.press("enter", "y")
        assert it.acts == [("swap", "sch-default", {"other": "jon", "mine": "2026-03-14"})]


@pytest.mark.parametrize(("key", "verb"), [("y", "accept"), ("n", "decline")])
async def test_a_swap_is_answered(key: str, verb: str) -> None:
    async with opened(target="oncall") as it:
        await it.press("p")
        assert isinstance(it.app.screen, SwapsWindow)
        assert "jon gives Wed 18:00-Thu 06:00 to maria" in it.screen
        await it.press("enter")
        assert it.acts == []
        await it.press(key)
        assert it.acts == [(verb, "SWP-7", {})]


async def test_the_brief_is_read_and_accepted_by_y_alone() -> None:
    async with opened(target="oncall") as it:
        await it.press("b")
        assert isinstance(it.app.screen, BriefWindow)
        assert "call the ISP at nine" in it.screen
        await it.press("enter", "v")
        assert it.acts == []
        await it.press("y")
        assert it.acts == [("accept", "sch-default", {})]


async def test_who_would_be_paged() -> None:
    async with opened() as it:
        await it.press("w")
        assert isinstance(it.app.screen, WhoWindow)
        assert "Priya Nair" in await it.until("managers of the client")
        assert it.client.asked[-1] == {"company": "comp-acme", "severity": "CRITICAL"}
    async with opened(size=(120, 40), target="oncall") as it:
        assert "WHO WOULD BE PAGED  for a CRITICAL of Acme Dental" in it.screen


async def test_a_calendar_is_written_for_its_owner_only(home: Path) -> None:
    async with opened(target="oncall") as it:
        await it.press("E")
        [file] = list((home / "state" / "exports").glob("sch-default-*.ics"))
        assert file.read_text().startswith("BEGIN:VCALENDAR")
        assert file.stat().st_mode & 0o077 == 0


async def test_nothing_is_asked_of_a_lost_daemon_and_what_is_known_stays() -> None:
    async with opened(target="oncall") as it:
        it.client.lose()
        await it.until("DAEMON LOST")
        assert "maria till 18:00" in it.screen
        await it.press("i")
        assert "override needs the daemon" in it.screen
        assert isinstance(it.app.screen, OncallScreen)


async def test_without_a_schedule_it_says_what_happens_then() -> None:
    client = ScriptedClient()
    client.duty = Duty()
    async with opened(client, target="oncall") as it:
        assert "There is no schedule yet" in it.screen
        assert "siems oncall schedule create" in it.screen
        await it.press("i", "x", "p", "b", "y", "j", "E")
        assert it.acts == []


async def test_many_schedules_scroll_and_keep_the_cursor() -> None:
    client = ScriptedClient()
    many = [schedule(f"rota-{n:02}", [shift(f"rota-{n:02}", "maria", NOW, 5)], [gap("x", NOW, 1)]) for n in range(40)]
    client.duty = Duty(schedules=many)
    async with opened(client, target="oncall") as it:
        await it.press("G")
        assert "> rota-39" in it.screen
        client.duty.schedules = [schedule("new", [shift("new", "sam", NOW, 5)]), *many]
        it.app.oncall_screen.read()
        await it.settle()
        assert "> rota-39" in it.screen
