"""Tickets as people see them on both sides, with a daemon and a ticket system that are real enough."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from siems.clock import ManualClock
from siems.services import ticket_accounts, ticket_inbound, ticket_jobs
from tickets.jira import STRICT, JiraSystem
from tickets.snow import SnowSystem

from .ticketing import Desk, open_desk


@pytest_asyncio.fixture
async def desk(database_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    """Jira Cloud, on both databases."""
    async with open_desk(database_url, clock) as made:
        yield made


@pytest_asyncio.fixture
async def small(file: str, clock: ManualClock) -> AsyncIterator[Desk]:
    """For what is not about databases."""
    async with open_desk(file, clock) as made:
        yield made


@pytest_asyncio.fixture(params=["jira", "jira-server", "servicenow"])
async def any_desk(request: pytest.FixtureRequest, file: str, clock: ManualClock) -> AsyncIterator[Desk]:
    """Each system."""
    async with open_desk(file, clock, request.param) as made:
        yield made


# --- out -------------------------------------------------------------------------------------------------------


async def test_a_grave_incident_gets_a_ticket_and_shows_it(any_desk: Desk) -> None:
    desk = any_desk
    await desk.add()
    assert await desk.alert("medium", "slow_disk") == "INC-1"
    assert await desk.alert("high") == "INC-2"
    await desk.settle()
    issue = desk.system.only
    title = issue.fields.get("summary") or issue.fields["short_description"]
    assert title.startswith("INC-2 HIGH: ")
    detail = await desk.must("root", "GET", "/incidents/INC-2")
    assert [(k["key"], k["url"].startswith(desk.system.url)) for k in detail["tickets"]] == [(issue.key, True)]
    assert (await desk.must("root", "GET", "/incidents/INC-1"))["tickets"] == []
    assert any(f"{issue.key} was opened in {desk.kind}" in line for line in await desk.story("INC-2"))
    assert (await desk.ticket())["waiting"] == 0


async def test_what_is_done_here_is_told_there_in_order_and_once(any_desk: Desk) -> None:
    desk = any_desk
    await desk.add()
    ref = await desk.alert()
    await desk.act(ref, "start")
    await desk.act(ref, "note", note="looking at the array")
    await desk.act(ref, "resolve", note="replaced the disk", cause="disk")
    await desk.settle()
    texts = [text.split("\n")[0] for text in desk.system.texts()]
    assert texts == ["dana: looking at the array", "dana resolved this: replaced the disk (cause: disk)"]
    assert desk.system.only.status in ("Done", "6")
    for _ in range(3):
        await desk.poll()
    assert len(desk.system.texts()) == 2
    assert [line for line in await desk.story() if "siems:" in line] == []
    assert (await desk.incident())["state"] == "RESOLVED"


async def test_notes_go_out_as_the_account_says(small: Desk) -> None:
    await small.add(comments="public")
    ref = await small.alert()
    await small.act(ref, "note", note="internal")
    await small.act(ref, "note", note="for the client", public=True)
    await small.settle()
    assert [c.text.split("\n")[0] for c in small.system.only.comments] == ["dana: for the client"]
    assert small.system.only.comments[0].public


async def test_an_undo_stops_what_has_not_gone_out(small: Desk) -> None:
    await small.add()
    ref = await small.alert()
    await small.settle()
    await small.act(ref, "note", note="wrong window", undoable=True)
    await small.settle()
    await small.act(ref, "undo")
    small.passes(seconds=30)
    await small.settle()
    assert small.system.texts() == []
    await small.act(ref, "note", note="right window", undoable=True)
    small.passes(seconds=11)
    await small.settle()
    assert len(small.system.texts()) == 1


async def test_rules_decide_and_a_hand_decides_otherwise(small: Desk) -> None:
    await small.add(min_severity="CRITICAL", categories=["disk"], at_state="ASSIGNED")
    first = await small.alert("critical", "disk_full")
    other = await small.alert("critical", "high_cpu", asset_name="web-2")
    await small.settle()
    assert small.system.issues == {}
    await small.act(other, "ack")
    await small.act(first, "ack")
    await small.settle()
    assert small.system.only.fields["summary"].startswith(first)
    done = await small.must("dana", "POST", f"/incidents/{other}/tickets", {})
    assert done["changed"]
    again = await small.must("dana", "POST", f"/incidents/{other}/tickets", {})
    assert not again["changed"]
    await small.settle()
    assert len(small.system.issues) == 2


async def test_severity_that_rises_makes_the_ticket_or_lifts_its_priority(small: Desk) -> None:
    await small.add()
    ref = await small.alert("medium")
    await small.settle()
    assert small.system.issues == {}
    assert await small.alert("high", dedup_key="x") == ref
    await small.settle()
    assert small.system.only.fields["priority"] == {"name": "High"}
    assert await small.alert("critical", dedup_key="y") == ref
    await small.settle()
    assert small.system.only.fields["priority"] == {"name": "Highest"}


async def test_what_comes_back_soon_goes_on_in_its_old_ticket_and_late_in_a_linked_one(desk: Desk) -> None:
    await desk.add(reopen_within_seconds=3_600)
    await desk.act(await desk.alert(), "resolve", note="fixed")
    await desk.settle()
    desk.passes(minutes=45)  # too late for the incident to reopen, not for its ticket
    assert await desk.alert() == "INC-2"
    await desk.settle()
    assert desk.system.only.status == "To Do"
    assert any("came back as INC-2" in text for text in desk.system.texts())
    assert (await desk.ticket())["incident_id"] == "INC-2"
    await desk.act("INC-2", "resolve", note="fixed again")
    await desk.settle()
    desk.passes(hours=3)
    assert await desk.alert() == "INC-3"
    await desk.settle()
    first, second = desk.system.issues.values()
    assert (first.status, second.status) == ("Done", "To Do")
    assert second.links == [first.key]


async def test_a_ticket_that_is_there_is_linked_and_neither_side_changes(any_desk: Desk) -> None:
    desk = any_desk
    await desk.add(create="never")
    ref = await desk.alert()
    issue = desk.system.make()  # type: ignore[attr-defined]
    desk.system.write("said long before", issue=issue)
    desk.passes(minutes=5)
    done = await desk.must("dana", "POST", f"/incidents/{ref}/tickets", {"key": issue.key})
    assert (done["ticket"]["key"], done["changed"]) == (issue.key, True)
    await desk.settle()
    await desk.poll()
    assert [text for text in await desk.story() if "long before" in text] == []
    assert any("Linked with INC-1 by dana" in text for text in desk.system.texts())
    assert (await desk.incident())["state"] == "OPEN"
    missing = await desk.house.ask("dana", "POST", f"/incidents/{ref}/tickets", {"key": "OPS-999"})
    assert missing.status == 422
    other = await desk.alert("low", "other_thing", asset_name="elsewhere")
    taken = await desk.house.ask("dana", "POST", f"/incidents/{other}/tickets", {"key": issue.key})
    assert (taken.status, "INC-1" in taken.json()["detail"]) == (409, True)


# --- in --------------------------------------------------------------------------------------------------------


async def test_a_comment_there_is_a_note_here_once_and_as_its_author(any_desk: Desk) -> None:
    desk = any_desk
    await desk.add()
    ref = await desk.alert()
    await desk.settle()
    desk.passes(minutes=1)
    who = "dana@msp.example" if desk.kind == "servicenow" else "dana"
    desk.system.write("the vendor comes at three", who)
    desk.system.write("I am nobody's colleague", "a.stranger")
    for _ in range(3):
        await desk.poll()
    lines = [line for line in await desk.story(ref) if "vendor" in line or "nobody" in line]
    assert len(lines) == 2
    entries = {entry["actor"] for entry in await desk.audited("ticket.commented")}
    assert any("dana" in actor for actor in entries)
    assert any("ticket:" in actor for actor in entries)
    vias = {row.via for row in await desk.rows("SELECT via FROM audit_entry WHERE action = 'ticket.commented'")}
    assert vias == {"ticket"}
    assert len(desk.system.texts()) == 2


async def test_what_is_resolved_and_reopened_there_is_so_here(any_desk: Desk) -> None:
    desk = any_desk
    await desk.add()
    await desk.alert()
    await desk.settle()
    desk.passes(minutes=2)
    done, open_ = ("6", "1") if isinstance(desk.system, SnowSystem) else ("Done", "To Do")
    desk.system.only.fields["close_notes"] = "swapped the disk"
    desk.system.move(done, "a.stranger")
    await desk.poll()
    found = await desk.incident()
    assert found["state"] == "RESOLVED"
    assert found["acknowledged_at"] is None  # a machine's word is no ack
    desk.passes(minutes=2)
    desk.system.move(open_, "a.stranger")
    await desk.poll()
    assert (await desk.incident())["state"] == "OPEN"
    assert desk.system.only.status == open_


async def test_somebody_who_is_known_starts_it_there_and_owns_it_here(small: Desk) -> None:
    await small.add()
    await small.alert()
    await small.settle()
    small.passes(minutes=2)
    small.system.move("In Progress", "dana")
    await small.poll()
    found = await small.incident()
    assert (found["state"], found["assignee"]) == ("IN_PROGRESS", "user-dana")
    assert small.system.only.history[-1][1] == "dana"  # nothing was pushed back


async def test_work_of_a_stranger_is_told_and_takes_nobodys_place(small: Desk) -> None:
    await small.add()
    await small.alert()
    await small.settle()
    small.passes(minutes=2)
    small.system.move("In Progress", "a.stranger")
    for _ in range(3):
        await small.poll()
    assert (await small.incident())["state"] == "OPEN"
    assert small.system.only.status == "In Progress"
    assert sum("to In Progress" in line for line in await small.story()) == 1


@pytest.mark.parametrize(("minutes", "winner"), [(0.5, "siems"), (5, "ticket")])
async def test_a_conflict_has_a_winner_who_is_named(desk: Desk, minutes: float, winner: str) -> None:
    await desk.add()
    await desk.alert()
    await desk.settle()
    await desk.must("root", "PATCH", f"/ticket-accounts/{desk.account}", {"paused": True})
    desk.passes(minutes=10)
    await desk.act("INC-1", "start")
    desk.passes(minutes=minutes)
    desk.system.move("Done", "maria")
    # what was done there is read before what was done here has been told
    runtime = desk.house.runtime
    found = await runtime.database.read(ticket_accounts.find_account, desk.account, desk.house.root)
    remote = await (await runtime.ticketing.system(found)).read(desk.system.only.id)
    await desk.house.do(ticket_inbound.take, 1, remote, runtime.ticketing.tag, companies=("comp-acme",))
    await desk.must("root", "PATCH", f"/ticket-accounts/{desk.account}", {"paused": False})
    await desk.settle()
    await desk.poll()
    state = (await desk.incident())["state"]
    assert (state, desk.system.only.status) == (
        ("IN_PROGRESS", "In Progress") if winner == "siems" else ("RESOLVED", "Done")
    )
    told = [line for line in await desk.story() if "both were changed" in line]
    assert len(told) == 1
    assert ("INC-1 won" if winner == "siems" else "the ticket won") in told[0]
    assert len(await desk.audited("ticket.conflict")) == 1


async def test_the_turn_of_the_account_reads_by_itself(small: Desk) -> None:
    await small.add(poll_seconds=60)
    turn = small.house.clock.now() + timedelta(seconds=60)
    await small.alert()
    await small.settle()
    assert await small.house.runtime.database.read(ticket_jobs.next_at) == turn  # nobody sleeps beyond it
    small.passes(seconds=30)
    small.system.write("hello")
    await small.house.runtime.scheduler.tick()
    await small.settle()
    assert not any("hello" in line for line in await small.story())
    small.passes(seconds=31)
    await small.house.runtime.scheduler.tick()
    await small.settle()
    assert any("hello" in line for line in await small.story())


async def test_a_webhook_makes_it_read_at_once_and_its_body_is_not_believed(desk: Desk) -> None:
    made = await desk.add(webhook=True)
    path = made["webhook_url"].removeprefix("http://here")
    await desk.alert()
    await desk.settle()
    desk.passes(minutes=1)
    desk.system.write("see the log")
    reply = await desk.house.send("POST", path, body=b'{"issue": {"fields": {"status": "Closed"}}}')
    assert (reply.status, reply.body) == (204, b"")
    await desk.settle()
    assert any("see the log" in line for line in await desk.story())
    assert (await desk.incident())["state"] == "OPEN"
    assert (await desk.house.send("POST", path + "x")).status == 404
    await desk.must("root", "PATCH", f"/ticket-accounts/{desk.account}", {"webhook": False})
    assert (await desk.house.send("POST", path)).status == 404


async def test_a_workflow_of_ones_own_is_followed(small: Desk) -> None:
    assert isinstance(small.system, JiraSystem)
    small.system.workflow = STRICT
    await small.add()
    await small.act(await small.alert(), "resolve", note="fixed")
    await small.settle()
    assert small.system.only.status == "Resolved"
    await small.act("INC-1", "close", who="maria")
    await small.settle()
    assert small.system.only.status == "Closed"
