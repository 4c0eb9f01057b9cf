"""Screen 5 by its keys: what is asked for, where the cursor goes, and the way to the incidents behind a number."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from driving import Session, opened
from scripted import ScriptedClient, view

from siems import errors, places
from siems.tui.figures import PARTS
from siems.tui.measure_page import TOP
from siems.tui.screens.behind import BehindWindow
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.choose import CopyMenu
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.measures import MeasuresScreen

LARGE = (120, 40)


def under_cursor(it: Session) -> str:
    return next((line.partition(">")[2] for line in it.screen.splitlines()[5:-2] if ">" in line), "")


async def test_it_is_there_by_its_digit_and_by_a_deep_link() -> None:
    async with opened() as it:
        await it.press("5")
        assert isinstance(it.app.screen, MeasuresScreen)
        for text in ("[5 SLA]", "range 7d", "resolved in time", "90.9 %", "NEXT DEADLINES", "INC-118", "Acme Dental",
                     "TIME TO RESOLVE", "opened/day"):  # fmt: skip
            assert text in it.screen
        await it.press("q")
        assert isinstance(it.app.screen, BoardScreen)
    async with opened(target="sla") as it:
        assert isinstance(it.app.screen, MeasuresScreen)
        assert "90.9 %" in it.screen


async def test_the_deadlines_that_are_not_shown_are_counted_though_not_all_are_read() -> None:
    client = ScriptedClient([view(n, minutes=n) for n in range(1, 91)])
    async with opened(client, target="sla") as it:
        await it.until("NEXT DEADLINES")
        assert f"NEXT DEADLINES  +{90 - (TOP - 1)}" in it.screen
    client = ScriptedClient([view(n, minutes=n) for n in range(1, 13)])
    async with opened(client, target="sla") as it:
        await it.until("NEXT DEADLINES")
        assert f"NEXT DEADLINES  +{12 - (TOP - 1)}" in it.screen


async def test_a_large_terminal_has_plots_and_the_week() -> None:
    async with opened(target="sla", size=LARGE) as it:
        for text in ("TECHNICIANS", "Priya Nair", "opened (", "ALERTS BY HOUR OF THE WEEK", "Sun", "nobody"):
            assert text in it.screen


async def test_nothing_is_asked_for_while_nobody_looks() -> None:
    async with opened() as it:
        await it.later(600)
        assert it.client.reports == []
        await it.press("5")
        assert len(it.client.reports) == len(PARTS)
        await it.press("1")
        await it.later(600)
        assert len(it.client.reports) == len(PARTS)


async def test_numbers_are_counted_again_in_time() -> None:
    async with opened(target="sla") as it:
        await it.later(30)
        assert len(it.client.reports) == len(PARTS)
        await it.later(31)
        assert len(it.client.reports) == 2 * len(PARTS)


async def test_timers_tick_without_asking() -> None:
    async with opened(target="sla") as it:
        await it.later(10)
        assert "-4:22" in it.screen
        assert len(it.client.reports) == len(PARTS)


async def test_r_c_and_p_say_what_it_is_about() -> None:
    async with opened(target="sla") as it:
        await it.press("r")
        assert "range 30d" in it.screen
        since, until = (it.client.reports[-1][1][name] for name in ("since", "until"))
        assert (since[:10], until[:10]) == ("2026-02-08", "2026-03-10")
        await it.press("p", "p", "c")
        await it.write("acme")
        await it.press("enter")
        assert it.client.reports[-1][1] | {"company": "acme", "query": "severity:HIGH"} == it.client.reports[-1][1]
        assert 'company:"acme" severity:HIGH' in it.client.queries
        assert "client acme" in it.screen
        assert "severity HIGH" in it.screen
        await it.press("q")
        assert "client all" in it.screen
        assert isinstance(it.app.screen, MeasuresScreen)


async def test_c_proposes_the_client_under_the_cursor() -> None:
    async with opened(target="sla") as it:
        await it.press("tab", "tab", "j", "c")
        assert "client> borealis" in it.screen


async def test_what_is_refused_leaves_the_numbers_as_they_were() -> None:
    async with opened(target="sla") as it:
        await it.press("c")
        await it.write("nobody")
        await it.press("enter")
        assert "no company 'nobody'" in it.screen
        assert "client all" in it.screen
        assert "90.9 %" in it.screen


async def test_tab_and_j_go_through_the_tables() -> None:
    async with opened(target="sla") as it:
        assert under_cursor(it).strip().startswith("opened")
        await it.press("j", "j", "j")
        assert under_cursor(it).strip().startswith("resolved in time")
        await it.press("tab", "G")
        assert "INC-75" in under_cursor(it)
        await it.press("tab")
        assert "Acme Dental" in under_cursor(it)
        await it.press("tab", "G")
        assert "LOW" in under_cursor(it)
        await it.press("tab")
        assert "Maria Lopez" in under_cursor(it)
        await it.press("tab", "tab", "g")
        assert "INC-118" in under_cursor(it)


async def test_enter_shows_the_incidents_behind_a_number_and_opens_one() -> None:
    async with opened(target="sla") as it:
        await it.press("j", "j", "j", "enter")
        assert isinstance(it.app.screen, BehindWindow)
        assert "10 incidents" in it.screen
        assert "what still runs" in it.screen
        assert it.client.reports[-1][0] == "sla resolution"
        it.time[0] += 1
        await it.press("j", "enter")
        assert isinstance(it.app.screen, DetailScreen)
        assert it.app.screen.ref == "INC-121"
        await it.press("q")
        assert isinstance(it.app.screen, MeasuresScreen)


async def test_a_number_of_a_group_asks_for_that_group() -> None:
    async with opened(target="sla") as it:
        await it.press("tab", "tab", "tab", "j", "enter")
        kind, asked = it.client.reports[-1]
        assert (kind, asked["group"], asked["by"]) == ("mttr mttr", "HIGH", "severity")
        assert "1h23m" in it.screen


async def test_a_deadline_opens_its_incident() -> None:
    async with opened(target="sla") as it:
        await it.press("tab", "enter")
        assert isinstance(it.app.screen, DetailScreen)
        assert it.app.screen.ref == "INC-118"


async def test_why_a_number_cannot_be_told() -> None:
    async with opened(target="sla") as it:
        it.client.refuse = errors.Forbidden("that is not for you")
        await it.press("enter")
        assert "that is not for you" in it.screen


async def test_a_client_sees_how_deadlines_were_kept_and_no_more() -> None:
    for size in ((80, 24), LARGE):
        client = ScriptedClient()
        client.role = "client"
        async with opened(client, target="sla", size=size) as it:
            assert "90.9 %" in it.screen
            for text in ("TECHNICIANS", "time to answer", "TIME TO RESOLVE", "opened/day", "HOUR OF THE WEEK"):
                assert text not in it.screen


async def test_copies_are_the_command_and_the_number() -> None:
    async with opened(target="sla") as it:
        await it.press("j", "j", "j", "y")
        assert isinstance(it.app.screen, CopyMenu)
        assert [text for _, _, text in it.app.screen.choices] == [
            "siems report sla --range 7d --by company --behind resolution", "resolved in time 90.9 % +1.4",
        ]  # fmt: skip


async def test_export_writes_every_number(home: Path) -> None:
    async with opened(target="sla") as it:
        await it.press("E")
        assert "lines written to" in it.screen
    [file] = (places.state_dir() / "exports").glob("report-*.csv")
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert {row["kind"] for row in rows if "kind" in row} == set()
    assert {row["report"] for row in rows} == {kind for kind, _ in PARTS.values()}
    [acme] = [r for r in rows if (r["report"], r["group"], r["measure"]) == ("sla", "comp-acme", "resolution")]
    assert (acme["value"], acme["unit"], acme["change"]) == ("90.9", "percent", "1.4")


async def test_a_lost_daemon_leaves_the_numbers_and_says_how_old_they_are() -> None:
    async with opened(target="sla") as it:
        it.client.lose()
        await it.until("DAEMON LOST")
        assert "90.9 %" in it.screen
        await it.press("enter")
        assert isinstance(it.app.screen, MeasuresScreen)
        assert "needs the daemon" in it.screen


@pytest.mark.parametrize("size", [(40, 12), (60, 17), (110, 20), (200, 60)], ids=str)
async def test_it_holds_at_any_size(size: tuple[int, int]) -> None:
    async with opened(target="sla", size=size) as it:
        assert "NOW" in it.screen
        for _ in range(6):
            await it.press("tab", "G")
        assert all(len(line) <= size[0] for line in it.screen.splitlines())
