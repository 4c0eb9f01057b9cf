"""On call, the audit log and the inbox by their keys: what they show, what is asked first, and what is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from boards import audited, gap, schedule, shift
from driving import Session, opened
from scripted import NOW, ScriptedClient

from siems import errors, places, wire
from siems.tui import saved
from siems.tui.actions import DEEDS, EVERY, Where
from siems.tui.board_messages import Duty
from siems.tui.screens.audit import AuditScreen
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.choose import CopyMenu
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


# --- the audit log ----------------------------------------------------------------------------------------------


async def test_the_log_and_its_entry() -> None:
    async with opened(target="audit") as it:
        assert "48 211 entries in 2 chains" in it.screen
        assert "acme 48211" in it.screen
        assert '"taking Cedar"' in it.screen
        await it.press("j", "j", "j", "j", "j")
        assert "msp 210" in it.screen
        await it.press("enter")
        assert 'kept                     ["key", "secret"]' in it.screen
        await it.press("J", "J", "K", "escape")
        assert isinstance(it.app.screen, AuditScreen)


async def test_the_target_opens() -> None:
    async with opened(target="audit") as it:
        await it.press("j", "j", "o")
        assert isinstance(it.app.screen, DetailScreen)
        assert it.app.screen.ref == "INC-121"
        await it.press("q", "G", "o")
        assert "this entry is about user-sam, which is no incident" in it.screen


async def test_verifying_is_for_admins_and_names_the_break() -> None:
    async with opened(target="audit") as it:
        await it.press("V")
        assert "verify is for admins" in it.screen
    client = ScriptedClient()
    client.role = "admin"
    async with opened(client, target="audit") as it:
        await it.press("V")
        assert "CHAIN OK" in it.screen
        client.proof = wire.VerifyAnswer(ok=False, entries=48_211, chains=[wire.ChainState(
            chain="comp-acme", entries=48_001, head="", ok=False, seq=4_711, damage="deleted", explanation="after 4710",
        )])  # fmt: skip
        await it.press("V")
        assert "!! CHAIN BREAK  comp-acme at 4711: deleted" in it.screen
        assert "NOT whole" in it.screen


async def test_older_entries_come_when_the_reader_nears_the_end() -> None:
    client = ScriptedClient()
    client.trail = [audited(1_000 - n, n, "user-maria", "incident.noted", "INC-1") for n in range(700)]
    async with opened(client, target="audit") as it:
        assert "200+ read" in it.screen
        await it.press("G")
        await it.press("G")
        assert "700 read" in it.screen
        assert "700 rows, end of list" in it.screen


async def test_new_entries_push_the_old_ones_down_and_the_cursor_stays_on_its_own() -> None:
    async with opened(target="audit") as it:
        await it.press("j", "j")
        it.client.trail.insert(0, audited(48_212, 0, "user-jon", "incident.closed", "INC-71"))
        it.client.emit("incident.closed", "INC-71")
        await it.until("48212")
        assert "acme 48209" in it.screen
        await it.press("g")
        assert "acme 48212" in it.screen
        it.client.trail.insert(0, audited(48_213, 0, "user-jon", "incident.reopened", "INC-71"))
        it.client.emit("incident.reopened", "INC-71")
        await it.until("acme 48213")


async def test_a_filter_that_the_daemon_refuses_changes_nothing() -> None:
    async with opened(target="audit") as it:
        await it.press("slash")
        await it.write("actor:dana")
        await it.press("enter")
        assert "incident.started" not in it.screen
        await it.press("slash")
        await it.write(" bad:x")
        await it.press("enter")
        assert "there is no field 'bad'" in it.screen
        assert "filter: actor:dana" in it.screen
        await it.press("escape")
        assert "filter: none" in it.screen


async def test_undo_from_the_log_asks_the_daemon_about_that_incident() -> None:
    async with opened(target="audit") as it:
        await it.press("j", "u")
        assert it.acts == [("undo", "INC-101", {})]
        it.client.refuse = errors.Conflict("INC-97 cannot be undone any more", hint="siems incident show INC-97")
        await it.press("g", "u")
        assert "INC-97 cannot be undone any more" in it.screen
    async with opened(target="audit", read_only=True) as it:
        await it.press("j", "u")
        assert it.acts == []
        assert "read only" in it.screen


async def test_what_the_filter_shows_is_exported(home: Path) -> None:
    async with opened(target="audit") as it:
        await it.press("E")
        [file] = list((home / "state" / "exports").glob("audit-*.jsonl"))
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert [line["seq"] for line in lines][:2] == [48_211, 48_210]
        assert "7 lines written to" in it.screen


async def test_an_entry_is_copied() -> None:
    async with opened(target="audit") as it:
        await it.press("y")
        assert isinstance(it.app.screen, CopyMenu)
        await it.press("c")
        assert "copied: siems audit show acme:48211" in it.screen


# --- the inbox --------------------------------------------------------------------------------------------------


async def test_reading_and_why() -> None:
    async with opened(target="inbox") as it:
        assert "2 unread  3 in all" in it.screen
        assert "because the escalation policy default, step 1" in it.screen
        assert "email    m...@msp.example" in it.screen
        await it.press("m")
        assert "1 unread" in it.screen
        assert "[8 Inbox(1)]" in it.screen
        await it.press("M")
        assert "0 unread" in it.screen


async def test_unread_ones_only_and_a_read_one_stays_until_it_is_left() -> None:
    async with opened(target="inbox") as it:
        await it.press("f")
        assert "INC-71" not in it.screen
        await it.press("j", "m")
        assert "INC-109" in it.screen
        await it.press("k")
        assert "INC-109" not in it.screen
        await it.press("M", "f", "f")
        assert "Nothing unread." in it.screen


async def test_opening_reads_it_but_not_where_nothing_may_change() -> None:
    async with opened(target="inbox") as it:
        await it.press("enter")
        assert isinstance(it.app.screen, DetailScreen)
        await it.press("q")
        assert "1 unread" in it.screen
    async with opened(target="inbox", read_only=True) as it:
        await it.press("enter", "q", "m", "M")
        assert "2 unread" in it.screen


async def test_a_notice_that_comes_is_there_at_once() -> None:
    async with opened(target="inbox") as it:
        it.client.notices.insert(0, wire.NoticeView(
            id=9, at=NOW, kind="incident.escalated", subject="INC-102 escalated to you", object="INC-102",
            company_id="comp-delta", read=False,
        ))  # fmt: skip
        it.client.stream.put({
            "cursor": "3", "at": NOW.isoformat(), "type": "notice.created", "company_id": "comp-delta",
            "object": "INC-102", "data": {"event": "incident.escalated"},
        })  # fmt: skip
        await it.until("escalated to you")
        await it.until("3 unread")


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
           Where.CHAINS: "policies"}  # fmt: skip


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
            if where not in deed.where or deed.id == "quit" or (deed.where == EVERY and where is not Where.BOARD):
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
