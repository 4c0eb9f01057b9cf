"""The board of a past moment from the record, against the board that was photographed then."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from siems.domain.permissions import Actor
from siems.domain.retention import Retention
from siems.errors import Forbidden, NotFound
from siems.services import playback, playback_steps, queries
from siems.vocabulary import Role
from siems.wire import IncidentView, PlaybackSteps

from .world import ACME, BETA, World

Photo = dict[str, IncidentView]


def photograph(world: World, actor: Actor | None = None) -> Photo:
    """What the live board shows now, without what may be done and what is advised."""
    ask = queries.Ask(
        actor or world.admin, world.clock.now(), query="state:OPEN,ASSIGNED,IN_PROGRESS,RESOLVED", limit=1_000
    )
    page = world.database.read_now(queries.list_incidents, ask)
    return {view.id: msgspec.structs.replace(view, actions=[], insight=None) for view in page.items}


def rebuilt(world: World, at: datetime, actor: Actor | None = None, limit: int = 0) -> Photo:
    found: Photo = {}
    cursor: str | None = ""
    while cursor is not None:
        page = world.database.read_now(
            lambda c, after=cursor: playback.board(
                c, actor or world.admin, at=at, kept=Retention(), limit=limit, cursor=after, now=world.clock.now()
            )
        )
        assert page.gaps == []
        found |= {view.id: view for view in page.items}
        cursor = page.next
    return found


def played(world: World, after: datetime, until: datetime, actor: Actor | None = None, limit: int = 0) -> PlaybackSteps:
    """All steps of a stretch, by pages."""
    span, items = playback_steps.Stretch(after, until), []
    while True:
        page = world.database.read_now(
            lambda c, span=span: playback_steps.steps(c, actor or world.admin, span, limit=limit)
        )
        items += page.items
        if page.next is None:
            page.items = items
            return page
        assert page.next > span.after
        span = playback_steps.Stretch(page.next, until)


def busy_day(world: World) -> list[tuple[datetime, Photo]]:
    """Everything that moves a board, with a photograph after each of it."""
    photos: list[tuple[datetime, Photo]] = []

    def snap() -> None:
        world.clock.advance(seconds=2)
        photos.append((world.clock.now(), photograph(world)))
        world.clock.advance(seconds=3)

    jon, dana = world.hire("jon", Role.TECHNICIAN, ACME), world.hire("dana", Role.MANAGER, ACME)
    snap()
    for asset in ("web-1", "web-2"):
        world.fires(asset)
        snap()
    world.fires("web-1")
    world.fires("web-1", message="worse")
    snap()
    world.act(jon, "ack", "INC-1")
    snap()
    world.fires("web-3")  # the third server: one signature on three assets folds
    snap()
    world.fires("db-1", "disk_full", "CRITICAL", company=BETA)
    snap()
    world.passes(minutes=20)  # escalations, warnings
    snap()
    world.fires("mail-1", "queue", "LOW")
    world.fires("mail-2", "service_down", "MEDIUM")
    snap()
    refs = sorted(photos[-1][1], key=lambda ref: int(ref[4:]))
    mail, down = refs[-2:]
    world.act(dana, "merge", mail, incidents=[down])
    snap()
    world.fires("mail-2", "service_down", "HIGH", dedup_key="new")
    snap()
    world.act(dana, "severity", mail, severity="HIGH", reason="all users")
    world.act(jon, "assign", mail, to="@me")
    snap()
    world.act(jon, "hold", mail, hold_for="vendor", until=world.clock.now() + timedelta(hours=1))
    snap()
    world.act(dana, "split", mail, alerts=["ALR-6"], title="the other half")
    snap()
    world.recovers("mail-1", "queue")
    world.passes(minutes=70)
    snap()
    world.act(jon, "resolve", "INC-1", note="restarted", cause="load")
    snap()
    world.act(dana, "close", "INC-1")
    snap()
    world.act(dana, "reopen", "INC-1", reason="again")
    snap()
    world.fires("web-1")
    world.passes(hours=5)
    snap()
    return photos


def test_every_moment_is_as_it_was(world: World) -> None:
    photos = busy_day(world)
    for at, photo in photos:
        assert rebuilt(world, at) == photo
    assert rebuilt(world, photos[-4][0], limit=1) == photos[-4][1]
    world.restart()
    assert rebuilt(world, photos[7][0]) == photos[7][1]


def test_playing_on_from_a_moment_leads_to_the_next_photograph(world: World) -> None:
    photos = busy_day(world)
    for (at, photo), (later, following) in pairwise(photos):
        board = dict(photo)
        for step in played(world, at, later, limit=2).items:
            if step.incident is not None:
                board[step.incident.id] = step.incident
        shown = {ref: view for ref, view in board.items() if view.state != "CLOSED"}
        aged = {ref: msgspec.structs.replace(view, priority_score=0) for ref, view in shown.items()}
        assert aged == {ref: msgspec.structs.replace(view, priority_score=0) for ref, view in following.items()}


def test_steps_tell_what_arrived_and_what_people_did(world: World) -> None:
    begin = world.clock.now()
    jon = world.hire("jon", Role.TECHNICIAN, ACME)
    world.clock.advance(seconds=1)
    world.fires("web-1")
    world.clock.advance(seconds=1)
    world.fires("web-1")
    world.incident()  # whoever reads has the repeats counted
    world.clock.advance(seconds=1)
    world.act(jon, "start")
    world.act(jon, "note", note="called the ISP")
    world.clock.advance(seconds=1)
    world.recovers("web-1")
    told = [(step.kind, step.actor, step.text) for step in played(world, begin, world.clock.now()).items]
    for expected in (
        ("alert", "Datadog", "web-1: high_cpu on web-1"), ("repeat", "Datadog", "web-1: high_cpu again"),
        ("state", "jon", "started"), ("note", "jon", "called the ISP"),
        ("recovery", "Datadog", "web-1: high_cpu is over"),
    ):  # fmt: skip
        assert expected in told
    assert [kind for kind, _, _ in told].count("open") == 1
    whole = played(world, begin, world.clock.now()).items
    assert [step.at for step in whole] == sorted(step.at for step in whole)
    for limit in (1, 2, 3):
        assert played(world, begin, world.clock.now(), limit=limit).items == whole


def test_a_reader_sees_their_companies_only(world: World) -> None:
    world.fires("web-1")
    world.fires("db-1", company=BETA)
    world.clock.advance(seconds=1)
    now, begin = world.clock.now(), world.clock.now() - timedelta(hours=1)
    anna, cleo = world.hire("anna", Role.TECHNICIAN, BETA), world.hire("cleo", Role.CLIENT, BETA)
    assert list(rebuilt(world, now, anna)) == ["INC-2"]
    assert {step.company_id for step in played(world, begin, now, anna).items} == {BETA}
    with pytest.raises(NotFound):
        world.database.read_now(playback.story, "INC-1", anna, now)
    with pytest.raises(Forbidden):
        rebuilt(world, now, cleo)
    with pytest.raises(Forbidden):
        played(world, begin, now, cleo)


def test_a_story_ends_at_its_moment(world: World) -> None:
    jon = world.hire("jon", Role.TECHNICIAN, ACME)
    world.fires("web-1")
    world.clock.advance(seconds=5)
    at = world.clock.now()
    world.clock.advance(seconds=5)
    world.act(jon, "ack")
    world.fires("web-1", severity="HIGH")
    world.recovers("web-1")
    found = world.database.read_now(playback.story, "INC-1", world.admin, at)
    assert found.incident.state == "OPEN"
    assert [line.kind for line in found.timeline if line.kind in ("state", "alert", "open")] == ["alert", "open"]
    assert [(alert.status, alert.count, alert.resolved_at) for alert in found.alerts] == [("active", 1, None)]
    with pytest.raises(NotFound, match="INC-1 at"):
        world.database.read_now(playback.story, "INC-1", world.admin, at - timedelta(hours=1))


def test_what_the_record_no_longer_has_is_said(world: World) -> None:
    world.fires("web-1")
    world.clock.advance(seconds=1)
    at = world.clock.now()
    world.clock.advance(seconds=1)
    world.fires("web-1")
    world.incident()
    world.do(lambda uow: uow.connection.exec_driver_sql("DELETE FROM event"))

    def board(now: datetime) -> list[str]:
        return world.database.read_now(
            lambda c: playback.board(c, world.admin, at=at, kept=Retention(), limit=0, cursor="", now=now)
        ).gaps

    assert ["repeats of alerts" in gap for gap in board(at)] == [True]
    assert any("closed more than 730 days ago" in gap for gap in board(at + timedelta(days=800)))
    steps = world.database.read_now(
        lambda c: playback_steps.steps(c, world.admin, playback_steps.Stretch(at, world.clock.now()), limit=0)
    )
    assert steps.gaps
    world.do(lambda uow: uow.connection.exec_driver_sql("DELETE FROM timeline WHERE kind = 'stand'"))
    assert not any("changes of" in gap for gap in board(at))
    jon = world.hire("jon", Role.TECHNICIAN, ACME)
    world.act(jon, "start")
    world.do(lambda uow: uow.connection.exec_driver_sql("DELETE FROM timeline WHERE kind = 'stand'"))
    assert any("changes of INC-1" in gap for gap in board(at))
