"""The two clocks: what pauses them, what moves them, and what never does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain import sla
from siems.domain.changing import replace
from siems.vocabulary import Action, HoldReason, Severity

from .making import T0, TARGET, act, after, hours, incident, minutes

CLOCKS = sla.begin(TARGET, now=T0)
FAST = sla.Target(minutes(30), hours(4))
spans = st.integers(min_value=0, max_value=5_000).map(minutes)


@pytest.mark.parametrize(
    ("severity", "response", "resolution"),
    [
        (Severity.CRITICAL, minutes(30), hours(4)),
        (Severity.HIGH, hours(2), hours(8)),
        (Severity.MEDIUM, hours(8), hours(24)),
        (Severity.LOW, hours(24), hours(48)),
    ],
)
def test_the_default_targets_are_those_of_the_contract(severity, response, resolution) -> None:
    clocks = sla.begin(sla.DEFAULT_TARGETS[severity], now=T0)
    assert (clocks.response_due, clocks.resolution_due) == (T0 + response, T0 + resolution)


@pytest.mark.parametrize(
    ("target", "before"),
    [(minutes(30), minutes(7.5)), (hours(2), minutes(30)), (hours(1), minutes(15)), (hours(48), minutes(30))],
)
def test_the_warning_comes_the_smaller_of_half_an_hour_and_a_quarter_before(target, before) -> None:
    clocks = sla.begin(sla.Target(target, hours(8)), now=T0)
    warns, resolution_warns = sla.warnings_due(clocks, sla.Target(target, hours(8)))
    assert warns == T0 + target - before
    assert resolution_warns == T0 + hours(8) - minutes(30)


def test_a_warning_that_was_set_is_never_before_the_opening() -> None:
    target = sla.Target(minutes(10), hours(1), warn=minutes(20))
    clocks = sla.begin(target, now=T0)
    assert sla.warnings_due(clocks, target) == (T0, T0 + minutes(40))


def test_the_first_human_act_stops_the_response_clock_and_the_second_does_not_move_it() -> None:
    once = sla.respond(CLOCKS, now=T0 + minutes(4))
    assert once.response_met_at == T0 + minutes(4)
    assert sla.respond(once, now=T0 + minutes(9)) == once


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(spans, spans), max_size=6))
def test_the_resolution_deadline_moves_by_exactly_what_was_paused(holds) -> None:
    clocks, now, stood = CLOCKS, T0, timedelta(0)
    for runs, stands in holds:
        now += runs
        clocks = sla.pause(clocks, now=now)
        clocks = sla.pause(clocks, now=now + stands / 2)
        now += stands
        clocks = sla.unpause(clocks, now=now)
        clocks = sla.unpause(clocks, now=now + minutes(1))
        stood += stands
    assert clocks.resolution_due == CLOCKS.resolution_due + stood
    assert clocks.paused == stood
    assert clocks.response_due == CLOCKS.response_due


def test_a_clock_that_has_stopped_cannot_be_paused() -> None:
    done = sla.resolve(CLOCKS, now=T0 + hours(1), by_person=True)
    assert sla.pause(done, now=T0 + hours(2)) == done


@pytest.mark.parametrize(
    ("reason", "pauses"),
    [
        (HoldReason.CLIENT, True),
        (HoldReason.SCHEDULED, True),
        (HoldReason.VENDOR, False),
        (HoldReason.PARTS, False),
    ],
)
def test_only_the_client_and_the_schedule_pause_the_clock(reason, pauses) -> None:
    held = act(after(incident(), Action.ACK), Action.HOLD, hold_reason=reason, until=T0 + hours(5)).incident
    back = act(held, Action.RESUME, now=T0 + hours(3)).incident
    assert back.clocks.resolution_due == CLOCKS.resolution_due + (hours(3) if pauses else hours(0))


def test_another_reason_ends_the_pause_of_the_first() -> None:
    ready = after(incident(), Action.ACK)
    held = act(ready, Action.HOLD, hold_reason=HoldReason.CLIENT, until=T0 + hours(5)).incident
    now = T0 + hours(1)
    other = act(held, Action.HOLD, hold_reason=HoldReason.PARTS, until=T0 + hours(5), now=now).incident
    assert other.clocks.paused_since is None
    assert other.clocks.resolution_due == CLOCKS.resolution_due + hours(1)


@settings(max_examples=80, deadline=None)
@given(elapsed=spans)
def test_a_higher_severity_takes_the_earlier_of_the_old_deadline_and_the_new_target(elapsed) -> None:
    now = T0 + elapsed
    raised = sla.raise_severity(CLOCKS, FAST, now=now)
    assert raised.response_due == min(T0 + hours(2), now + minutes(30))
    assert raised.resolution_due == min(T0 + hours(8), now + hours(4))


def test_a_higher_severity_moves_no_clock_that_was_met() -> None:
    met = sla.respond(CLOCKS, now=T0)
    assert sla.raise_severity(met, FAST, now=T0).response_due == CLOCKS.response_due
    done = sla.resolve(CLOCKS, now=T0, by_person=True)
    assert sla.raise_severity(done, FAST, now=T0) == done


@pytest.mark.parametrize("by_alert", [True, False])
def test_reopening_leaves_out_the_time_it_was_resolved(by_alert) -> None:
    done = sla.resolve(CLOCKS, now=T0 + hours(1), by_person=True)
    assert done.resolution_met_at == T0 + hours(1)
    again = sla.reopen(done, now=T0 + hours(6), target=TARGET, by_alert=by_alert)
    assert again.resolution_due == CLOCKS.resolution_due + hours(5)
    assert again.resolution_met_at is None


def test_only_an_alert_asks_for_a_new_response() -> None:
    done = sla.resolve(CLOCKS, now=T0 + hours(1), by_person=True)
    by_alert = sla.reopen(done, now=T0 + hours(6), target=TARGET, by_alert=True)
    assert by_alert.response_open
    assert by_alert.response_due == T0 + hours(8)
    by_person = sla.reopen(done, now=T0 + hours(6), target=TARGET, by_alert=False)
    assert by_person.response_met_at == T0 + hours(1)
    assert by_person.response_due == CLOCKS.response_due


def test_a_breach_that_was_recorded_stands_through_everything() -> None:
    late = replace(CLOCKS, response_breached_at=T0 + hours(2), resolution_breached_at=T0 + hours(8))
    now = T0 + hours(9)
    clocks = sla.resolve(sla.respond(late, now=now), now=now, by_person=True)
    clocks = sla.reopen(clocks, now=now + hours(1), target=TARGET, by_alert=True)
    clocks = sla.raise_severity(clocks, FAST, now=now + hours(1))
    clocks = sla.unpause(sla.pause(clocks, now=now + hours(1)), now=now + hours(2))
    clocks = sla.strictest(clocks, CLOCKS)
    assert clocks.breached()
    assert (clocks.response_breached_at, clocks.resolution_breached_at) == (T0 + hours(2), T0 + hours(8))


def test_the_system_cancels_an_unmet_response_and_it_stays_cancelled() -> None:
    first = sla.resolve(CLOCKS, now=T0 + hours(1), by_person=False)
    assert (first.response_cancelled, first.response_met_at) == (True, None)
    again = sla.reopen(first, now=T0 + hours(2), target=TARGET, by_alert=False)
    second = sla.resolve(again, now=T0 + hours(3), by_person=False)
    assert (second.response_cancelled, second.response_met_at) == (True, None)


def test_the_system_does_not_cancel_what_was_met() -> None:
    done = sla.resolve(sla.respond(CLOCKS, now=T0), now=T0 + hours(1), by_person=False)
    assert (done.response_cancelled, done.response_met_at) == (False, T0)


def test_resolving_ends_the_pause() -> None:
    done = sla.resolve(sla.pause(CLOCKS, now=T0), now=T0 + hours(3), by_person=True)
    assert done.paused_since is None
    assert done.resolution_due == CLOCKS.resolution_due + hours(3)


def test_merging_keeps_the_strictest_open_deadline_of_each_clock() -> None:
    strict = replace(CLOCKS, response_due=T0 + hours(1), resolution_due=T0 + hours(12))
    assert sla.strictest(CLOCKS, strict).response_due == T0 + hours(1)
    assert sla.strictest(CLOCKS, strict).resolution_due == T0 + hours(8)
    assert sla.strictest(strict, CLOCKS).resolution_due == T0 + hours(8)


def test_merging_ignores_clocks_that_have_stopped() -> None:
    strict = replace(CLOCKS, response_due=T0 + hours(1), resolution_due=T0 + hours(1))
    met = sla.resolve(strict, now=T0, by_person=True)
    assert sla.strictest(CLOCKS, met) == CLOCKS
    assert sla.strictest(met, CLOCKS) == met
