"""Two clocks per incident: they warn, they breach, they pause, and what is recorded stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.domain.permissions import Actor
from siems.vocabulary import Role

from .world import ACME, World


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


@pytest.mark.parametrize(
    ("severity", "response", "resolution"),
    [("CRITICAL", 0.5, 4), ("HIGH", 2, 8), ("MEDIUM", 8, 24), ("LOW", 24, 48)],
)
def test_the_targets_are_those_of_the_severity(world: World, severity, response, resolution) -> None:
    world.fires(severity=severity)
    clocks, now = world.incident().clocks, world.clock.now()
    assert clocks.response_due == now + timedelta(hours=response)
    assert clocks.resolution_due == now + timedelta(hours=resolution)


@pytest.mark.parametrize(
    ("severity", "warns"), [("CRITICAL", 22.5), ("HIGH", 90), ("MEDIUM", 450), ("LOW", 24 * 60 - 30)]
)
def test_a_warning_comes_a_quarter_of_the_target_or_half_an_hour_before(world: World, severity, warns) -> None:
    world.fires(severity=severity)
    assert world.deadlines()["sla_response"] == world.clock.now() + timedelta(minutes=warns)


def test_a_warning_tells_the_current_level_and_does_not_escalate(world: World, ana, mara) -> None:
    world.fires(severity="MEDIUM")
    fired = world.passes(minutes=450)
    assert fired == [("INC-1", "sla_response")]
    assert world.notices("sla.warned") == {ana.id}
    told = world.rows("SELECT subject FROM notification WHERE event = 'sla.warned'")
    assert [row["subject"] for row in told] == [f"INC-1: response is due Tue 20:00 UTC: {world.incident().title}"]
    assert world.incident().escalation_level == 1
    assert world.incident().clocks.response_breached_at is None
    assert world.deadlines()["sla_response"] == world.incident().clocks.response_due


def test_a_breach_is_recorded_at_its_due_time_once(world: World, ana, mara) -> None:
    world.fires(severity="MEDIUM")
    due = world.incident().clocks.response_due
    world.passes(hours=9)
    assert world.incident().clocks.response_breached_at == due
    assert world.incident().escalation_level == 2
    assert "sla_response" not in world.deadlines()
    assert world.count("timeline", "text = 'response deadline was missed'") == 1


def test_after_a_downtime_a_late_breach_carries_the_time_it_was_due(world: World, ana) -> None:
    world.fires(severity="MEDIUM")
    due = world.incident().clocks.response_due
    world.clock.advance(hours=12)
    world.restart()
    world.tick()
    assert world.incident().clocks.response_breached_at == due


@pytest.mark.parametrize("action", ["ack", "start", "assign"])
def test_the_first_human_act_stops_the_response_clock(world: World, ana, action) -> None:
    world.fires()
    world.clock.advance(minutes=7)
    world.act(ana, action, to="@me")
    assert world.incident().clocks.response_met_at == world.clock.now()
    assert "sla_response" not in world.deadlines()


def test_a_note_or_an_escalation_does_not_stop_the_response_clock(world: World, ana, mara) -> None:
    world.fires()
    world.act(ana, "note", note="looking")
    world.passes(minutes=15)
    assert world.incident().assignee == mara.id
    assert world.incident().clocks.response_met_at is None


@pytest.mark.parametrize(
    ("reason", "pauses"), [("client", True), ("scheduled", True), ("vendor", False), ("parts", False)]
)
def test_only_what_is_not_ours_pauses_the_resolution_clock(world: World, ana, reason, pauses) -> None:
    world.fires()
    world.act(ana, "ack")
    due = world.incident().clocks.resolution_due
    world.act(ana, "hold", hold_for=reason, until=world.clock.now() + timedelta(hours=3))
    assert ("sla_resolution" in world.deadlines()) is not pauses
    world.passes(hours=3)
    incident = world.incident()
    assert not incident.on_hold
    assert incident.clocks.resolution_due - due == timedelta(hours=3 if pauses else 0)
    assert ana.id in world.notices("incident.resumed")


def test_resuming_early_moves_the_deadline_by_what_it_stood_still(world: World, ana) -> None:
    world.fires()
    world.act(ana, "ack")
    due = world.incident().clocks.resolution_due
    world.act(ana, "hold", hold_for="client", until=world.clock.now() + timedelta(hours=3))
    world.passes(minutes=40)
    world.act(ana, "resume")
    assert world.incident().clocks.resolution_due == due + timedelta(minutes=40)
    assert "hold_end" not in world.deadlines()


def test_a_hold_ends_when_it_gets_worse(world: World, ana) -> None:
    world.fires(severity="LOW")
    world.act(ana, "ack")
    world.act(ana, "hold", hold_for="client", until=world.clock.now() + timedelta(hours=3))
    world.passes(minutes=10)
    world.fires(severity="CRITICAL")
    assert not world.incident().on_hold
    assert world.incident().clocks.paused_since is None
    assert "hold_end" not in world.deadlines()


def test_a_resolution_stops_both_clocks_and_a_reopening_goes_on_with_the_rest(world: World, ana) -> None:
    world.fires()
    due = world.incident().clocks.resolution_due
    world.clock.advance(hours=1)
    world.act(ana, "resolve", note="restarted")
    assert set(world.deadlines()) == {"auto_close"}
    world.clock.advance(hours=2)
    world.act(ana, "reopen", reason="not gone")
    assert world.incident().clocks.resolution_due == due + timedelta(hours=2)
    assert world.incident().clocks.response_met_at is not None


def test_a_breach_stands_after_a_reopening_but_the_new_response_clock_runs(world: World, ana, mara) -> None:
    world.fires(severity="CRITICAL")
    world.passes(minutes=31)
    breached = world.incident().clocks.response_breached_at
    assert breached is not None
    world.act(ana, "resolve", note="restarted")
    world.fires(severity="CRITICAL")
    assert world.incident().clocks.response_breached_at == breached
    assert "sla_response" in world.deadlines()
    world.passes(minutes=31)
    assert world.incident().clocks.response_breached_at == world.incident().clocks.response_due


def test_targets_are_copied_when_an_incident_opens(world: World, ana) -> None:
    from siems.services import companies
    from siems.wire import SlaPolicyAsk

    world.fires()
    due = world.incident().clocks.response_due
    ask = SlaPolicyAsk(severity="high", response_seconds=600)
    world.do(lambda uow: companies.set_sla(uow, world.admin, ACME, ask))
    world.fires(tool_source="Zabbix")
    world.fires("web-2", "disk_full")
    assert world.incident("INC-1").clocks.response_due == due
    assert world.incident("INC-2").clocks.response_due == world.clock.now() + timedelta(minutes=10)


@pytest.mark.parametrize("seconds", [0, -5, 10**13, 10**18, 10**40])
def test_targets_that_no_clock_could_show_are_refused(world: World, seconds) -> None:
    from siems.errors import InvalidField
    from siems.services import companies
    from siems.wire import SlaPolicyAsk

    ask = SlaPolicyAsk(severity="high", response_seconds=seconds)
    with pytest.raises(InvalidField):
        world.do(lambda uow: companies.set_sla(uow, world.admin, ACME, ask))
    assert world.fires()["incident_id"] == "INC-1"
