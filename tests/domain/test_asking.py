"""Hosts of a run that ask: what they may be answered, and how the run goes over the others meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.asking import HostAnswer, answered, asking, begins_at, called, closed, possible
from siems.domain.rollout import done, failures, goes_on, next_hosts, verdict
from siems.domain.run import PAUSED, HostState, Plan, RunHost, RunState
from siems.domain.runbook import OnFailure, Phase
from siems.domain.runbook_text import read
from siems.errors import Conflict

from .test_rollout import hosts

S, A = HostState, HostAnswer
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def asked(host: RunHost) -> RunHost:
    return asking(replace(host, step=2, phase="steps"), "a step failed: act", NOW)


def said(host: RunHost, answer: HostAnswer) -> RunHost:
    after = answered("RUN-1", host, answer, by="user-jon", name="Jon", now=NOW)
    assert after is not None
    return after


def test_what_each_answer_makes_of_a_host() -> None:
    one = asked(hosts(1)[0])
    assert not one.state.over
    assert possible(one) == (A.SKIP, A.RETRY, A.HOLD, A.GO_ON)
    skipped = said(one, A.SKIP)
    assert (skipped.state, skipped.detail) == (S.SKIPPED, "left out by Jon: a step failed: act")
    assert skipped.changed, "it had come as far as its steps, so a rollback is for it, too"
    assert begins_at(said(one, A.RETRY)) == 2
    assert begins_at(said(one, A.GO_ON)) == 3
    held = said(one, A.HOLD)
    assert A.HOLD not in possible(held)
    assert begins_at(said(held, A.GO_ON)) == 3


def test_the_same_twice_changes_nothing_and_what_asks_nothing_is_not_answered() -> None:
    one = asked(hosts(1)[0])
    for answer in A:
        assert answered("RUN-1", said(one, answer), answer, by="user-eve", name="Eve", now=NOW) is None
    with pytest.raises(Conflict, match="asks nothing"):
        answered("RUN-1", said(one, A.SKIP), A.RETRY, by="user-eve", name="Eve", now=NOW)
    with pytest.raises(Conflict, match="web-1 of RUN-1 asks nothing: running"):
        answered("RUN-1", replace(hosts(1)[0], state=S.RUNNING), A.SKIP, by="user-eve", name="Eve", now=NOW)
    again = asked(said(one, A.RETRY))
    assert again.answer == "", "another question has no answer yet"


def test_the_others_go_on_and_a_host_that_asks_counts_as_failed_until_it_is_answered() -> None:
    plan = Plan(canary=0, parallel=2, max_failures=1)
    found = [asked(one) if one.position == 1 else one for one in hosts(4)]
    assert [one.name for one in next_hosts(found, plan)] == ["web-2", "web-3"], "it takes no place"
    found[1] = asked(found[1])
    assert failures(found) == 2
    assert next_hosts(found, plan) == []
    assert done(found, plan)
    held = [said(found[0], A.HOLD), *found[1:]]
    assert [one.name for one in next_hosts(held, plan)] == ["web-3", "web-4"], "somebody has it in hand"


def test_a_host_that_was_sent_on_begins_however_many_have_failed() -> None:
    plan = Plan(canary=1, parallel=4, max_failures=0)
    found = hosts(4)
    found[0], found[1] = said(asked(found[0]), A.RETRY), replace(found[1], state=S.FAILED)
    assert [one.name for one in next_hosts(found, plan)] == ["web-1"]
    assert goes_on(found, plan)


def test_the_others_wait_for_a_canary_that_is_held_and_not_for_one_that_is_left_out() -> None:
    plan = Plan(canary=1, parallel=4)
    first, *rest = hosts(3)
    assert next_hosts([asked(first), *rest], plan) == []
    assert next_hosts([said(asked(first), A.HOLD), *rest], plan) == []
    assert len(next_hosts([said(asked(first), A.SKIP), *rest], plan)) == 2


@settings(max_examples=80)
@given(st.integers(1, 6), st.integers(0, 3), st.integers(1, 3), st.data())
def test_every_run_ends_whatever_is_answered_in_whatever_order(
    count: int, allowed: int, parallel: int, data: st.DataObject
) -> None:
    """Nobody is lost: with every question answered the run is over, and what is left over never began."""
    plan, found = Plan(canary=data.draw(st.integers(0, 2)), parallel=parallel, max_failures=allowed), hosts(count)
    for turn in range(200):
        begun = {one.name for one in next_hosts(found, plan)}
        found = [replace(one, state=S.RUNNING, answer="") if one.name in begun else one for one in found]
        running = [one for one in found if one.state is S.RUNNING]
        paused = [one for one in found if one.state in PAUSED]
        assert len(running) <= parallel
        if running:
            one, end = running[0], data.draw(st.sampled_from([S.SUCCEEDED, S.FAILED, S.ASKING]))
            after = asked(one) if end is S.ASKING else replace(one, state=end)
        elif paused:
            one = paused[0]
            choices = [answer for answer in possible(one) if turn < 40 or answer is not A.RETRY]
            after = said(one, data.draw(st.sampled_from(choices)))
        else:
            break
        found[found.index(one)] = after
    else:
        pytest.fail("it never ended")
    assert not any(called(one) for one in found)
    never = closed(found, S.CANCELLED, "too many have failed", NOW)
    assert {one.state for one in never} <= {S.SKIPPED}
    names = {one.name for one in never}
    state, _ = verdict([*never, *(one for one in found if one.name not in names)], cancelled=False)
    assert (state is RunState.SUCCEEDED) == all(one.state is S.SUCCEEDED for one in found)


TEXT = """\
name: try-out
title: Try it out
risk: low
platforms: [linux]
steps:
  - {name: act, run: 'true', on_failure: %s}
verify: [{name: well, run: 'true'}]
"""


def test_a_runbook_says_which_step_asks() -> None:
    found, problems = read(TEXT % "ask")
    assert (found is not None, problems) == (True, ())
    assert found is not None
    assert found.phases[Phase.STEPS][0].on_failure is OnFailure.ASK
    assert found.phases[Phase.VERIFY][0].on_failure is OnFailure.STOP
    nothing, [problem] = read(TEXT % "aks")
    assert nothing is None
    assert (problem.line, problem.hint) == (6, "did you mean ask?")
