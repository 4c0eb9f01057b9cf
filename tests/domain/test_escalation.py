"""One chain: time repeats it and ends, a breach and a person are capped, and the level never falls."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.escalation import (
    DEFAULT_POLICY,
    Cause,
    Policy,
    Position,
    Step,
    StepTarget,
    TargetKind,
    advance,
    first_wait,
)
from siems.vocabulary import Severity

from .making import minutes

TIME = Cause.UNACKNOWLEDGED


def chain(length: int = 4, repeat: int = 2) -> Policy:
    owner = (StepTarget(TargetKind.OWNER),)
    steps = tuple(Step(n, owner, {Severity.HIGH: minutes(n)}) for n in range(1, length + 1))
    return Policy("test", steps, repeat=repeat)


def go(policy, step, *, round_=0, level=1, cause=TIME, empty=(), to_level=None, severity=Severity.HIGH):
    """Advance from a step (from 0); `empty` are the steps (from 0) that nobody is behind."""
    staffed = {i: i not in empty for i in range(len(policy.steps))}
    return advance(
        policy,
        Position(3, round_, step),
        level=level,
        severity=severity,
        cause=cause,
        staffed=staffed,
        to_level=to_level,
    )


def levels(policy: Policy, severity: Severity, *, empty=()) -> list[tuple[timedelta, int]]:
    """(time since the opening, level paged) as time alone drives the chain."""
    out, position, at, wait = [], Position(), timedelta(0), first_wait(policy, severity)
    while wait is not None and len(out) < 100:
        at += wait
        staffed = {i: i not in empty for i in range(len(policy.steps))}
        taken = advance(policy, position, level=1, severity=severity, cause=TIME, staffed=staffed)
        if taken is None:
            break
        out.append((at, taken.step.level))
        position, wait = taken.position, taken.wait
    return out


@pytest.mark.parametrize(("severity", "two", "three"), [(Severity.CRITICAL, 5, 15), (Severity.HIGH, 15, 45)])
def test_the_default_policy_reaches_managers_and_admins_at_their_times(severity, two, three) -> None:
    assert levels(DEFAULT_POLICY, severity)[:2] == [(minutes(two), 2), (minutes(three), 3)]


@pytest.mark.parametrize("severity", [Severity.MEDIUM, Severity.LOW])
def test_time_drives_nothing_below_high(severity) -> None:
    assert first_wait(DEFAULT_POLICY, severity) is None
    assert go(DEFAULT_POLICY, 0, cause=Cause.SLA_BREACH, severity=severity).wait is None


def test_the_default_policy_pages_owner_then_managers_then_admins_and_repeats_twice() -> None:
    labels = [[target.label() for target in step.targets] for step in DEFAULT_POLICY.steps]
    assert labels == [["owner"], ["manager"], ["admin"]]
    assert [level for _, level in levels(DEFAULT_POLICY, Severity.CRITICAL)] == [2, 3, 1, 2, 3, 1, 2, 3]
    assert DEFAULT_POLICY.reassign


@pytest.mark.parametrize("repeat", [0, 1, 5])
def test_time_repeats_the_chain_as_often_as_the_policy_says(repeat) -> None:
    paged = [level for _, level in levels(chain(3, repeat), Severity.HIGH)]
    assert paged == [2, 3] + [1, 2, 3] * repeat


def test_the_last_step_of_the_last_pass_waits_for_nobody() -> None:
    end = go(chain(3, repeat=1), 1, round_=1)
    assert end.exhausted
    assert end.wait is None
    assert go(chain(3, repeat=1), 2, round_=1) is None
    before = go(chain(3, repeat=1), 1, round_=0)
    assert (before.exhausted, before.wait) == (False, minutes(3))


def test_a_step_without_anyone_is_skipped_and_named() -> None:
    taken = go(chain(), 0, empty=(1, 2))
    assert taken.step.level == 4
    assert taken.level == 4
    assert taken.skipped == (2, 3)
    assert taken.position == Position(3, 0, 3)


def test_a_step_further_up_is_not_named_before_it_is_reached() -> None:
    taken = go(chain(), 0, empty=(2,))
    assert (taken.step.level, taken.skipped) == (2, ())


def test_a_new_pass_names_what_it_skips_at_the_end_and_at_the_start() -> None:
    taken = go(chain(), 2, empty=(0, 3))
    assert (taken.step.level, taken.skipped) == (2, (4, 1))
    assert taken.position == Position(3, 1, 1)


@pytest.mark.parametrize("empty", [(2,), (1, 2), (0, 2), (0, 1)])
def test_a_chain_with_empty_steps_ends_like_any_other(empty) -> None:
    paged = [level for _, level in levels(DEFAULT_POLICY, Severity.CRITICAL, empty=empty)]
    there = [n for n in (1, 2, 3) if n - 1 not in empty]
    assert paged == [n for n in there if n > 1] + there * 2


@pytest.mark.parametrize("cause", [TIME, Cause.SLA_BREACH, Cause.MANUAL])
def test_with_nobody_behind_any_step_there_is_no_next_one(cause) -> None:
    assert go(chain(), 0, cause=cause, empty=(0, 1, 2, 3)) is None


@pytest.mark.parametrize("cause", [Cause.SLA_BREACH, Cause.MANUAL])
def test_a_breach_and_a_person_advance_one_step_and_stay_at_the_last(cause) -> None:
    assert go(chain(), 1, cause=cause).step.level == 3
    capped = go(chain(), 3, round_=2, level=4, cause=cause)
    assert (capped.step.level, capped.level, capped.position) == (4, 4, Position(3, 2, 3))


@pytest.mark.parametrize("cause", [Cause.SLA_BREACH, Cause.MANUAL])
def test_a_breach_pages_the_highest_step_that_somebody_is_behind(cause) -> None:
    taken = go(chain(), 1, level=2, cause=cause, empty=(2, 3))
    assert (taken.step.level, taken.skipped) == (2, (3, 4))


def test_a_person_may_name_the_level() -> None:
    assert go(chain(), 0, cause=Cause.MANUAL, to_level=3).step.level == 3
    assert go(chain(), 0, cause=Cause.MANUAL, to_level=9).step.level == 4
    over = go(chain(), 0, cause=Cause.MANUAL, to_level=2, empty=(1,))
    assert (over.step.level, over.skipped) == (3, (2,))


def test_the_wait_is_that_of_the_step_and_severity() -> None:
    assert go(chain(), 0).wait == minutes(2)
    assert go(chain(), 0, severity=Severity.LOW).wait is None


def test_a_position_names_its_life_pass_and_step() -> None:
    assert Position(2, 1, 0).key() == "2.1.0"


@settings(max_examples=100, deadline=None)
@given(
    length=st.integers(1, 5),
    repeat=st.integers(0, 5),
    empty=st.sets(st.integers(0, 4)),
    causes=st.lists(st.sampled_from([TIME, Cause.SLA_BREACH, Cause.MANUAL]), max_size=30),
)
def test_whatever_advances_it_the_level_never_falls_and_nobody_empty_is_paged(length, repeat, empty, causes) -> None:
    policy, position, level = chain(length, repeat), Position(3), 1
    staffed = {i: i not in empty for i in range(length)}
    for cause in causes:
        taken = advance(policy, position, level=level, severity=Severity.HIGH, cause=cause, staffed=staffed)
        if taken is None:
            assert cause is TIME or not any(staffed.values())
            continue
        index = taken.step.level - 1
        assert staffed[index]
        assert all(not staffed[skipped - 1] for skipped in taken.skipped)
        assert taken.level == max(level, taken.step.level)
        assert taken.position.cycle == 3
        assert position.round <= taken.position.round <= repeat
        position, level = taken.position, taken.level


@settings(max_examples=60, deadline=None)
@given(length=st.integers(1, 5), repeat=st.integers(0, 5), empty=st.sets(st.integers(0, 4)))
def test_time_alone_always_comes_to_an_end(length, repeat, empty) -> None:
    assert len(levels(chain(length, repeat), Severity.HIGH, empty=empty)) <= length * (repeat + 1)
