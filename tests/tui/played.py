"""A past hour over the scripted daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
from driving import Session, settle
from scripted import NOW, ScriptedClient, view

from siems import errors, wire
from siems.tui.replay import ReplayApp
from siems.tui.tape import Tape

BEGIN = NOW - timedelta(hours=3)
END = BEGIN + timedelta(hours=1)


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def was(number: int, minutes: float = 0, **fields: Any) -> wire.IncidentView:
    """An incident of then: nothing can be done to it."""
    found = view(number, minutes=-180 + 45, created_at=fields.pop("created_at", at(-30)), **fields)
    return msgspec.structs.replace(found, actions=[], last_alert_at=at(minutes))


def step(minutes: float, kind: str, text: str, after: wire.IncidentView | None, **more: Any) -> wire.PlaybackStep:
    facts = {"company_id": "comp-acme", "company": "Acme Dental", "actor": "siems"} | more
    ref = after.id if after is not None else None
    return wire.PlaybackStep(at=at(minutes), kind=kind, incident_id=ref, text=text, incident=after, **facts)


def hour() -> tuple[list[wire.IncidentView], list[wire.PlaybackStep]]:
    """The board as it began, and what happened."""
    disk = was(7, severity="HIGH", title="Disk D: 97% on sql01", created_at=at(-30))
    ups = was(8, severity="LOW", title="UPS self-test warning", company="Evergreen", created_at=at(-60))
    vpn = was(9, severity="CRITICAL", title="VPN tunnel down", company="Borealis", created_at=at(5))
    worse = msgspec.structs.replace(disk, repeat_count=4, priority_score=68)
    jon = {"assignee": "user-jon", "assignee_name": "Jon Berg", "version": 2}
    acked = msgspec.structs.replace(worse, state="ASSIGNED", **jon)
    over = msgspec.structs.replace(ups, state="CLOSED", version=2)
    steps = [
        step(2, "repeat", "sql01: disk_full again", worse, actor="zabbix", severity="HIGH"),
        step(5, "alert", "fw-edge-02: tunnel down", None, actor="meraki", severity="CRITICAL", company="Borealis"),
        step(5, "open", "opened, rule asset|signature", vpn, severity="CRITICAL", company="Borealis"),
        step(12, "state", "acknowledged", acked, actor="jon"),
        step(14, "note", "cleared the \x1b[31mlogs[/] of last year", acked, actor="jon"),
        step(40, "state", "closed", over, company="Evergreen"),
    ]
    return [disk, ups], steps


class RecordClient(ScriptedClient):
    """The methods that a replay asks. `pages` is how many steps one answer has."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.record = hour()
        self.gaps: list[str] = []
        self.pages = 4
        self.asked: list[str] = []
        self.fault: errors.SiemsError | None = None

    def board_at(self, at: str, *, limit: int = 0, cursor: str = "") -> dict[str, Any]:
        if self.fault is not None:
            raise self.fault
        start = int(cursor or 0)
        following = str(start + 1) if start + 1 < len(self.base) else None
        page = wire.PlaybackBoard(
            at=datetime.fromisoformat(at), items=self.base[start : start + 1], next=following, gaps=self.gaps
        )
        return dict(msgspec.to_builtins(page))

    def steps_between(self, after: str, until: str, *, limit: int = 0) -> dict[str, Any]:
        begin, end = datetime.fromisoformat(after), datetime.fromisoformat(until)
        found = [one for one in self.record if begin < one.at <= end]
        page = found[: self.pages]
        following = page[-1].at if len(found) > len(page) else None
        told = wire.PlaybackSteps(after=begin, until=following or end, items=page, next=following, gaps=self.gaps)
        return dict(msgspec.to_builtins(told))

    def story_at(self, ref: str, at: str) -> dict[str, Any]:
        self.asked.append(f"{ref} {at}")
        moment = datetime.fromisoformat(at)
        known = {one.id: one for one in self.base}
        known |= {one.incident.id: one.incident for one in self.record if one.incident and one.at <= moment}
        lines = [
            wire.TimelineEntry(at=one.at, kind=one.kind, actor=one.actor, via="cli", text=one.text)
            for one in reversed(self.record)
            if one.incident_id == ref and one.at <= moment
        ]
        return dict(msgspec.to_builtins(wire.PlaybackStory(at=moment, incident=known[ref], timeline=lines, alerts=[])))


def replay(client: RecordClient, time: list[float], **options: Any) -> ReplayApp:
    tape = Tape(BEGIN, END, speed=options.pop("speed", 60.0))
    app = ReplayApp(client, tape, monotonic=lambda: time[0], **options)  # type: ignore[arg-type]
    app.ticking, app.coalesce, app.rest, app.calm = False, 0.01, 0.01, 0.01
    return app


class Player(Session):
    """A replay that plays when the test says so."""

    app: ReplayApp

    async def plays(self, seconds: float) -> None:
        self.time[0] += seconds
        self.app.play()
        await self.settle()


async def loaded(app: ReplayApp, pilot: Any) -> None:
    for _ in range(200):
        if app.tape.known >= app.tape.end or app.state.lost_at:
            break
        await pilot.pause(0.02)
    await settle(app, pilot)


@asynccontextmanager
async def replayed(
    client: RecordClient | None = None, *, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[Player]:
    client, time = client or RecordClient(), [1_000.0]
    app = replay(client, time, **options)
    it = Player(app, client, time)
    async with app.run_test(size=size) as pilot:
        it.pilot = pilot
        await loaded(app, pilot)
        yield it
        app.link.stop()
