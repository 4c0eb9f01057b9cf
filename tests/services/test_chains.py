"""Chains of every kind: expect a page, let time pass, expect the next level, ack, expect silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from siems.domain.permissions import Actor
from siems.vocabulary import Role, State

from .chains import available, on_call, policy, step
from .test_escalation import steps
from .world import ACME, BETA, ROOT, World


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


@pytest.fixture
def ben(world: World) -> Actor:
    return world.hire("ben", Role.TECHNICIAN, ACME)


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


def told(world: World, event: str, ref: str = "INC-1") -> list[str]:
    rows = world.rows("SELECT user_id FROM notification WHERE event = :e AND object = :o ORDER BY id", e=event, o=ref)
    return [row["user_id"] for row in rows]


# --- whom a step reaches ---------------------------------------------------------------------------------------


def test_user_schedule_and_oncall_are_paged_and_strangers_to_the_company_are_not(
    world: World, ana, ben, mara, monkeypatch
) -> None:
    stranger = world.hire("sam", Role.TECHNICIAN, BETA)
    on_call(monkeypatch, world, ben.id, stranger.id, night=mara.id)
    policy(world, step("oncall"), step("user:ana", "schedule:night"), step("schedule:nobody", "role:admin"))
    world.fires()
    assert world.notices("incident.opened") == {ben.id}
    world.passes(minutes=10)
    assert set(steps(world)[0]["paged"]) == {ana.id, mara.id}
    world.passes(minutes=10)
    assert steps(world)[1]["paged"] == [ROOT.id]


def test_an_unowned_incident_pages_who_is_on_call(world: World, ana, ben, monkeypatch) -> None:
    on_call(monkeypatch, world, ben.id)
    world.fires()
    assert world.notices("incident.opened") == {ben.id}


@pytest.mark.parametrize("word", ["busy", "away"])
def test_an_owner_who_is_not_available_gets_the_inbox_and_who_is_on_call_the_page(
    world: World, ana, ben, mara, monkeypatch, word
) -> None:
    on_call(monkeypatch, world, ben.id)
    policy(world, step("role:admin", wait="10m"), step("owner"), reassign=False)
    world.fires()
    world.act(mara, "assign", to=ana.id)
    available(world, ana.id, word)
    world.passes(minutes=10)
    assert steps(world)[0]["paged"] == [ben.id]
    assert {ana.id, ben.id} <= world.notices("incident.escalated")
    assert world.incident().assignee == ana.id


def test_an_owner_who_is_on_call_is_paged_although_busy(world: World, ana, ben, mara, monkeypatch) -> None:
    on_call(monkeypatch, world, ana.id)
    policy(world, step("role:admin", wait="10m"), step("owner"))
    world.fires()
    world.act(mara, "assign", to=ana.id)
    available(world, ana.id, "busy")
    world.passes(minutes=10)
    assert steps(world)[0]["paged"] == [ana.id]


def test_a_webhook_alone_counts_as_somebody_and_is_named(world: World, ana) -> None:
    policy(world, step("webhook:https://hooks.example/x"), step("role:admin"))
    world.fires()
    assert world.incident().escalation_level == 1
    assert any("hooks.example" in line for line in world.story())
    assert told(world, "incident.opened") == []


# --- conditions ------------------------------------------------------------------------------------------------


def test_a_step_whose_condition_is_not_met_is_skipped_at_once_and_says_so(world: World, ana, mara) -> None:
    policy(world, step("owner"), step("role:manager", when={"severity": "CRITICAL"}), step("role:admin"))
    world.fires()
    world.passes(minutes=10)
    assert world.incident().escalation_level == 3
    assert any("level 2 is only for CRITICAL" in line for line in world.story())


def test_a_time_window_is_looked_at_when_the_step_is_due(world: World, ana, mara) -> None:
    hours = {"from": "12:05", "until": "12:15", "zone": "UTC"}
    assert world.clock.now() < datetime(2027, 1, 1, tzinfo=UTC)
    now = world.clock.now()
    hours["from"] = f"{now + timedelta(minutes=5):%H:%M}"
    hours["until"] = f"{now + timedelta(minutes=15):%H:%M}"
    policy(world, step("role:manager", when=hours), step("role:technician"), step("role:manager", when=hours), repeat=0)
    world.fires()
    assert world.incident().escalation_level == 2
    assert world.notices("incident.opened") == {ana.id}
    assert any("begins at level 2: level 1 is only" in line for line in world.story())
    world.passes(minutes=10)
    assert world.incident().escalation_level == 3


def test_by_hand_and_now_a_condition_does_not_count(world: World, ana, mara) -> None:
    policy(world, step("owner"), step("role:manager", when={"severity": "CRITICAL"}), step("role:admin"))
    world.fires()
    world.act(ana, "escalate", reason="x", now=True)
    assert world.incident().escalation_level == 2


def test_a_person_may_be_named_and_owns_it_from_then_on(world: World, ana, ben, mara) -> None:
    world.fires()
    world.act(ana, "escalate", to="mara", reason="knows that switch")
    incident = world.incident()
    assert (incident.assignee, incident.escalation_level) == (mara.id, 2)
    assert steps(world)[0]["paged"] == [mara.id]
    world.act(ana, "escalate", to="ben", reason="or that one")
    assert (world.incident().assignee, world.incident().escalation_level) == (ben.id, 3)


def test_nobody_home_is_said_loudly(world: World, ana) -> None:
    policy(world, step("schedule:empty"), step("user:ana", when={"severity": "CRITICAL"}))
    world.fires()
    assert world.notices("incident.nobody_paged") == {ROOT.id}
    assert any("NOBODY WAS PAGED" in line for line in world.story())
    [entry] = world.rows("SELECT chain, object FROM audit_entry WHERE action = 'escalation.nobody'")
    assert entry == {"chain": "msp", "object": "INC-1"}
    assert "escalation" not in world.deadlines()


def test_a_step_that_is_not_important_is_told_and_goes_on_in_time(world: World, ana, mara) -> None:
    policy(world, step("owner", important=False), step("role:manager"))
    world.fires()
    assert world.notices("incident.opened") == {ana.id}
    world.passes(minutes=10)
    assert world.incident().escalation_level == 2


# --- strategies ------------------------------------------------------------------------------------------------

QUIET = {"unacknowledged": {}}


def test_age_escalates_what_is_severe_once_even_after_an_ack(world: World, ana, mara) -> None:
    strategies = QUIET | {"severity_age": {"severity": "HIGH", "after": "2h"}}
    policy(world, step("owner"), step("role:manager"), step("role:admin"), strategies=strategies, ack_timeout="off")
    world.fires()
    world.act(ana, "ack")
    world.fires("b", "disk_full", severity="MEDIUM")
    world.act(ana, "ack", "INC-2")
    world.passes(minutes=119, seconds=59)
    assert steps(world) == []
    assert ("INC-1", "strategy") in world.passes(seconds=1)
    assert [s["cause"] for s in steps(world)] == ["severity_age"]
    world.passes(hours=30)
    assert len(steps(world)) == 1
    assert world.incident("INC-2").escalation_level == 1


@pytest.mark.parametrize("keys", [("",) * 9, tuple("abcdefghi")], ids=["repeats", "joins"])
def test_a_score_escalates_when_more_alerts_reach_it_and_once(
    world: World, ana, mara, keys: tuple[str, ...]
) -> None:  # fmt: skip
    policy(
        world, step("owner"), step("role:manager"), strategies=QUIET | {"priority": {"score": 66}}, ack_timeout="off"
    )
    first, *few = ({"dedup_key": key or None} for key in keys)
    world.fires(**first)
    world.act(ana, "ack")
    for one in few[:2]:
        world.fires(**one)
        assert world.tick() == []
    world.fires(**few[2])
    assert world.tick() == [("INC-1", "strategy")]
    assert steps(world)[0]["cause"] == "priority"
    for one in few[3:]:
        world.fires(**one)
        assert world.tick() == []
    assert world.incident("INC-1").alert_count + world.incident("INC-1").repeat_count == len(keys)


def test_a_policy_without_the_breach_does_not_escalate_for_it(world: World, ana, mara) -> None:
    policy(world, step("owner", wait=None), step("role:manager"), strategies=QUIET)
    world.fires()
    assert ("INC-1", "sla_response") in world.passes(hours=9)
    assert steps(world) == []
    assert world.incident().clocks.breached()


# --- still on it? ----------------------------------------------------------------------------------------------


def test_the_owner_is_asked_and_without_an_answer_the_chain_resumes(world: World, ana, ben, mara, monkeypatch) -> None:
    on_call(monkeypatch, world, ben.id)
    world.fires(severity="CRITICAL")
    world.act(ana, "ack")
    cycle = world.incident().position.cycle
    world.passes(minutes=29, seconds=59)
    assert told(world, "incident.still_on_it") == []
    world.passes(seconds=1)
    assert told(world, "incident.still_on_it") == [ana.id]
    world.passes(minutes=10)
    incident = world.incident()
    assert (incident.state, incident.acknowledged_at, incident.assignee) == (State.ASSIGNED, None, ana.id)
    assert set(told(world, "incident.ack_timed_out")) == {ana.id, ben.id}
    assert incident.position.cycle == cycle + 1
    world.passes(minutes=5)
    assert world.incident().escalation_level == 2


@pytest.mark.parametrize("answer", ["ack", "note", "start", "hold"])
def test_any_act_is_an_answer_and_begins_the_time_anew(world: World, ana, mara, answer) -> None:
    world.fires(severity="CRITICAL")
    world.act(ana, "ack")
    world.passes(minutes=35)
    until = world.clock.now() + timedelta(hours=1)
    world.act(ana, answer, note="x", **({"hold_for": "client", "until": until} if answer == "hold" else {}))
    world.passes(minutes=29)
    assert len(told(world, "incident.still_on_it")) == 1
    assert world.incident().acknowledged_at is not None


def test_who_works_on_it_answers_with_an_ack(world: World, ana) -> None:
    world.fires(severity="CRITICAL")
    world.act(ana, "start")
    assert not world.act(ana, "ack").changed
    world.passes(minutes=30)
    assert world.act(ana, "ack").changed
    assert world.incident().state is State.IN_PROGRESS
    world.passes(minutes=29)
    assert len(told(world, "incident.still_on_it")) == 1


@pytest.mark.parametrize("severity", ["MEDIUM", "LOW"])
def test_nobody_is_asked_about_what_is_not_urgent(world: World, ana, severity) -> None:
    world.fires(severity=severity)
    world.act(ana, "ack")
    assert "ack_timeout" not in world.deadlines()


def test_a_lapse_after_downtime_happens_once(world: World, ana, mara) -> None:
    world.fires(severity="CRITICAL")
    world.act(ana, "ack")
    world.clock.advance(hours=3)
    world.restart()
    assert ("INC-1", "ack_timeout") in world.tick()
    assert told(world, "incident.still_on_it") == [ana.id]
    assert world.deadlines()["ack_timeout"] == world.clock.now() + timedelta(minutes=10)


def test_an_undo_of_an_ack_takes_the_question_back(world: World, ana) -> None:
    world.fires(severity="CRITICAL")
    world.act(ana, "ack")
    world.act(ana, "undo")
    assert "ack_timeout" not in world.deadlines()
    assert "escalation" in world.deadlines()


# --- coming back -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [True, False])
def test_an_alert_that_reopens_it_leaves_it_with_who_is_on_call(world: World, ana, ben, monkeypatch, there) -> None:
    on_call(monkeypatch, world, ana.id if there else ben.id)
    world.fires()
    world.act(ana, "resolve", note="done")
    world.fires()
    incident = world.incident()
    assert (incident.state, incident.assignee) == (State.OPEN, ana.id if there else None)
    assert world.notices("incident.reopened") == {ana.id if there else ben.id}


def test_a_reopened_incident_is_escalated_for_its_age_again_counted_from_then(world: World, ana, mara) -> None:
    strategies = QUIET | {"severity_age": {"severity": "HIGH", "after": "2h"}}
    policy(world, step("owner"), step("role:manager"), step("role:admin"), strategies=strategies, ack_timeout="off")
    world.fires()
    world.act(ana, "ack")
    world.passes(hours=2)
    assert [s["cause"] for s in steps(world)] == ["severity_age"]
    world.act(ana, "resolve", note="done")
    world.passes(minutes=20)
    world.act(ana, "reopen", reason="it is back")
    assert world.incident().reopened_at == world.clock.now()
    world.passes(hours=1, minutes=59)
    assert len(steps(world)) == 1
    world.passes(minutes=1)
    assert [s["cause"] for s in steps(world)] == ["severity_age"] * 2
