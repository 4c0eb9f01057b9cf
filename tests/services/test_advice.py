"""Advice in a real database: what is queued and kept, what applies at once, what waits, and what people make of it."""

from __future__ import annotations

from typing import Any

import pytest

from siems.domain.advice import Standing
from siems.domain.changing import replace
from siems.domain.permissions import Actor
from siems.errors import Conflict, Forbidden, InvalidField, StaleVersion
from siems.services import advising, sla_views
from siems.services.keeping import save
from siems.vocabulary import Category, Role, Severity

from .advising import insight, judge, looks, lower, raise_, told, view
from .world import ACME, ROOT, World


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


# --- the queue -------------------------------------------------------------------------------------------------


def test_what_opens_is_looked_at_a_moment_later_and_once(world: World) -> None:
    world.fires()
    assert world.database.read_now(advising.due, world.clock.now(), 9) == []
    world.clock.advance(seconds=2)
    assert world.database.read_now(advising.due, world.clock.now(), 9) == [(1, ACME)]
    assert looks(world)
    assert world.count("advice_job") == 0
    assert not looks(world)
    assert view(world).insight.provider == "local"


def test_the_most_severe_comes_first(world: World) -> None:
    world.fires("a", "s1", "LOW")
    world.fires("b", "s2", "CRITICAL")
    world.clock.advance(seconds=5)
    assert [number for number, _ in world.database.read_now(advising.due, world.clock.now(), 9)] == [2, 1]


def test_what_changes_while_somebody_looks_is_looked_at_again(world: World) -> None:
    world.fires()
    world.clock.advance(seconds=5)
    work = world.do(advising.claim, 1, ACME)
    assert world.do(advising.claim, 1, ACME) is None, "it is somebody's"
    world.fires(tool_source="Zabbix")
    assert world.do(advising.keep, work, insight())
    assert world.count("advice_job") == 1
    assert looks(world)
    assert world.count("advice_job") == 0


def test_both_parts_of_a_split_are_looked_at_anew(world: World, ana: Actor) -> None:
    world.fires(severity="HIGH")
    world.fires(severity="HIGH", tool_source="Zabbix")
    assert looks(world)
    world.act(ana, "split", alerts=["ALR-2"], reason="another cause")
    assert {row["incident_id"] for row in world.rows("SELECT incident_id FROM advice_job")} == {1, 2}


def test_a_lease_that_ran_out_is_somebody_elses(world: World) -> None:
    world.fires()
    world.clock.advance(seconds=5)
    old = world.do(advising.claim, 1, ACME)
    world.clock.advance(minutes=2)
    new = world.do(advising.claim, 1, ACME)
    assert not world.do(advising.keep, old, insight())
    assert world.do(advising.keep, new, insight())


def test_a_failure_is_tried_again_three_times(world: World) -> None:
    world.fires()
    for _ in range(advising.TRIES):
        world.clock.advance(minutes=2)
        work = world.do(advising.claim, 1, ACME)
        world.do(advising.failed, work)
    assert world.count("advice_job") == 0


def test_off_is_off(world: World) -> None:
    world.settings(advice="off")
    world.fires()
    assert world.count("advice_job") == 0
    assert "siems company edit" in view(world).why_none
    world.settings(advice="on")
    world.fires("b", "other")
    world.settings(advice="off")
    world.clock.advance(seconds=5)
    assert world.do(advising.claim, 2, ACME) is None, "what was queued before is let go"
    assert world.count("advice_job") == 0


def test_what_is_over_or_folded_away_is_left_alone(world: World, ana: Actor) -> None:
    world.fires()
    world.act(ana, "resolve", note="done")
    assert not looks(world)
    for asset in ("b", "c", "d"):
        world.fires(asset, "burst")
    assert not looks(world, "INC-3")
    assert world.count("advice_job", "incident_id = 3") == 0


def test_a_refused_alert_leaves_nothing_in_the_queue(world: World) -> None:
    """What a verb queued goes when it fails."""

    def broken(uow: Any) -> None:
        uow.advice.queue(uow.incidents.get(ACME, 1), uow.now)
        raise Conflict("no")

    world.fires()
    looks(world)
    with pytest.raises(Conflict):
        world.do(broken)
    assert world.count("advice_job") == 0


# --- what applies ----------------------------------------------------------------------------------------------


def test_a_sure_raise_applies_at_once_and_can_be_taken_back(world: World, mara: Actor) -> None:
    world.fires(severity="HIGH")
    before, dues = world.incident(), world.deadlines()
    raise_(world)
    after = world.incident()
    assert after.severity is Severity.CRITICAL
    assert after.clocks.response_due < before.clocks.response_due
    assert not after.severity_pinned
    shown = view(world).insight.severity
    assert (shown.before, shown.value, shown.standing) == ("HIGH", "CRITICAL", "applied")
    assert any("advised by gemini (0.90)" in line for line in world.story())

    done = judge(world, mara, "dismiss", reason="a test system")
    assert done.changed
    back = world.incident()
    assert (back.severity, back.severity_pinned) == (Severity.HIGH, True)
    assert back.clocks.response_due == before.clocks.response_due
    assert back.clocks.resolution_due == before.clocks.resolution_due
    assert world.deadlines()["escalation"] == dues["escalation"]
    assert not judge(world, mara, "dismiss").changed
    raise_(world)
    assert world.incident().severity is Severity.HIGH, "declined is declined"


def test_an_unsure_raise_waits(world: World, mara: Actor) -> None:
    world.fires(severity="HIGH")
    raise_(world, 0.7)
    assert world.incident().severity is Severity.HIGH
    assert view(world).insight.waiting
    assert judge(world, mara, "accept").changed
    assert world.incident().severity is Severity.CRITICAL
    assert world.incident().severity_pinned


def test_a_lowering_waits_for_a_person_and_moves_no_deadline(world: World, mara: Actor, ana: Actor) -> None:
    world.fires(severity="CRITICAL")
    before = world.incident()
    lower(world)
    assert world.incident().severity is Severity.CRITICAL
    with pytest.raises(Forbidden):
        judge(world, ana, "accept")
    assert judge(world, mara, "accept", reason="known noise").changed
    after = world.incident()
    assert after.severity is Severity.LOW
    assert (after.clocks.response_due, after.clocks.resolution_due) == (
        before.clocks.response_due, before.clocks.resolution_due,
    )  # fmt: skip
    assert after.escalates_at == before.escalates_at
    world.fires(severity="CRITICAL")
    world.fires(severity="CRITICAL", tool_source="Zabbix")
    assert world.incident().severity is Severity.LOW, "a person has said so"
    assert any("advice accepted, severity CRITICAL -> LOW: known noise" in line for line in world.story())
    assert judge(world, mara, "dismiss").changed
    assert world.incident().severity is Severity.CRITICAL


def test_a_company_may_let_advice_lower_but_not_move_deadlines(world: World) -> None:
    world.settings(advice_lowers=True)
    world.fires(severity="CRITICAL")
    before = world.incident()
    lower(world)
    after = world.incident()
    assert (after.severity, after.severity_pinned) == (Severity.LOW, False)
    assert after.clocks == before.clocks
    world.fires(severity="HIGH", tool_source="Zabbix")
    assert world.incident().severity is Severity.HIGH, "an alert that is worse counts all the same"


def test_a_page_that_was_due_comes_in_spite_of_advice_to_lower(world: World) -> None:
    world.settings(advice_lowers=True)
    world.fires(severity="CRITICAL")
    lower(world)
    world.passes(minutes=6)
    assert world.incident().escalation_level > 1


def test_what_a_person_has_set_is_not_touched(world: World) -> None:
    world.fires(severity="HIGH")

    def pin(uow: Any) -> None:

        before = uow.incidents.get(ACME, 1)
        save(uow, before, replace(before, severity_pinned=True))

    world.do(pin)
    raise_(world)
    assert world.incident().severity is Severity.HIGH
    assert view(world).insight.severity.standing == Standing.NONE


def test_a_category_that_was_unknown_is_filled_in_and_another_waits(world: World, mara: Actor) -> None:
    world.fires("pc-1", "zzz")
    told(world, category=Category.NETWORK, category_confidence=0.9, category_why="because")
    assert world.incident().category is Category.NETWORK
    assert judge(world, mara, "dismiss").changed
    assert world.incident().category is Category.OTHER
    world.fires("pc-2", "high_cpu")
    told(world, "INC-2", category=Category.NETWORK, category_confidence=0.9)
    assert world.incident("INC-2").category is Category.CPU
    assert judge(world, mara, "accept", "INC-2").changed
    assert world.incident("INC-2").category is Category.NETWORK


def test_a_stale_version_an_unknown_verdict_and_nothing_to_judge_are_refused(world: World, mara: Actor) -> None:
    world.fires()
    with pytest.raises(Conflict):
        judge(world, mara, "accept")
    lower(world)
    with pytest.raises(StaleVersion):
        judge(world, mara, "accept", version=99)

    with pytest.raises(InvalidField):
        judge(world, mara, "perhaps")
    world.act(mara, "resolve", note="done")
    with pytest.raises(Conflict):
        judge(world, mara, "accept")


def test_every_decision_is_in_the_record_and_the_stream(world: World, mara: Actor) -> None:
    world.fires(severity="HIGH")
    lower(world)
    judge(world, mara, "accept", reason="noise")
    actions = [
        row["action"] for row in world.rows("SELECT action FROM audit_entry WHERE object = 'INC-1' ORDER BY seq")
    ]
    assert actions[-1] == "advice.accepted"
    events = {row["type"] for row in world.rows("SELECT type FROM event WHERE object = 'INC-1'")}
    assert {"incident.insight", "incident.changed"} <= events


def test_sla_explain_still_adds_up_after_advice_was_taken(world: World, mara: Actor) -> None:

    world.fires(severity="HIGH")
    raise_(world)
    judge(world, mara, "dismiss")
    shown = world.database.read_now(sla_views.explain, "INC-1", ROOT, world.clock.now())
    assert shown is not None
