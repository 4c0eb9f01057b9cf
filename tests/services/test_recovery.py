"""What was firing goes quiet, comes back, flaps, or waits until there is enough of it."""

from __future__ import annotations

import pytest

from siems.vocabulary import Role, Severity, State

from .world import ACME, World


@pytest.fixture
def ana(world: World):
    return world.hire("ana", Role.TECHNICIAN, ACME)


# --- recovery --------------------------------------------------------------------------------------------------


def test_a_recovery_of_nothing_is_accepted_and_changes_nothing(world: World) -> None:
    assert world.recovers()["message"] == "nothing active to resolve"
    assert world.count("alert") == 0
    assert world.count("incident") == 0


def test_the_system_resolves_after_a_quiet_delay_and_without_a_fake_ack(world: World) -> None:
    world.fires()
    world.clock.advance(minutes=1)
    assert world.recovers()["message"] == "resolved"
    assert world.passes(minutes=4, seconds=59) == []
    assert world.incident().state is State.OPEN
    assert world.passes(seconds=1) == [("INC-1", "auto_resolve")]
    incident = world.incident()
    assert (incident.state, incident.resolved_by, incident.acknowledged_at) == (State.RESOLVED, "system", None)
    assert incident.clocks.response_cancelled
    assert incident.clocks.response_met_at is None


def test_one_alert_that_is_still_active_holds_the_resolution(world: World) -> None:
    world.fires()
    world.fires(tool_source="Zabbix")
    world.recovers()
    assert world.passes(minutes=6) == []
    assert world.incident().state is State.OPEN
    world.recovers(tool_source="Zabbix")
    assert world.passes(minutes=5) == [("INC-1", "auto_resolve")] or world.incident().state is State.RESOLVED


def test_a_firing_within_the_quiet_delay_takes_the_resolution_back(world: World) -> None:
    world.fires()
    world.recovers()
    world.clock.advance(minutes=2)
    answer = world.fires()
    assert (answer["alert_id"], answer["incident_id"]) == ("ALR-2", "INC-1")
    world.passes(minutes=8)
    assert world.incident().open
    assert "auto_resolve" not in world.deadlines()


def test_a_company_may_switch_automatic_resolution_off(world: World) -> None:
    world.settings(auto_resolve=False)
    world.fires()
    world.recovers()
    world.passes(minutes=10)
    assert world.incident().open


def test_switching_it_off_also_holds_what_has_already_recovered(world: World) -> None:
    world.fires()
    world.recovers()
    world.settings(auto_resolve=False)
    world.passes(minutes=10)
    assert world.incident().open


def test_a_longer_quiet_delay_counts_for_what_has_already_recovered(world: World) -> None:
    world.fires()
    world.recovers()
    world.settings(quiet_minutes=12)
    world.passes(minutes=6)
    assert world.incident().open
    world.passes(minutes=6)
    assert world.incident().state is State.RESOLVED


def test_resolving_by_a_person_resolves_the_alerts_and_a_later_firing_is_a_new_row(world: World, ana) -> None:
    world.fires()
    world.act(ana, "resolve", note="restarted")
    assert [row["status"] for row in world.rows("SELECT status FROM alert")] == ["resolved"]
    assert world.fires()["alert_id"] == "ALR-2"


# --- coming back -----------------------------------------------------------------------------------------------


def test_a_firing_within_the_reopen_window_reopens_with_a_new_cycle_and_a_new_response_clock(world: World, ana) -> None:
    world.fires()
    world.act(ana, "resolve", note="restarted")
    world.clock.advance(minutes=29)
    assert world.fires()["incident_id"] == "INC-1"
    incident = world.incident()
    assert (incident.state, incident.acknowledged_at, incident.assignee) == (State.OPEN, None, None)
    assert (incident.clocks.response_due - world.clock.now()).total_seconds() == 2 * 3600
    assert incident.position.cycle > 1
    assert incident.position.step == 0
    assert world.deadlines()["escalation"] > world.clock.now()
    assert "auto_close" not in world.deadlines()


def test_the_time_it_was_resolved_does_not_count_against_the_resolution(world: World, ana) -> None:
    world.fires()
    due = world.incident().clocks.resolution_due
    world.clock.advance(minutes=10)
    world.act(ana, "resolve", note="restarted")
    world.clock.advance(minutes=20)
    world.fires()
    assert (world.incident().clocks.resolution_due - due).total_seconds() == 20 * 60


def test_a_firing_after_the_reopen_window_opens_a_recurrence(world: World, ana) -> None:
    world.fires()
    world.act(ana, "resolve", note="restarted")
    world.clock.advance(minutes=31)
    assert world.fires()["incident_id"] == "INC-2"
    assert world.incident("INC-2").recurrence_of == 1
    assert world.incident("INC-1").state is State.RESOLVED


def test_a_recurrence_is_what_later_alerts_join_even_after_a_restart(world: World, ana) -> None:
    world.fires()
    world.act(ana, "resolve", note="restarted")
    world.clock.advance(minutes=31)
    world.fires()
    world.restart()
    assert world.fires(tool_source="Zabbix")["incident_id"] == "INC-2"


@pytest.mark.parametrize("again", [False, True], ids=["running", "restarted"])
def test_alerts_join_an_incident_that_a_person_reopened_from_closed(world: World, ana, again) -> None:
    mara = world.hire("mara", Role.MANAGER, ACME)
    world.fires()
    world.act(ana, "resolve", note="restarted")
    world.act(mara, "close")
    world.act(ana, "reopen", reason="not gone")
    if again:
        world.restart()
    assert world.fires()["incident_id"] == "INC-1"


@pytest.mark.parametrize("again", [False, True], ids=["running", "restarted"])
def test_a_reopened_incident_does_not_take_alerts_away_from_its_recurrence(world: World, ana, again) -> None:
    mara = world.hire("mara", Role.MANAGER, ACME)
    world.fires()
    world.act(ana, "resolve", note="restarted")
    world.act(mara, "close")
    world.fires()
    world.act(ana, "reopen", reason="was never gone")
    if again:
        world.restart()
    assert world.fires(tool_source="Zabbix")["incident_id"] == "INC-2"


def test_resolved_incidents_close_by_themselves_after_72_hours(world: World, ana) -> None:
    world.fires()
    world.act(ana, "resolve", note="restarted")
    world.passes(hours=71, minutes=59)
    assert world.incident().state is State.RESOLVED
    assert world.passes(minutes=1) == [("INC-1", "auto_close")]
    assert world.incident().state is State.CLOSED
    assert world.deadlines() == {}
    assert world.fires()["incident_id"] == "INC-2"


# --- flapping --------------------------------------------------------------------------------------------------


def flap(world: World, times: int) -> None:
    for _ in range(times):
        world.clock.advance(minutes=1)
        world.recovers()
        world.clock.advance(minutes=1)
        world.fires()


def test_four_transitions_within_the_window_are_flapping(world: World) -> None:
    world.fires()
    flap(world, 1)
    assert not world.incident().flapping
    flap(world, 1)
    assert world.incident().flapping
    assert any("flapping" in line for line in world.story())


def test_flapping_holds_the_automatic_resolution_until_it_is_calm(world: World) -> None:
    world.fires()
    flap(world, 2)
    world.recovers()
    world.passes(minutes=10)
    assert world.incident().open
    fired = [kind for _, kind in world.passes(minutes=10) if kind != "escalation"]
    assert fired == ["flap_end", "auto_resolve"]
    assert world.incident().state is State.RESOLVED


# --- waiting for enough ----------------------------------------------------------------------------------------


def test_below_the_minimum_an_alert_waits_without_an_incident(world: World) -> None:
    world.settings(min_alerts=3)
    assert world.fires()["incident_id"] is None
    assert world.fires(tool_source="Zabbix")["incident_id"] is None
    assert world.fires(tool_source="Nagios")["incident_id"] == "INC-1"
    incident = world.incident()
    assert (incident.alert_count, incident.active_count, incident.tool_sources) == (
        3, 3, ("Datadog", "Zabbix", "Nagios"),
    )  # fmt: skip
    assert {row["incident_id"] for row in world.rows("SELECT incident_id FROM alert")} == {1}


def test_repeats_count_towards_the_minimum(world: World) -> None:
    world.settings(min_alerts=3)
    assert [world.fires()["incident_id"] for _ in range(3)] == [None, None, "INC-1"]
    assert (world.incident().alert_count, world.incident().repeat_count) == (1, 2)


def test_critical_does_not_wait_and_takes_those_that_waited_with_it(world: World) -> None:
    world.settings(min_alerts=5)
    world.fires()
    assert world.fires(severity="CRITICAL", tool_source="Zabbix")["incident_id"] == "INC-1"
    assert world.incident().alert_count == 2
    assert world.incident().severity is Severity.CRITICAL


def test_what_waited_is_still_waiting_after_a_restart(world: World) -> None:
    world.settings(min_alerts=3)
    world.fires()
    world.fires(tool_source="Zabbix")
    world.restart()
    assert world.fires(tool_source="Nagios")["incident_id"] == "INC-1"
    assert world.incident().alert_count == 3


def test_firings_outside_of_the_window_do_not_count_towards_the_minimum(world: World) -> None:
    world.settings(min_alerts=2)
    world.fires()
    world.clock.advance(minutes=16)
    assert world.fires(tool_source="Zabbix")["incident_id"] is None


def test_an_alert_that_waited_recovered_and_fires_again_counts_once(world: World) -> None:
    world.settings(min_alerts=3)
    world.fires()
    world.recovers()
    assert world.fires()["incident_id"] is None
    assert world.fires(tool_source="Zabbix")["incident_id"] is None
    assert world.fires(tool_source="Nagios")["incident_id"] == "INC-1"
    assert world.incident().alert_count == world.count("alert", "incident_id = 1") == 3


def test_an_alert_that_waits_is_taken_along_by_others_that_open_an_incident_for_it(world: World) -> None:
    world.settings(min_alerts=2)
    world.fires("d")
    for asset in ("a", "b", "c"):
        world.fires(asset, severity="CRITICAL")
    assert world.incident().asset_count == 4
    assert world.fires("d")["incident_id"] == "INC-1"
    assert (world.incident().alert_count, world.incident().active_count) == (4, 4)
    assert world.rows("SELECT count, incident_id FROM alert WHERE id = 1") == [{"count": 2, "incident_id": 1}]
