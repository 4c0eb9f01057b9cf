"""How a run goes over its hosts, played through with every order of ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.rollout import done, failures, longest, next_hosts, verdict
from siems.domain.run import HostState, Plan, RunHost, RunState
from siems.vocabulary import Platform

S = HostState


def hosts(count: int) -> list[RunHost]:
    return [
        RunHost(name=f"web-{number}", position=number, platform=Platform.LINUX, executor="ssh")
        for number in range(1, count + 1)
    ]


def play(count: int, plan: Plan, ends: list[S]) -> tuple[list[RunHost], list[list[str]]]:
    """Every host that begins ends as `ends` says, one at a time; (how it ended, who began together)."""
    found, rounds = hosts(count), []
    while True:
        begun = [host.name for host in next_hosts(found, plan)]
        if begun:
            rounds.append(begun)
        found = [replace(h, state=S.RUNNING) if h.name in begun else h for h in found]
        running = [host for host in found if host.state is S.RUNNING]
        assert len(running) <= plan.parallel
        if not running:
            assert done(found, plan)
            return found, rounds
        place = found.index(running[0])
        found[place] = replace(running[0], state=ends[place])


def test_the_canary_goes_alone_and_the_others_some_at_a_time() -> None:
    _, rounds = play(6, Plan(canary=1, parallel=3), [S.SUCCEEDED] * 6)
    assert rounds == [["web-1"], ["web-2", "web-3", "web-4"], ["web-5"], ["web-6"]]


def test_if_the_canary_fails_no_other_begins_whatever_may_fail() -> None:
    found, rounds = play(5, Plan(canary=1, parallel=4, max_failures=4), [S.UNREACHABLE] + [S.SUCCEEDED] * 4)
    assert rounds == [["web-1"]]
    assert verdict([replace(h, state=S.SKIPPED) if h.state is S.WAITING else h for h in found], cancelled=False) == (
        RunState.FAILED, "1 unreachable, 4 skipped",
    )  # fmt: skip


def test_a_run_of_no_more_hosts_than_the_canary_has_none() -> None:
    assert play(2, Plan(canary=2, parallel=4), [S.FAILED, S.SUCCEEDED])[1] == [["web-1", "web-2"]]


@settings(max_examples=60)
@given(
    count=st.integers(1, 12), canary=st.integers(0, 4), parallel=st.integers(1, 5), budget=st.integers(0, 4),
    ends=st.lists(st.sampled_from([S.SUCCEEDED, S.FAILED, S.TIMED_OUT, S.UNREACHABLE]), min_size=12, max_size=12),
)  # fmt: skip
def test_never_more_fail_than_may_and_those_that_run_beside_them(
    count: int, canary: int, parallel: int, budget: int, ends: list[S]
) -> None:
    found, _ = play(count, Plan(canary=canary, parallel=parallel, max_failures=budget), ends)
    assert failures(found) <= max(budget, canary if canary < count else 0) + parallel
    waiting = [host for host in found if host.state is S.WAITING]
    if not failures(found):
        assert not waiting
        assert verdict(found, cancelled=False)[0] is RunState.SUCCEEDED
    if waiting:
        assert failures(found) > 0


def test_how_long_it_may_take_follows_from_its_rounds() -> None:
    each, minute = timedelta(minutes=5), timedelta(minutes=1)
    assert longest(1, Plan(canary=1), each) == each + minute
    assert longest(5, Plan(canary=1, parallel=4), each) == 2 * each + minute
    assert longest(10, Plan(canary=1, parallel=4), each) == 4 * each + minute
