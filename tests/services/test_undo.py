"""Taking an act back: the same person, within ten seconds, while nothing else has changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.domain.permissions import Actor
from siems.errors import Conflict, StaleVersion
from siems.vocabulary import Role, State

from .world import ACME, World


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


KEPT = (
    "state", "assignee", "acknowledged_at", "started_at", "clocks", "position", "escalation_level", "escalates_at",
    "hold_reason", "hold_until", "resolved_at", "resolved_by", "resolution_notes", "closed_at", "active_count",
)  # fmt: skip


@pytest.mark.parametrize(
    ("first", "action", "ask"),
    [
        ((), "ack", {}),
        ((), "start", {}),
        ((), "assign", {"to": "@me"}),
        ((), "resolve", {"note": "restarted"}),
        (("start",), "unassign", {}),
        (("ack",), "hold", {"hold_for": "client"}),
        (("resolve",), "close", {}),
        (("resolve",), "reopen", {"reason": "no"}),
        (("resolve", "close"), "reopen", {"reason": "no"}),
    ],
)
def test_an_undo_restores_state_clocks_and_every_armed_deadline(world: World, mara, first, action, ask) -> None:
    world.fires()
    for step in first:
        world.act(mara, step, note="done")
    if action == "hold":
        ask = ask | {"until": world.clock.now() + timedelta(hours=2)}
    before, armed = world.incident(), world.deadlines()
    world.clock.advance(seconds=1)
    assert world.act(mara, action, **ask).undo_until == world.clock.now() + timedelta(seconds=10)
    world.clock.advance(seconds=5)
    assert world.act(mara, "undo").steps == ("undo",)
    after = world.incident()
    assert {name: getattr(after, name) for name in KEPT} == {name: getattr(before, name) for name in KEPT}
    assert world.deadlines() == armed
    assert after.version > before.version


def test_undoing_a_resolution_brings_its_alerts_back(world: World, ana) -> None:
    world.fires()
    world.fires(tool_source="Zabbix")
    world.act(ana, "resolve", note="restarted")
    world.act(ana, "undo")
    assert {row["status"] for row in world.rows("SELECT status FROM alert")} == {"active"}
    assert world.incident().active_count == 2
    assert world.fires()["message"] == "repeated"


def test_undoing_a_close_lets_alerts_reopen_it_again(world: World, ana, mara) -> None:
    world.fires()
    world.act(ana, "resolve", note="restarted")
    world.act(mara, "close")
    world.act(mara, "undo")
    assert world.incident().state is State.RESOLVED
    assert world.fires()["incident_id"] == "INC-1"


def test_after_ten_seconds_it_is_too_late(world: World, ana) -> None:
    world.fires()
    world.act(ana, "ack")
    world.clock.advance(seconds=10, minutes=0)
    world.clock.advance(seconds=0.001)
    with pytest.raises(Conflict, match="nothing of yours to undo"):
        world.act(ana, "undo")


def test_nobody_takes_back_what_another_did(world: World, ana, mara) -> None:
    world.fires()
    world.act(ana, "ack")
    with pytest.raises(Conflict, match="nothing of yours"):
        world.act(mara, "undo")


def test_an_act_that_something_followed_cannot_be_taken_back(world: World, ana) -> None:
    world.fires()
    world.act(ana, "ack")
    world.fires(severity="CRITICAL")
    with pytest.raises(StaleVersion):
        world.act(ana, "undo")


def test_repeats_in_between_do_not_stand_in_the_way_and_are_kept(world: World, ana) -> None:
    world.fires()
    world.act(ana, "ack")
    world.fires()
    world.act(ana, "undo")
    assert (world.incident().state, world.incident().repeat_count) == (State.OPEN, 1)


def test_an_undo_is_used_up(world: World, ana) -> None:
    world.fires()
    world.act(ana, "ack")
    world.act(ana, "undo")
    with pytest.raises(Conflict):
        world.act(ana, "undo")


def test_a_step_that_became_overdue_meanwhile_fires_at_once(world: World, ana) -> None:
    mara = world.hire("mara", Role.MANAGER, ACME)
    world.fires()
    world.passes(minutes=14, seconds=55)
    world.act(ana, "ack")
    world.passes(seconds=8)
    assert world.incident().escalation_level == 1
    world.act(ana, "undo")
    assert ("INC-1", "escalation") in world.tick()
    assert (world.incident().escalation_level, world.incident().assignee) == (2, mara.id)


def test_notices_of_an_undoable_act_wait_ten_seconds_and_an_undo_stops_them(world: World, ana, mara) -> None:
    world.fires()
    world.act(mara, "assign", to=ana.id, undoable=True)
    [waiting] = world.rows(
        "SELECT state, next_at - created_at AS wait FROM notification WHERE event = 'incident.assigned'"
    )
    assert waiting == {"state": "pending", "wait": 10_000_000}
    world.clock.advance(seconds=3)
    world.act(mara, "undo")
    [stopped] = world.rows("SELECT state FROM notification WHERE event = 'incident.assigned'")
    assert stopped == {"state": "cancelled"}


def test_an_act_that_is_not_undoable_tells_at_once(world: World, ana, mara) -> None:
    world.fires()
    world.act(mara, "assign", to=ana.id)
    [sent] = world.rows("SELECT state FROM notification WHERE event = 'incident.assigned'")
    assert sent == {"state": "sent"}


def test_undoing_a_note_removes_its_line_but_the_audit_log_keeps_both(world: World, ana) -> None:
    world.fires()
    world.act(ana, "note", note="wrong window")
    world.act(ana, "undo")
    assert "wrong window" not in world.story()
    audited = [
        row["action"] for row in world.rows("SELECT action FROM audit_entry WHERE object = 'INC-1' ORDER BY seq")
    ]
    assert audited == ["incident.noted", "incident.undone"]


def test_an_undo_survives_a_restart(world: World, ana) -> None:
    world.fires()
    world.act(ana, "resolve", note="restarted")
    world.restart()
    world.act(ana, "undo")
    assert world.incident().state is State.OPEN
