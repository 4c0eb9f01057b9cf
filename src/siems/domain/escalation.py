"""Escalation: one chain of steps, and strategies that only ever advance it (DOMAIN §8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from siems.domain.conditions import Condition
from siems.vocabulary import Severity

M = timedelta(minutes=1)
ANSWER_WITHIN = 10 * M
"""So long the owner has to answer "still on it?"."""
UNACKNOWLEDGED = "unacknowledged"
SLA_BREACH = "sla_breach"
DEFAULT_POLICY_ID = "pol-default"


class TargetKind(StrEnum):
    """Whom a step pages."""

    OWNER = "owner"  # the assignee, else who is on call, else the technicians, else the admins
    ONCALL = "oncall"  # who is on call for the company
    USER = "user"
    ROLE = "role"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"


class Cause(StrEnum):
    """What advances the chain: a strategy, a person, or an ack that was not followed by anything."""

    OPENED = "opened"
    UNACKNOWLEDGED = "unacknowledged"
    SLA_BREACH = "sla_breach"
    SEVERITY_AGE = "severity_age"
    PRIORITY = "priority"
    STRATEGY = "strategy"
    """One that a plug-in brings."""
    MANUAL = "manual"
    ACK_TIMEOUT = "ack_timeout"


@dataclass(frozen=True, slots=True)
class StepTarget:
    kind: TargetKind
    name: str = ""

    def label(self) -> str:
        """For people: `owner`, `on call`, `manager`, `schedule night`."""
        match self.kind:
            case TargetKind.OWNER:
                return "owner"
            case TargetKind.ONCALL:
                return "on call"
            case TargetKind.USER | TargetKind.ROLE:
                return self.name
            case TargetKind.WEBHOOK:  # what stands after the name of an address is its hint
                return f"webhook {self.name.partition(' ')[2] or self.name}"
            case _:
                return f"{self.kind.value} {self.name}"

    def __str__(self) -> str:
        """As it is written in a policy: `owner`, `role:manager`."""
        return f"{self.kind.value}:{self.name}" if self.name else self.kind.value


@dataclass(frozen=True, slots=True)
class Step:
    """One level of a chain: whom to page, and how long to wait for an ack before the next one.

    A severity without a wait is not driven by time: only a breach or a person takes the chain further. A step that
    is not `important` is told without waking anybody.
    """

    level: int
    targets: tuple[StepTarget, ...]
    waits: Mapping[Severity, timedelta] = field(default_factory=dict)
    important: bool = True
    condition: Condition | None = None

    def unmet(self, severity: Severity, score: int, at: datetime) -> str:
        """Why it does not apply now; empty when it does."""
        return self.condition.unmet(severity, score, at) if self.condition is not None else ""


def _ack_timeouts() -> Mapping[Severity, timedelta]:
    return {Severity.CRITICAL: 30 * M, Severity.HIGH: 120 * M}


def _strategies() -> Mapping[str, Mapping[str, Any]]:
    return {UNACKNOWLEDGED: {}, SLA_BREACH: {}}


@dataclass(frozen=True, slots=True)
class Policy:
    """An ordered chain of steps, repeated `repeat` times; copied into an incident when it opens.

    `opening_hours`: severities below CRITICAL wait for them. `ack_timeouts`: after so long without an act of a
    person the owner is asked. `strategies`: what may advance the chain, each with its parameters; a person always may.
    """

    name: str
    steps: tuple[Step, ...]
    repeat: int = 2
    reassign: bool = True
    opening_hours: bool = False
    ack_timeouts: Mapping[Severity, timedelta] = field(default_factory=_ack_timeouts)
    strategies: Mapping[str, Mapping[str, Any]] = field(default_factory=_strategies)

    def wait(self, index: int, severity: Severity) -> timedelta | None:
        """How long a step (from 0) waits for an ack, or None when time does not drive this severity."""
        return self.steps[index].waits.get(severity) if UNACKNOWLEDGED in self.strategies else None


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

Opens = Callable[[datetime], datetime]


def at_once(instant: datetime) -> datetime:
    """The calendar that is always open."""
    return instant


def first_wait(policy: Policy, severity: Severity) -> timedelta | None:
    """How long step 1 waits for an ack, or None when time does not drive this severity."""
    return policy.wait(0, severity)


def due_after(
    policy: Policy, wait: timedelta | None, severity: Severity, *, now: datetime, opens: Opens = at_once
) -> datetime | None:  # fmt: skip
    """When a wait that begins now is over; what may wait for opening hours begins and ends within them."""
    if wait is None:
        return None
    if not policy.opening_hours or severity is Severity.CRITICAL:
        return now + wait
    return opens(opens(now) + wait)


def first_step(policy: Policy, obstacles: Mapping[int, str]) -> int | None:
    """The step (from 0) at which a chain begins: the first without an obstacle; None when every one has."""
    return next((i for i in range(len(policy.steps)) if i not in obstacles), None)


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

    `staffed` tells by step index whether the step can be taken; those that cannot are skipped and named.
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
    exhausted = index >= last and pass_ >= policy.repeat
    wait = None if exhausted else policy.wait(index, severity)
    return Decision(new, step, max(level, step.level), skipped, wait, exhausted)
