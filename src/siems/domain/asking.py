"""A host of a run that asks: what it may be answered, and what becomes of it then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from siems.domain.run import PAUSED, HostState, Run, RunHost
from siems.domain.runbook import OnFailure, Phase, Step
from siems.errors import Conflict
from siems.vocabulary import Platform


class HostAnswer(StrEnum):
    """`skip` leaves the host out, `retry` runs the step again, `hold` leaves it as it is, `go-on` takes the next."""

    SKIP = "skip"
    RETRY = "retry"
    HOLD = "hold"
    GO_ON = "go-on"


_SENT = (HostAnswer.RETRY.value, HostAnswer.GO_ON.value)
_POSSIBLE = {
    HostState.ASKING: (HostAnswer.SKIP, HostAnswer.RETRY, HostAnswer.HOLD, HostAnswer.GO_ON),
    HostState.HELD: (HostAnswer.SKIP, HostAnswer.RETRY, HostAnswer.GO_ON),
}


def steps_of(run: Run, platform: Platform) -> tuple[tuple[Phase, Step], ...]:
    """All that a run does on a host of this platform, in order: the first is its step 1."""
    return tuple((phase, step) for phase in run.plan.phases for step in run.runbook.steps(phase, platform))


def asks(run: Run, platform: Platform, number: int) -> bool:
    """Whether a host asks when this step fails. What runs by itself asks nobody: nobody waits for it."""
    steps = steps_of(run, platform)
    return not run.heals and 0 < number <= len(steps) and steps[number - 1][1].on_failure is OnFailure.ASK


def called(host: RunHost) -> bool:
    """Whether a person has sent it on, and it has not begun yet."""
    return host.state is HostState.WAITING and host.answer in _SENT


def begins_at(host: RunHost) -> int:
    """The number of the step that it begins with."""
    if not called(host):
        return 1
    return host.step if host.answer == HostAnswer.RETRY.value else host.step + 1


def possible(host: RunHost) -> tuple[HostAnswer, ...]:
    """What it may be answered now."""
    return _POSSIBLE.get(host.state, ())


def asking(host: RunHost, detail: str, now: datetime) -> RunHost:
    """A step failed there, and somebody has to say what now."""
    return replace(host, state=HostState.ASKING, detail=detail, asked_at=now, answer="", answered_by="")


def answered(ref: str, host: RunHost, answer: HostAnswer, *, by: str, name: str, now: datetime) -> RunHost | None:
    """The host once it was answered, None where the same was said before. Raises Conflict where it does not ask."""
    if answer not in possible(host):
        if host.answer == answer.value:
            return None
        hint = f"siems runbook status {ref}"
        raise Conflict(f"{host.name} of {ref} asks nothing: {host.state.value.replace('_', ' ')}", hint=hint)
    match answer:
        case HostAnswer.HOLD:
            state = HostState.HELD
        case HostAnswer.SKIP:
            state = HostState.SKIPPED
        case HostAnswer.RETRY | HostAnswer.GO_ON:
            state = HostState.WAITING
    out = state is HostState.SKIPPED
    return replace(
        host, state=state, answer=answer.value, answered_by=by, ended_at=now if out else None,
        detail=f"left out by {name}: {host.detail}" if out else host.detail,
    )  # fmt: skip


def closed(hosts: Sequence[RunHost], begun: HostState, why: str, now: datetime) -> list[RunHost]:
    """Those alone that were not over, ended: what had begun there ends as `begun`, the others never begin."""
    ended = []
    for host in hosts:
        if host.state in PAUSED or called(host):
            ended.append(replace(host, state=begun, detail=f"{why}; {host.detail}", ended_at=now))
        elif host.state is HostState.WAITING:
            ended.append(replace(host, state=HostState.SKIPPED, detail=why))
    return ended
