"""How a run goes over its hosts: a few first, some at a time, no further once too many have failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import ceil

from siems.domain.asking import called
from siems.domain.run import BAD, PAUSED, HostState, Plan, RunHost, RunState

MARGIN = timedelta(minutes=1)
FAILING = BAD | {HostState.ASKING}
"""A host that asks counts as failed until somebody has answered."""


def failures(hosts: Sequence[RunHost]) -> int:
    return sum(host.state in FAILING for host in hosts)


def stopped(hosts: Sequence[RunHost], plan: Plan) -> bool:
    """Whether no further host may begin: more have failed than may, or any of the first few."""
    return failures(hosts) > plan.max_failures or any(host.state in FAILING for host in _first(hosts, plan))


def next_hosts(hosts: Sequence[RunHost], plan: Plan) -> list[RunHost]:
    """Those that may begin now, in their order. The first few go alone, and the others wait for their success.

    A host that a person has sent on goes before them, however many have failed.
    """
    sent = [host for host in hosts if called(host)]
    waiting = [host for host in hosts if host.state is HostState.WAITING and not called(host)]
    if stopped(hosts, plan):
        waiting = []
    free = plan.parallel - sum(host.state is HostState.RUNNING for host in hosts)
    first = _first(hosts, plan)
    if any(not host.state.over for host in first):
        waiting = [host for host in waiting if host in first]
    return [*sent, *waiting][: max(0, free)]


def _first(hosts: Sequence[RunHost], plan: Plan) -> list[RunHost]:
    """The canary. A run of no more hosts than that has none: there is nobody left to protect."""
    ordered = sorted(hosts, key=lambda host: host.position)
    return ordered[: plan.canary] if plan.canary < len(ordered) else []


def done(hosts: Sequence[RunHost], plan: Plan) -> bool:
    """Whether nothing runs and nothing will, unless somebody answers."""
    return all(host.state is not HostState.RUNNING for host in hosts) and not next_hosts(hosts, plan)


def goes_on(hosts: Sequence[RunHost], plan: Plan) -> bool:
    """Whether a run that has paused has something to do: a host to begin, or nobody left to wait for."""
    return bool(next_hosts(hosts, plan)) or not any(host.state in PAUSED for host in hosts)


def verdict(hosts: Sequence[RunHost], *, cancelled: bool) -> tuple[RunState, str]:
    """(how the run ended, in words). It succeeds where every host did."""
    good = sum(host.state is HostState.SUCCEEDED for host in hosts)
    if good == len(hosts):
        return RunState.SUCCEEDED, f"all {good} hosts succeeded" if good != 1 else "the host succeeded"
    words = {state: sum(host.state is state for host in hosts) for state in HostState if state.over}
    told = ", ".join(f"{count} {state.value.replace('_', ' ')}" for state, count in words.items() if count)
    return (RunState.CANCELLED if cancelled else RunState.FAILED), told


def longest(count: int, plan: Plan, each: timedelta) -> timedelta:
    """How long a run of so many hosts may take where each may take `each`."""
    first = min(plan.canary, count) if plan.canary < count else 0
    rounds = ceil(first / plan.parallel) + ceil((count - first) / plan.parallel)
    return max(1, rounds) * each + MARGIN
