"""Strategies: pure functions by name, each with a verdict and the time from which it counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.domain.changing import replace
from siems.domain.correlation import Rules
from siems.domain.deadlines import DueKind, deadlines_of
from siems.domain.escalation import DEFAULT_POLICY, Cause, Policy
from siems.domain.priority import DEFAULT_WEIGHTS
from siems.domain.strategies import STRATEGIES, pending, timed, verdict_of
from siems.vocabulary import Severity, State

from .making import T0, TARGET, hours, incident, minutes


def having(**strategies: object) -> Policy:
    return replace(DEFAULT_POLICY, strategies=strategies)


AGE = having(severity_age={"severity": "HIGH", "after": "2h"})
SCORE = having(priority={"score": 70})


def test_every_name_loads_and_calls_itself_by_it() -> None:
    assert list(STRATEGIES) == ["manual", "priority", "severity_age", "sla_breach", "unacknowledged"]
    assert [STRATEGIES.get(name).name for name in STRATEGIES] == list(STRATEGIES)


def test_the_default_policy_asks_nothing_of_the_incident_itself() -> None:
    assert not timed(DEFAULT_POLICY)
    assert timed(AGE)
    assert pending(incident(), DEFAULT_POLICY, DEFAULT_WEIGHTS) is None


def test_age_counts_from_the_opening_for_what_is_severe_enough_and_once() -> None:
    found = pending(incident(), AGE, DEFAULT_WEIGHTS)
    assert found is not None
    assert (found.cause, found.verdict.due_at) == (Cause.SEVERITY_AGE, T0 + hours(2))
    for other in (
        incident(severity=Severity.MEDIUM), incident(advanced_by=("severity_age",)), incident(recovered_at=T0),
        incident(state=State.RESOLVED), incident(merged_into=3),
    ):  # fmt: skip
        assert pending(other, AGE, DEFAULT_WEIGHTS) is None


@pytest.mark.parametrize(("repeats", "reached"), [(4, False), (5, True)])
def test_a_score_is_due_at_the_alert_that_reached_it(repeats: int, reached: bool) -> None:
    at = T0 + minutes(20)
    found = pending(incident(repeat_count=repeats, last_alert_at=at), SCORE, DEFAULT_WEIGHTS)
    assert (found is not None) == reached
    if found is not None:
        assert (found.cause, found.verdict.due_at) == (Cause.PRIORITY, at)


def test_age_takes_from_a_score() -> None:
    late = incident(repeat_count=5, last_alert_at=T0 + hours(1))
    assert pending(late, SCORE, DEFAULT_WEIGHTS) is None


def test_a_breach_counts_only_where_the_policy_has_it_and_a_person_always() -> None:
    clocks = incident().clocks
    broken = incident(clocks=replace(clocks, response_breached_at=clocks.response_due))
    found = verdict_of("sla_breach", broken, DEFAULT_POLICY, DEFAULT_WEIGHTS)
    assert found is not None
    assert (found.due_at, found.reason) == (clocks.response_due, "response deadline passed")
    assert verdict_of("sla_breach", broken, AGE, DEFAULT_WEIGHTS) is None
    assert verdict_of("sla_breach", incident(), DEFAULT_POLICY, DEFAULT_WEIGHTS) is None
    assert verdict_of("manual", incident(), AGE, DEFAULT_WEIGHTS) is not None
    assert verdict_of("manual", incident(state=State.CLOSED), AGE, DEFAULT_WEIGHTS) is None


def test_an_ack_or_a_start_ends_what_waits_for_one() -> None:
    waits = incident(escalates_at=T0 + minutes(15))
    assert verdict_of("unacknowledged", waits, DEFAULT_POLICY, DEFAULT_WEIGHTS) is not None
    for done in (replace(waits, acknowledged_at=T0), replace(waits, state=State.IN_PROGRESS)):
        assert verdict_of("unacknowledged", done, DEFAULT_POLICY, DEFAULT_WEIGHTS) is None


def test_deadlines_follow_from_the_strategies_and_from_the_ack() -> None:
    asked = incident(acknowledged_at=T0, ack_due_at=T0 + hours(1))
    due = deadlines_of(asked, Rules(), TARGET, policy=AGE)
    assert due[DueKind.STRATEGY] == T0 + hours(2)
    assert due[DueKind.ACK_TIMEOUT] == T0 + hours(1)
    held = replace(asked, hold_until=T0 + timedelta(days=1))
    assert DueKind.ACK_TIMEOUT not in deadlines_of(held, Rules(), TARGET, policy=AGE)
    assert DueKind.ACK_TIMEOUT not in deadlines_of(replace(asked, recovered_at=T0), Rules(), TARGET, policy=AGE)
