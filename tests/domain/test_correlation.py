"""Where an alert belongs: each strategy, its window, and what happens at its edges."""

from __future__ import annotations

import pytest

from siems.domain.changing import replace
from siems.domain.correlation import Kind, Rules, noise_reduction
from siems.vocabulary import Severity, Strategy

from .correlated import World
from .making import hours, minutes

EDGE = minutes(15)
BEYOND = minutes(15.01)


def world(strategy: Strategy = Strategy.AUTO, **changes: object) -> World:
    return World(rules=replace(Rules(strategy=strategy), **changes))


# strategy: a second alert on (the same asset, the same signature, by the same tool) joins the first
GROUPS = {
    Strategy.ASSET_SIGNATURE: {(1, 1, 0)},
    Strategy.ASSET_SIGNATURE_TOOL: set(),
    Strategy.SIGNATURE: {(1, 1, 0), (0, 1, 1), (0, 1, 0)},
    Strategy.ASSET: {(1, 1, 0), (1, 0, 1), (1, 0, 0)},
    Strategy.AUTO: {(1, 1, 0)},
}


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("same", [(a, s, t) for a in (0, 1) for s in (0, 1) for t in (0, 1) if (a, s, t) != (1, 1, 1)])
def test_each_strategy_groups_by_its_own_fields_and_no_other(strategy, same) -> None:
    model = world(strategy)
    model.fire("web-1", "high_cpu", tool_source="Datadog")
    asset, signature, tool = same
    second = model.fire(
        "web-1" if asset else "web-2",
        "high_cpu" if signature else "disk_full",
        tool_source="Datadog" if tool else "Zabbix",
    )
    assert second.kind is (Kind.JOIN if same in GROUPS[strategy] else Kind.OPEN)


def test_the_same_tool_on_the_same_asset_and_signature_joins_when_tools_are_told_apart() -> None:
    model = world(Strategy.ASSET_SIGNATURE_TOOL)
    model.fire(dedup_key="a")
    assert model.fire(dedup_key="b").kind is Kind.JOIN


@pytest.mark.parametrize("strategy", [Strategy.SIGNATURE, Strategy.ASSET])
def test_a_window_counts_from_the_last_alert_and_includes_its_edge(strategy) -> None:
    model = world(strategy)
    model.fire(dedup_key="a")
    model.now += EDGE
    assert model.fire(dedup_key="b").kind is Kind.JOIN
    model.now += EDGE
    assert model.fire(dedup_key="c").kind is Kind.JOIN
    model.now += BEYOND
    opened = model.fire(dedup_key="d")
    assert (opened.kind, opened.recurrence_of) == (Kind.OPEN, None)
    assert model.fire(dedup_key="e").incident_id == 2


@pytest.mark.parametrize("strategy", [Strategy.ASSET_SIGNATURE, Strategy.ASSET_SIGNATURE_TOOL, Strategy.AUTO])
def test_the_same_on_the_same_asset_joins_however_late_while_it_is_open(strategy) -> None:
    model = world(strategy)
    model.fire(dedup_key="a")
    model.now += hours(40)
    assert model.fire(dedup_key="b").kind is Kind.JOIN


def test_switched_off_every_fingerprint_is_an_incident_of_its_own() -> None:
    model = world(enabled=False)
    assert model.fire(dedup_key="a").kind is Kind.OPEN
    assert model.fire(dedup_key="b").kind is Kind.OPEN
    model.resolve(1)
    again = model.fire(dedup_key="a")
    assert (again.kind, again.incident_id, again.rule) == (Kind.REOPEN, 1, "fingerprint")


@pytest.mark.parametrize("strategy", Strategy)
def test_what_fires_within_the_reopen_window_reopens_and_later_recurs(strategy) -> None:
    model = world(strategy)
    model.fire()
    model.resolve(1)
    model.now += minutes(30)
    assert (model.fire().kind, model.incidents[1].open) == (Kind.REOPEN, True)
    model.resolve(1)
    model.now += minutes(30.01)
    again = model.fire()
    assert (again.kind, again.incident_id, again.recurrence_of) == (Kind.OPEN, None, 1)
    assert "INC-1" in again.evidence
    assert model.incidents[2].recurrence_of == 1


def test_below_the_minimum_an_alert_waits_and_the_last_one_opens() -> None:
    model = world(Strategy.SIGNATURE, min_alerts=3)
    first = model.fire("a")
    assert (first.kind, first.incident_id) == (Kind.WAIT, None)
    assert first.evidence == "1 of 3 alerts within 15 min"
    assert model.fire("b").kind is Kind.WAIT
    assert model.fire("c").kind is Kind.OPEN
    assert set(model.went.values()) == {1}
    assert model.fire("d").kind is Kind.JOIN


def test_the_minimum_is_counted_over_the_window() -> None:
    model = world(Strategy.SIGNATURE, min_alerts=2)
    model.fire("a")
    model.now += BEYOND
    assert model.fire("b").kind is Kind.WAIT
    model.now += EDGE
    assert model.fire("c").kind is Kind.OPEN


def test_critical_ignores_the_minimum_and_high_does_not() -> None:
    model = world(min_alerts=5)
    assert model.fire("a", severity=Severity.CRITICAL).kind is Kind.OPEN
    assert model.fire("b", severity=Severity.HIGH).kind is Kind.WAIT


def test_the_minimum_holds_back_neither_joining_nor_reopening() -> None:
    model = world(min_alerts=5)
    model.fire(severity=Severity.CRITICAL)
    assert model.fire(dedup_key="b").kind is Kind.JOIN
    model.resolve(1)
    assert model.fire(dedup_key="b").kind is Kind.REOPEN


def test_three_assets_with_one_signature_fold_into_the_oldest() -> None:
    model = world()
    model.fire("a")
    model.now += minutes(5)
    assert model.fire("b").kind is Kind.OPEN
    model.now += minutes(5)
    third = model.fire("c")
    assert (third.kind, third.rule, third.incident_id) == (Kind.JOIN, "auto:2", 1)
    assert (third.absorb, third.link) == ((2,), ())
    assert third.evidence == "high_cpu on 3 assets within 15 min"
    assert model.incidents[2].merged_into == 1
    assert set(model.incidents[1].assets) == {"a", "b", "c"}
    assert model.standing() == [1]


def test_of_two_that_opened_together_the_lower_number_survives() -> None:
    model = world()
    model.fire("b")
    model.fire("a")
    assert model.fire("c").incident_id == 1


def test_two_assets_do_not_fold_and_other_signatures_do_not_count() -> None:
    model = world()
    model.fire("a")
    model.fire("b")
    model.fire("c", "disk_full")
    assert model.fire("a", tool_source="Zabbix").rule == "asset|signature"
    assert len(model.standing()) == 3


@pytest.mark.parametrize(("gap", "folds"), [(EDGE, True), (BEYOND, False)])
def test_the_window_of_folding_includes_its_edge(gap, folds) -> None:
    model = world()
    model.fire("a")
    model.now += gap
    model.fire("b")
    assert (model.fire("c").kind is Kind.JOIN) == folds


@pytest.mark.parametrize(("gap", "joins"), [(EDGE, True), (BEYOND, False)])
def test_after_folding_another_asset_joins_within_the_window(gap, joins) -> None:
    model = world()
    for asset in "abc":
        model.fire(asset)
    model.now += gap
    fourth = model.fire("d")
    assert (fourth.kind is Kind.JOIN) == joins
    if joins:
        assert (fourth.incident_id, fourth.rule) == (1, "auto:2")
        assert "3 other assets" in fourth.evidence


def test_an_asset_of_the_absorbed_keeps_finding_the_survivor() -> None:
    model = world()
    for asset in "abc":
        model.fire(asset)
    model.now += hours(3)
    again = model.fire("b", tool_source="Zabbix")
    assert (again.kind, again.incident_id, again.rule) == (Kind.JOIN, 1, "asset|signature")


def test_what_a_person_touched_is_linked_and_never_absorbed() -> None:
    model = world()
    model.fire("a")
    model.fire("b")
    model.touch(2)
    third = model.fire("c")
    assert (third.incident_id, third.absorb, third.link) == (1, (), (2,))
    assert model.incidents[2].open
    assert model.fire("b", tool_source="Zabbix").incident_id == 2


def test_the_oldest_survives_although_a_person_touched_it() -> None:
    model = world()
    model.fire("a")
    model.touch(1)
    model.fire("b")
    third = model.fire("c")
    assert (third.incident_id, third.absorb, third.link) == (1, (2,), ())


def test_what_was_resolved_is_no_survivor() -> None:
    model = world()
    model.fire("a")
    model.fire("b")
    model.resolve(1)
    model.resolve(2)
    assert model.fire("c").kind is Kind.OPEN
    assert model.fire("d").kind is Kind.OPEN
    assert model.fire("e").incident_id == 3


@pytest.mark.parametrize(("alerts", "incidents", "percent"), [(0, 0, 0), (100, 5, 95), (4, 4, 0), (1, 2, 0)])
def test_noise_reduction_is_what_did_not_reach_a_person(alerts, incidents, percent) -> None:
    assert noise_reduction(alerts=alerts, incidents=incidents) == pytest.approx(percent)
