"""The audit log and the inbox by their keys: what they show, what is asked for, and what is sent."""

from __future__ import annotations

import json
from pathlib import Path

from boards import audited
from driving import opened
from scripted import NOW, ScriptedClient

from siems import errors, wire
from siems.tui.screens.audit import AuditScreen
from siems.tui.screens.choose import CopyMenu
from siems.tui.screens.detail import DetailScreen

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


async def test_what_was_read_is_let_go_at_the_top_and_read_again_below() -> None:
    client = ScriptedClient()
    client.trail = [audited(1_000 - n, n, "user-maria", "incident.noted", "INC-1") for n in range(900)]

    async def comes(number: int) -> None:
        client.trail.insert(0, audited(number, 0, "user-jon", "incident.closed", "INC-71"))
        client.emit("incident.closed", "INC-71")

    async with opened(client, target="audit") as it:
        for _ in range(4):
            await it.press("G")
        await it.until("900 rows, end of list")
        await comes(1_001)
        await it.until("901 rows, end of list")
        await it.press("g")
        await comes(1_002)
        await it.until("200+ read")
        for _ in range(4):
            await it.press("G")
        await it.until("902 rows, end of list")


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
