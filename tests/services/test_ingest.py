"""Taking alerts in: stored once, placed by the rules, counted, recovered, brought back."""

from __future__ import annotations

import pytest

from siems.domain.asset import Facts
from siems.errors import NotFound
from siems.services import assets
from siems.vocabulary import Severity, State

from .world import ACME, BETA, World, reading


def test_a_first_alert_opens_an_incident_and_says_where_it_went(world: World) -> None:
    answer = world.fires("web-1", "high_cpu_usage", "HIGH")
    assert answer == {
        "message": "accepted", "alert_id": "ALR-1", "incident_id": "INC-1", "duplicate": False, "warnings": [],
    }  # fmt: skip
    incident = world.incident()
    assert (incident.title, incident.severity, incident.state) == (
        "High CPU usage on web-1", Severity.HIGH, State.OPEN,
    )  # fmt: skip
    assert (incident.company_id, incident.assets, incident.tool_sources) == (ACME, ("web-1",), ("Datadog",))


def test_the_same_alert_again_is_counted_and_not_stored_anew(world: World) -> None:
    world.fires()
    world.clock.advance(minutes=2)
    answer = world.fires(message="still high")
    assert (answer["message"], answer["alert_id"], answer["duplicate"]) == ("repeated", "ALR-1", False)
    [row] = world.rows("SELECT count, message, last_seen_at - received_at AS later FROM alert")
    assert row == {"count": 2, "message": "still high", "later": 120_000_000}
    assert (world.incident().alert_count, world.incident().repeat_count) == (1, 1)


def test_the_raw_body_is_kept_for_new_alerts_and_not_for_repeats(world: World) -> None:
    world.fires(body=b"first\xff")
    world.fires(body=b"second")
    assert [bytes(row["body"]) for row in world.rows("SELECT body FROM raw_body")] == [b"first\xff"]


def test_another_company_never_shares_an_alert_or_an_incident(world: World) -> None:
    assert world.fires(company=ACME)["incident_id"] == "INC-1"
    assert world.fires(company=BETA)["incident_id"] == "INC-2"
    assert world.fires(company=BETA)["message"] == "repeated"
    assert world.incident("INC-2").company_id == BETA


def test_an_unknown_company_is_refused_and_nothing_is_stored(world: World) -> None:
    with pytest.raises(NotFound):
        world.fires(company="comp-nobody")
    assert world.count("alert") == 0
    assert world.fires()["alert_id"] == "ALR-1"


def test_another_tool_with_the_same_problem_joins_the_incident(world: World) -> None:
    world.fires()
    answer = world.fires(tool_source="Zabbix")
    assert (answer["alert_id"], answer["incident_id"]) == ("ALR-2", "INC-1")
    assert world.incident().tool_sources == ("Datadog", "Zabbix")


def test_one_signature_on_three_assets_folds_into_the_oldest_incident(world: World) -> None:
    for asset in ("a", "b", "c"):
        world.fires(asset, "high_cpu_usage")
        world.clock.advance(seconds=1)
    survivor, absorbed = world.incident("INC-1"), world.incident("INC-2")
    assert survivor.title == "High CPU usage across 3 servers"
    assert (survivor.alert_count, survivor.active_count, set(survivor.assets)) == (3, 3, {"a", "b", "c"})
    assert (absorbed.state, absorbed.merged_into) == (State.CLOSED, 1)
    assert world.deadlines("INC-2") == {}
    assert {row["incident_id"] for row in world.rows("SELECT incident_id FROM alert")} == {1}
    evidence = world.rows("SELECT rule, evidence FROM alert WHERE id = 3")[0]
    assert evidence["rule"] == "auto:2"
    assert "3 assets" in evidence["evidence"]


def test_a_fourth_asset_joins_what_was_folded_and_repeats_still_find_it(world: World) -> None:
    for asset in ("a", "b", "c", "d"):
        assert world.fires(asset)["alert_id"] is not None
    assert world.incident("INC-1").asset_count == 4
    assert world.fires("b")["incident_id"] == "INC-1"
    assert world.fires("b", tool_source="Zabbix")["incident_id"] == "INC-1"


def test_folding_keeps_the_highest_severity_and_the_earliest_deadline(world: World) -> None:
    world.fires("a", severity="LOW")
    world.fires("b", severity="CRITICAL")
    due = world.incident("INC-2").clocks.response_due
    world.fires("c", severity="LOW")
    survivor = world.incident("INC-1")
    assert (survivor.severity, survivor.clocks.response_due) == (Severity.CRITICAL, due)


def test_an_incident_that_a_person_has_touched_is_linked_and_never_absorbed(world: World) -> None:
    ana = world.hire("ana", world.admin.role)
    world.fires("a")
    world.fires("b")
    world.act(ana, "ack", "INC-2")
    world.fires("c")
    assert world.incident("INC-2").state is State.ASSIGNED
    assert world.incident("INC-1").related == (2,)


def test_a_fold_outside_of_the_window_does_not_happen(world: World) -> None:
    world.fires("a")
    world.fires("b")
    world.clock.advance(minutes=16)
    assert world.fires("c")["incident_id"] == "INC-3"


def test_a_higher_severity_raises_the_incident_and_brings_its_deadlines_forward(world: World) -> None:
    world.fires(severity="LOW")
    before = world.incident()
    world.clock.advance(minutes=1)
    world.fires(severity="CRITICAL", tool_source="Zabbix")
    after = world.incident()
    assert after.severity is Severity.CRITICAL
    assert (after.clocks.response_due - world.clock.now()).total_seconds() == 30 * 60
    assert after.version == before.version + 1
    assert any("LOW -> CRITICAL" in line for line in world.story())


def test_a_repeat_may_raise_the_severity_but_a_milder_one_never_lowers_it(world: World) -> None:
    world.fires(severity="MEDIUM")
    world.fires(severity="HIGH")
    world.fires(severity="LOW")
    assert world.incident().severity is Severity.HIGH
    assert world.rows("SELECT severity FROM alert")[0]["severity"] == Severity.HIGH


@pytest.mark.parametrize(
    ("strategy", "second", "together"),
    [
        ("asset|signature", ("web-1", "high_cpu", "Zabbix"), True),
        ("asset|signature", ("web-2", "high_cpu", "Datadog"), False),
        ("asset|signature|tool", ("web-1", "high_cpu", "Zabbix"), False),
        ("signature", ("web-2", "high_cpu", "Zabbix"), True),
        ("signature", ("web-1", "disk_full", "Datadog"), False),
        ("asset", ("web-1", "disk_full", "Datadog"), True),
        ("asset", ("web-2", "high_cpu", "Datadog"), False),
    ],
)
def test_each_strategy_groups_what_its_name_says(world: World, strategy, second, together) -> None:
    world.settings(strategy=strategy)
    world.fires()
    asset, signature, tool = second
    answer = world.fires(asset, signature, tool_source=tool)
    assert (answer["incident_id"] == "INC-1") == together


def test_with_correlation_off_each_fingerprint_is_an_incident(world: World) -> None:
    world.settings(correlation_enabled=False)
    world.fires()
    assert world.fires(tool_source="Zabbix")["incident_id"] == "INC-2"
    assert world.fires()["incident_id"] == "INC-1"


def test_several_alerts_in_a_body_are_answered_in_order(world: World) -> None:
    answer = world.take(reading("a"), reading("b", "disk_full"), reading("a"))
    assert [(a["alert_id"], a["message"]) for a in answer["alerts"]] == [
        ("ALR-1", "accepted"), ("ALR-2", "accepted"), ("ALR-1", "repeated"),
    ]  # fmt: skip
    assert world.count("raw_body") == 1


def test_a_critical_asset_adds_to_the_score_and_is_never_taken_from_an_alert(world: World) -> None:
    world.fires("db-1", labels={"critical": "true"})
    assert world.incident().critical_asset is False
    world.do(lambda uow: assets.edit(uow, world.admin, ACME, "db-1", Facts(critical=True)))
    world.fires("db-1", "disk_full")
    assert world.incident("INC-2").critical_asset is True
