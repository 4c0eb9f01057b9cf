"""Escalation: one chain of steps, and strategies that only ever advance it (DOMAIN §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from siems.vocabulary import Severity

M = timedelta(minutes=1)


class TargetKind(StrEnum):
    """Whom a step pages."""

    OWNER = "owner"  # the assignee, else who is on call, else the technicians, else the admins
    USER = "user"
    ROLE = "role"


class Cause(StrEnum):
    """The strategy that advances the chain."""

    OPENED = "opened"
    UNACKNOWLEDGED = "unacknowledged"
    SLA_BREACH = "sla_breach"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class StepTarget:
    kind: TargetKind
    name: str = ""

    def label(self) -> str:
        return self.name if self.kind is not TargetKind.OWNER else "owner"


@dataclass(frozen=True, slots=True)
class Step:
    """One level of a chain: whom to page, and how long to wait for an ack before the next one.

    A severity without a wait is not driven by time: only a breach or a person takes the chain further.
    """

    level: int
    targets: tuple[StepTarget, ...]
    waits: Mapping[Severity, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """An ordered chain of steps, repeated `repeat` times; copied into an incident when it opens."""

    name: str
    steps: tuple[Step, ...]
    repeat: int = 2
    reassign: bool = True


@dataclass(frozen=True, slots=True)
class Position:
    """Where an incident stands on its chain: which life of it, which pass over the chain, which step (from 0)."""

    cycle: int = 1
    round: int = 0
    step: int = 0

    def key(self) -> str:
        return f"{self.cycle}.{self.round}.{self.step}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What advancing comes to: the step to take, the level it shows, and until when its ack is awaited."""

    position: Position
    step: Step
    level: int
    skipped: tuple[int, ...]
    wait: timedelta | None
    exhausted: bool = False


DEFAULT_POLICY = Policy(
    name="default",
    steps=(
        Step(1, (StepTarget(TargetKind.OWNER),), {Severity.CRITICAL: 5 * M, Severity.HIGH: 15 * M}),
        Step(2, (StepTarget(TargetKind.ROLE, "manager"),), {Severity.CRITICAL: 10 * M, Severity.HIGH: 30 * M}),
        Step(3, (StepTarget(TargetKind.ROLE, "admin"),), {Severity.CRITICAL: 15 * M, Severity.HIGH: 45 * M}),
    ),
)
"""Used until a company has its own: managers after 5 and 15 min, admins after 15 and 45 min from the opening."""


def first_wait(policy: Policy, severity: Severity) -> timedelta | None:
    """How long step 1 waits for an ack, or None when time does not drive this severity."""
    return policy.steps[0].waits.get(severity)


def advance(
    policy: Policy,
    position: Position,
    *,
    level: int,
    severity: Severity,
    cause: Cause,
    staffed: Mapping[int, bool],
    to_level: int | None = None,
) -> Decision | None:
    """The next step of the chain, or None when it is used up.

    `staffed` tells by step index whether anyone is behind it; steps without anyone are skipped and named.
    Time (`unacknowledged`) repeats the chain from its start as often as the policy says, then stops. A breach
    and a person are capped at the last step, which then repeats.
    """
    last = len(policy.steps) - 1
    if to_level is not None:
        start = next((i for i, step in enumerate(policy.steps) if step.level >= to_level), last)
        pass_ = position.round
    elif position.step < last:
        start, pass_ = position.step + 1, position.round
    elif cause is Cause.UNACKNOWLEDGED:
        if position.round >= policy.repeat:
            return None
        start, pass_ = 0, position.round + 1
    else:
        start, pass_ = last, position.round
    there = [i for i in range(last + 1) if staffed.get(i, True)]
    if not there:
        return None
    index = next((i for i in there if i >= start), None)
    if index is not None:
        passed = policy.steps[start:index]
    elif cause is Cause.UNACKNOWLEDGED:
        # nobody further up: this pass over the chain is over
        if pass_ >= policy.repeat:
            return None
        index, pass_ = there[0], pass_ + 1
        passed = policy.steps[start:] + policy.steps[:index]
    else:
        # a breach and a person page the highest step that somebody is behind
        index, passed = there[-1], policy.steps[start:]
    skipped = tuple(step.level for step in passed)
    step = policy.steps[index]
    new = Position(position.cycle, pass_, index)
    wait = step.waits.get(severity)
    exhausted = index >= last and pass_ >= policy.repeat
    return Decision(new, step, max(level, step.level), skipped, None if exhausted else wait, exhausted)
