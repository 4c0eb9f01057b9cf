"""Ticket systems on bad days: nothing is made twice, nothing is lost in silence, and nobody else waits."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from siems.clock import ManualClock
from siems.daemon import ticketing
from siems.services import ticket_jobs
from tickets.systems import Trouble

from .ticketing import Desk, open_desk


@pytest_asyncio.fixture
async def desk(database_url: str, clock: ManualClock) -> AsyncIterator[Desk]:
    """Jira Cloud, on both databases."""
    async with open_desk(database_url, clock) as made:
        yield made


@pytest_asyncio.fixture(params=["jira", "servicenow"])
async def any_desk(request: pytest.FixtureRequest, file: str, clock: ManualClock) -> AsyncIterator[Desk]:
    async with open_desk(file, clock, request.param) as made:
        yield made


async def test_a_ticket_whose_making_was_not_answered_is_found_and_not_made_again(any_desk: Desk) -> None:
    desk = any_desk
    await desk.add()
    desk.system.troubles = [Trouble(hang_up=True, after=True, method="POST")]
    await desk.alert()
    await desk.settle()
    assert len(desk.system.issues) == 1
    assert (await desk.ticket())["key"] == ""
    desk.passes(seconds=7)
    await desk.settle()
    assert len(desk.system.issues) == 1
    assert (await desk.ticket())["key"] == desk.system.only.key


async def test_a_comment_whose_sending_was_not_answered_is_not_sent_again(any_desk: Desk) -> None:
    desk = any_desk
    await desk.add()
    ref = await desk.alert()
    await desk.settle()
    way = {"method": "POST", "path": "comment"} if desk.kind == "jira" else {"method": "PATCH"}
    desk.system.troubles = [Trouble(status=502, after=True, **way)]
    await desk.act(ref, "note", note="once only")
    await desk.settle()
    assert (await desk.ticket())["waiting"] == 1
    desk.passes(seconds=7)
    await desk.settle()
    await desk.poll()
    assert len(desk.system.texts()) == 1
    assert (await desk.ticket())["waiting"] == 0
    assert sum("once only" in line for line in await desk.story()) == 1


async def test_retry_after_is_honoured_and_the_rest_waits_its_turn(desk: Desk) -> None:
    await desk.add()
    ref = await desk.alert()
    await desk.settle()
    desk.system.troubles = [Trouble(status=429, retry_after="120", path="comment", method="POST")]
    await desk.act(ref, "note", note="first")
    await desk.act(ref, "note", note="second")
    await desk.settle()
    desk.passes(seconds=119)
    await desk.settle()
    assert desk.system.texts() == []
    desk.passes(seconds=2)
    await desk.settle()
    assert [text.split("\n")[0] for text in desk.system.texts()] == ["dana: first", "dana: second"]


async def test_what_fails_too_often_is_given_up_in_the_open_and_can_be_tried_again(desk: Desk) -> None:
    await desk.add()
    desk.system.troubles = [Trouble(status=503, method="POST", path="issue") for _ in range(6)]
    await desk.alert()
    await desk.settle()
    for seconds in (7, 40, 150, 400, 800):
        desk.passes(seconds=seconds)
        await desk.settle()
    assert desk.system.issues == {}
    failed = (await desk.must("maria", "GET", "/tickets?failed=true"))["items"]
    assert [(k["id"], k["failed"], "503" in k["error"]) for k in failed] == [("TKT-1", 1, True)]
    assert any("open was given up" in line for line in await desk.story())
    inbox = (await desk.must("maria", "GET", "/inbox"))["items"]
    assert any("needs you" in notice["subject"] for notice in inbox)
    await desk.act("INC-1", "note", note="behind it")
    await desk.settle()
    assert (await desk.ticket())["waiting"] == 1
    done = await desk.must("dana", "POST", "/tickets/TKT-1/retry", {})
    assert done["changed"]
    await desk.settle()
    assert len(desk.system.texts()) == 1
    assert (await desk.ticket())["failed"] == 0


async def test_what_is_refused_is_given_up_at_once(desk: Desk) -> None:
    await desk.add(ticket_type="Incident")
    desk.system.troubles = [Trouble(status=400, method="POST", path="issue")]
    await desk.alert()
    await desk.settle()
    assert (await desk.ticket())["failed"] == 1
    assert desk.system.count("POST", "/issue$") == 1


async def test_a_lease_that_ran_out_is_somebody_elses_and_the_late_answer_counts_for_nothing(desk: Desk) -> None:
    await desk.add()
    ref = await desk.alert()
    await desk.settle()
    desk.house.runtime.ticketing.jobs.stopping = True
    await desk.act(ref, "note", note="slow")
    job = (await desk.rows("SELECT max(id) AS id FROM ticket_job"))[0].id
    scope = ("comp-acme", "msp")
    first = await desk.house.do(ticket_jobs.claim, job, "one", "tag", "", companies=scope)
    assert await desk.house.do(ticket_jobs.claim, job, "two", "tag", "", companies=scope) is None
    desk.passes(seconds=21)
    second = await desk.house.do(ticket_jobs.claim, job, "two", "tag", "", companies=scope)
    assert (first.again, second.again) == (False, True)
    assert not await desk.house.do(ticket_jobs.done, first, None, "1", companies=scope)
    assert not await desk.house.do(ticket_jobs.failed, first, "late", companies=scope)
    assert await desk.house.do(ticket_jobs.done, second, None, "2", companies=scope)
    assert [
        tuple(row) for row in await desk.rows("SELECT state, attempt FROM ticket_job ORDER BY id DESC LIMIT 1")
    ] == [("done", 2)]


async def test_a_system_that_hangs_holds_up_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(ticketing, "SEND_SECONDS", 0.5)
    await desk.add(company="beta", categories=["other"])
    desk.system.troubles = []
    await desk.add()
    await desk.alert()
    await desk.settle()
    desk.system.troubles = [Trouble(hang=True, path="comment", method="POST") for _ in range(2)]
    await desk.act("INC-1", "note", note="hangs")
    await desk.settle()
    assert (await desk.ticket())["error"].startswith("no answer")
    desk.system.troubles = []
    desk.passes(seconds=7)
    await desk.settle()
    assert len(desk.system.texts()) == 1


async def test_a_pause_loses_nothing(desk: Desk) -> None:
    await desk.add()
    await desk.must("maria", "PATCH", f"/ticket-accounts/{desk.account}", {"paused": True})
    await desk.act(await desk.alert(), "note", note="meanwhile")
    await desk.settle()
    assert desk.system.issues == {}
    await desk.must("maria", "PATCH", f"/ticket-accounts/{desk.account}", {"paused": False})
    await desk.settle()
    assert len(desk.system.texts()) == 1


async def test_changes_that_cannot_be_read_show_with_the_account_and_are_read_later(desk: Desk) -> None:
    await desk.add()
    await desk.alert()
    await desk.settle()
    desk.passes(minutes=1)
    desk.system.write("not lost")
    desk.system.troubles = [Trouble(status=500, path="search")]
    await desk.poll()
    shown = await desk.must("maria", "GET", f"/ticket-accounts/{desk.account}")
    assert (shown["failures"], "500" in shown["error"]) == (1, True)
    desk.passes(minutes=5)
    await desk.poll()
    shown = await desk.must("maria", "GET", f"/ticket-accounts/{desk.account}")
    assert (shown["failures"], shown["error"]) == (0, "")
    assert sum("not lost" in line for line in await desk.story()) == 1
