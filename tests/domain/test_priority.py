"""The priority score, term by term."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain import priority
from siems.domain.priority import DEFAULT_WEIGHTS, Weights
from siems.vocabulary import Severity

from .making import T0, hours, incident, minutes


def score(severity=Severity.LOW, *, critical_asset=False, duplicates=0, tools=1, age=timedelta(0)) -> int:
    return sum(
        priority.terms(
            severity,
            critical_asset=critical_asset,
            duplicates=duplicates,
            tools=tools,
            created_at=T0,
            as_of=T0 + age,
        ).values()
    )


def test_the_worked_example_is_128() -> None:
    terms = priority.terms(
        Severity.CRITICAL, critical_asset=True, duplicates=5, tools=2, created_at=T0, as_of=T0 + hours(2)
    )
    assert terms == {"base": 90, "critical_asset": 20, "duplicates": 10, "multi_tool": 10, "age": -2}
    assert sum(terms.values()) == 128


@pytest.mark.parametrize(
    ("severity", "base"),
    [(Severity.LOW, 10), (Severity.MEDIUM, 30), (Severity.HIGH, 60), (Severity.CRITICAL, 90)],
)
def test_severity_is_the_base(severity, base) -> None:
    assert score(severity) == base


@pytest.mark.parametrize(("duplicates", "adds"), [(0, 0), (1, 2), (9, 18), (10, 20), (11, 20), (10_000, 20)])
def test_duplicates_add_two_each_and_at_most_twenty(duplicates, adds) -> None:
    assert score(duplicates=duplicates) == 10 + adds


@pytest.mark.parametrize(("tools", "adds"), [(0, 0), (1, 0), (2, 10), (5, 10)])
def test_a_second_tool_adds_ten_and_a_third_nothing(tools, adds) -> None:
    assert score(tools=tools) == 10 + adds


@pytest.mark.parametrize(
    ("age", "takes"),
    [
        (minutes(59), 0),
        (hours(1), 1),
        (minutes(119), 1),
        (hours(10), 10),
        (hours(11), 10),
        (hours(900), 10),
        (hours(-3), 0),
    ],
)
def test_age_takes_one_per_full_hour_and_at_most_ten(age, takes) -> None:
    assert score(age=age) == 10 - takes


@pytest.mark.parametrize(("alerts", "repeats", "many"), [(1, 0, 0), (1, 5, 5), (3, 0, 2), (3, 4, 6), (0, 0, 0)])
def test_duplicates_are_the_repeats_and_the_alerts_but_one(alerts, repeats, many) -> None:
    assert priority.duplicates(alert_count=alerts, repeat_count=repeats) == many


def test_an_incident_scores_by_what_it_holds() -> None:
    held = incident(
        severity=Severity.CRITICAL,
        critical_asset=True,
        alert_count=2,
        repeat_count=4,
        tool_sources=("Datadog", "Zabbix"),
    )
    assert held.static_score(DEFAULT_WEIGHTS) == 130


def test_weights_are_settings() -> None:
    weights = Weights(critical_asset=5, per_duplicate=1, duplicates_at_most=3, several_tools=7, age_at_most=1)
    terms = priority.terms(
        Severity.LOW,
        critical_asset=True,
        duplicates=9,
        tools=2,
        created_at=T0,
        as_of=T0 + hours(9),
        weights=weights,
    )
    assert terms == {"base": 10, "critical_asset": 5, "duplicates": 3, "multi_tool": 7, "age": -1}


@settings(max_examples=60, deadline=None)
@given(
    severity=st.sampled_from(Severity),
    critical_asset=st.booleans(),
    duplicates=st.integers(0, 50),
    tools=st.integers(0, 4),
    age=st.integers(0, 2_000).map(minutes),
)
def test_the_static_score_and_the_age_are_all_there_is(severity, critical_asset, duplicates, tools, age) -> None:
    static = priority.static_score(severity, critical_asset=critical_asset, duplicates=duplicates, tools=tools)
    total = score(severity, critical_asset=critical_asset, duplicates=duplicates, tools=tools, age=age)
    assert total == static - priority.age_term(T0, as_of=T0 + age)
    assert 0 <= total <= 140
