"""Due rows fire by themselves and in time; a stopped clockwork is noticed."""

from __future__ import annotations

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from siems.clock import ManualClock, SystemClock, to_micros
from siems.daemon.scheduler import Scheduler
from siems.storage.repositories.deadlines import due_or_next, due_rows
from siems.vocabulary import MSP, Role

from .house import House, open_house, until


async def test_an_escalation_fires_by_itself_when_its_time_comes(sqlite_template: Path, quick_path: Path) -> None:
    path = quick_path / "real.db"
    shutil.copy(sqlite_template, path)
    async with open_house(str(path), SystemClock()) as house:
        await house.hire("mara", Role.MANAGER, "comp-acme")
        await house.ask(
            "root", "POST", "/companies/acme/sla", {"severity": "HIGH", "response_seconds": 4, "warn_seconds": 3}
        )
        before = house.clock.now()
        await house.alert()

        async def escalated() -> Any:
            shown = (await house.ask("root", "GET", "/incidents/INC-1")).json()["incident"]
            return shown["escalated_at"]

        at = datetime.fromisoformat(await until(escalated))
        due = before + timedelta(seconds=4)
        assert timedelta(0) <= at - due < timedelta(seconds=3)


async def test_a_deadline_that_is_set_while_the_next_one_is_looked_up_is_not_slept_through() -> None:
    clock = ManualClock(datetime.fromisoformat("2026-03-10T12:00:00+00:00"))
    soon = clock.now() + timedelta(seconds=1)

    class Slow:
        """A database whose answer is out of date when it comes."""

        class dialect:
            shared = False

        async def peek(self, fn: Any, *args: Any) -> Any:
            assert fn is due_or_next
            scheduler.expect(soon)
            return [], clock.now() + timedelta(hours=1)

    scheduler = Scheduler(Slow(), clock)  # type: ignore[arg-type]
    scheduler._timer.start()
    try:
        await scheduler.tick()
        armed = scheduler._timer.get_job("tick").next_run_time
        assert armed - datetime.now(armed.tzinfo) < timedelta(seconds=5)
    finally:
        scheduler.stop()


async def test_livez_fails_when_the_clockwork_stands(door: House) -> None:
    assert (await door.send("GET", "/livez")).status == 200

    async def stands() -> bool:
        door.runtime.scheduler._timer.remove_all_jobs()  # once more where the tick of the start was not over yet
        return (await door.send("GET", "/livez")).status == 503

    await until(stands)


async def test_livez_fails_when_the_writer_has_died(door: House) -> None:
    await asyncio.to_thread(door.runtime.database.writer.stop)
    assert (await door.send("GET", "/livez")).status == 503


async def test_the_status_counts_what_is_overdue(house: House, clock: ManualClock) -> None:
    await house.alert()
    assert (await house.ask("root", "GET", "/status")).json()["overdue"] == 0
    clock.advance(minutes=17)
    shown = (await house.ask("root", "GET", "/status")).json()
    assert (shown["overdue"], next(c["ok"] for c in shown["checks"] if c["name"] == "deadlines")) == (1, False)
    await house.runtime.scheduler.tick()
    assert (await house.ask("root", "GET", "/status")).json()["overdue"] == 0


async def test_a_row_that_cannot_be_fired_waits_and_stands_in_nobodys_way(
    sqlite_template: Path, quick_path: Path
) -> None:
    path = quick_path / "poisoned.db"
    shutil.copy(sqlite_template, path)
    async with open_house(str(path), SystemClock()) as house:
        database, now = house.runtime.database, house.clock.now()

        def poison(uow: Any) -> None:
            uow.deadlines.set("INC-999", "no such kind", now, company_id=MSP)

        await database.write(poison, companies=(MSP,))

        async def postponed() -> Any:
            asked = "SELECT due_at FROM deadline WHERE object = 'INC-999'"
            due = await database.read(lambda connection: connection.exec_driver_sql(asked).scalar())
            return due > to_micros(now + timedelta(seconds=20))

        await until(postponed)
        assert await database.read(due_rows, house.clock.now()) == []
