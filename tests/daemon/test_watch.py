"""The watch beside the clockwork: gaps, rows that nobody fires, a wall clock that jumps, who outside is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from siems.clock import ManualClock
from siems.daemon import watch as watching
from siems.vocabulary import MSP, Role

from .house import House, open_house


class Jumping(ManualClock):
    """A clock whose wall clock can be moved away from it."""

    off = timedelta(0)

    def drift(self) -> timedelta:
        return self.off


@pytest.fixture
def clock() -> Jumping:
    from datetime import UTC, datetime

    return Jumping(datetime(2026, 3, 10, 12, 0, tzinfo=UTC))


@pytest_asyncio.fixture
async def watched(house: House) -> AsyncIterator[House]:
    """A daemon that watches itself, as `siems up` starts it."""
    await house.runtime.watch.begin()
    yield house


async def incidents(house: House) -> list[Any]:
    """Those of the MSP."""
    return [i for i in (await house.ask("root", "GET", "/incidents")).json()["items"] if i["company_id"] == MSP]


async def looks(house: House) -> int:
    """The watch looks once; what /livez says then."""
    await house.runtime.watch.look()
    return (await house.send("GET", "/livez")).status


def stand_still(house: House) -> None:
    """The clockwork ticks no more, and nobody notices: it looks alive."""
    house.runtime.scheduler._timer.pause()


def well(house: House) -> bool:
    return house.runtime.watch.well


# --- gaps ------------------------------------------------------------------------------------------------------


async def test_a_process_that_wakes_up_tells_what_it_slept_through_before_it_fires(
    watched: House, clock: Jumping
) -> None:
    await watched.hire("mara", Role.MANAGER, "comp-acme")
    await watched.alert()
    clock.advance(minutes=16)
    await watched.runtime.scheduler.tick()
    [told] = await incidents(watched)
    assert told["title"] == "down 12:00–12:16 UTC; 1 escalation late"
    shown = (await watched.ask("root", "GET", "/incidents/INC-1")).json()["incident"]
    assert shown["escalation_level"] == 2
    await watched.runtime.scheduler.tick()
    assert len(await incidents(watched)) == 1


async def test_while_it_turns_there_is_no_gap(watched: House, clock: Jumping) -> None:
    for _ in range(10):
        clock.advance(seconds=25)
        await watched.runtime.scheduler.tick()
    assert await incidents(watched) == []


async def test_a_daemon_that_was_stopped_well_says_so_to_the_next(file: str, clock: Jumping) -> None:
    async with open_house(file, clock, watching=True) as one:
        assert one.runtime.watch.gap is None
    clock.advance(minutes=8)
    async with open_house(file, clock, furnished=False, watching=True) as two:
        assert two.runtime.watch.gap is not None
        assert two.runtime.watch.gap.calm


async def test_nobody_watches_unless_he_is_asked_to(house: House, clock: Jumping) -> None:
    clock.advance(hours=1)
    await house.runtime.scheduler.tick()
    assert await incidents(house) == []
    assert house.runtime.watch.checks() == []


async def test_a_watch_that_fails_stops_nobody(watched: House, clock: Jumping, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(**how: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(watched.runtime.watch, "_wake", broken)
    await watched.alert()
    clock.advance(minutes=16)
    assert await watched.runtime.scheduler.tick() >= 1


# --- what is late ----------------------------------------------------------------------------------------------


async def test_rows_that_nobody_fires_are_told_once_and_livez_fails_until_they_are_fired(
    watched: House, clock: Jumping
) -> None:
    await watched.alert()
    stand_still(watched)
    assert await looks(watched) == 200
    for _ in range(17):
        clock.advance(minutes=1)
        await looks(watched)
    assert await looks(watched) == 503
    assert not well(watched)
    [told] = await incidents(watched)
    assert told["title"] == "Deadlines overdue on siems"
    assert told["severity"] == "HIGH"
    status = (await watched.ask("root", "GET", "/status")).json()
    check = next(c for c in status["checks"] if c["name"] == "watch")
    assert check["ok"] is False
    assert "late by more than a minute" in check["cause"]
    figures = (await watched.send("GET", "/metrics")).body.decode()
    assert "siems_well 0.0" in figures
    watched.runtime.scheduler._timer.resume()
    await watched.runtime.scheduler.tick()
    assert await looks(watched) == 200
    assert well(watched)
    told, gap = sorted(await incidents(watched), key=lambda incident: int(incident["id"][4:]))
    assert gap["title"] == "down 12:00–12:17 UTC; 1 escalation late"
    alerts = (await watched.ask("root", "GET", f"/incidents/{told['id']}/alerts")).json()["items"]
    assert [alert["status"] for alert in alerts] == ["resolved"]


async def test_what_a_gap_has_left_is_no_alarm_for_a_minute(watched: House, clock: Jumping) -> None:
    await watched.alert()
    stand_still(watched)
    await looks(watched)
    clock.advance(minutes=20)
    assert await looks(watched) == 200
    assert well(watched)
    assert await incidents(watched) == []


async def test_late_rows_that_somebody_works_on_do_not_fail_livez(
    watched: House, clock: Jumping, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = [watching.Lateness(9, clock.now(), 0), watching.Lateness(8, clock.now(), 0)]
    monkeypatch.setattr(watching.self_audit, "lateness", lambda connection, before: late.pop(0))
    clock.advance(seconds=59)
    await looks(watched)
    clock.advance(seconds=2)
    late[:0] = []
    assert await looks(watched) == 200
    assert not well(watched)


async def test_a_round_that_does_not_end_fails_livez(watched: House, clock: Jumping) -> None:
    async with watched.runtime.scheduler._ticking:
        assert (await watched.send("GET", "/livez")).status == 200
        clock.advance(seconds=61)
        assert (await watched.send("GET", "/livez")).status == 503


async def test_a_database_that_does_not_answer_is_not_well_and_no_reason_to_be_started_anew(
    watched: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from siems.errors import Unavailable

    async def silent(*args: Any) -> Any:
        raise Unavailable("the database cannot be reached")

    monkeypatch.setattr(watched.runtime.database, "peek", silent)
    assert await looks(watched) == 200
    assert not well(watched)


# --- the wall clock (R8) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
async def test_a_jump_of_the_wall_clock_is_told_and_moves_nothing(watched: House, clock: Jumping, hours: int) -> None:
    await watched.alert()
    read = "SELECT object, kind, due_at FROM deadline WHERE object = 'INC-1' ORDER BY kind"

    async def rows() -> list[Any]:
        return await watched.runtime.database.read(lambda c: [tuple(r) for r in c.exec_driver_sql(read)])

    before = await rows()
    clock.off = timedelta(hours=hours)
    await watched.runtime.scheduler.tick()
    await looks(watched)
    await looks(watched)
    assert await rows() == before
    [told] = await incidents(watched)
    assert told["title"] == "Clock jumped on siems"
    alerts = (await watched.ask("root", "GET", f"/incidents/{told['id']}/alerts")).json()["items"]
    assert ("ahead of" if hours > 0 else "behind") in alerts[0]["message"]
    assert [alert["count"] for alert in alerts] == [1]
    shown = (await watched.ask("root", "GET", "/incidents/INC-1")).json()["incident"]
    assert shown["escalation_level"] == 1
    clock.off = timedelta(0)
    await looks(watched)
    alerts = (await watched.ask("root", "GET", f"/incidents/{told['id']}/alerts")).json()["items"]
    assert [alert["status"] for alert in alerts] == ["resolved"]
