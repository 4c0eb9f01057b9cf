"""Runs: a runbook on some hosts of one company, from who may let it begin to how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from siems.domain.permissions import Actor, Permission, require
from siems.domain.runbook import Phase, Runbook
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.vocabulary import Platform, Risk

EXPIRES_AFTER = timedelta(hours=1)
"""A request that nobody has answered by then has expired."""
LEASE = timedelta(seconds=30)
MOST_HOSTS = 500
FORWARD = (Phase.PRECHECK, Phase.STEPS, Phase.VERIFY)


class RunState(StrEnum):
    """Where a run stands; the same words stand in the database. `asking`: nothing goes on until somebody answers."""

    PENDING = "pending_approval"
    QUEUED = "queued"
    RUNNING = "running"
    ASKING = "asking"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def over(self) -> bool:
        return self in OVER


OVER = frozenset({
    RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.EXPIRED, RunState.REJECTED,
})  # fmt: skip


class RunTurn(StrEnum):
    """What happened to a run; the stream and the record say `run.` before it."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLING = "cancelling"
    FINISHED = "finished"


class HostState(StrEnum):
    """How it goes on one host. `asking`: a step failed that says so, and a person decides. `held`: a person has it.

    `skipped`: its turn never came, or a person has left it out. `unknown`: whoever ran it is gone.
    """

    WAITING = "waiting"
    RUNNING = "running"
    ASKING = "asking"
    HELD = "held"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @property
    def over(self) -> bool:
        return self not in (HostState.WAITING, HostState.RUNNING, HostState.ASKING, HostState.HELD)


PAUSED = frozenset({HostState.ASKING, HostState.HELD})
BAD = frozenset({HostState.FAILED, HostState.TIMED_OUT, HostState.UNREACHABLE, HostState.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run goes over its hosts. `max_failures`: so many may fail before no further host begins."""

    canary: int = 1
    parallel: int = 4
    max_failures: int = 0
    phases: tuple[Phase, ...] = FORWARD

    def checked(self) -> Plan:
        """Raises InvalidField."""
        for name, value, low, high in (
            ("canary", self.canary, 0, MOST_HOSTS), ("parallel", self.parallel, 1, 100),
            ("max_failures", self.max_failures, 0, MOST_HOSTS),
        ):  # fmt: skip
            if not low <= value <= high:
                raise InvalidField(f"{name.replace('_', '-')} is between {low} and {high}, not {value}")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHost:
    """One host of a run. `phase`, `step`: the part that it is in or ended in; empty and 0 before it begins.

    `asked_at`: since when it asks, or asked last; `answer` is what a person said to that.
    """

    name: str
    position: int
    platform: Platform
    executor: str
    state: HostState = HostState.WAITING
    phase: str = ""
    exit_code: int | None = None
    detail: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    output_bytes: int = 0
    step: int = 0
    asked_at: datetime | None = None
    answer: str = ""
    answered_by: str = ""

    @property
    def changed(self) -> bool:
        """Whether anything may have been changed there: it came as far as its steps."""
        return self.phase in (Phase.STEPS, Phase.VERIFY, Phase.ROLLBACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it is kept. `runbook` is what it was when it was asked for, whatever became of it since."""

    id: int
    company_id: str
    runbook: Runbook
    origin: str
    risk: Risk
    plan: Plan
    given: str
    """The values, encrypted."""
    shown: Mapping[str, str]
    incident_id: int | None
    rollback_of: int | None
    heals: bool
    state: RunState
    detail: str
    reason: str
    requested_by: str
    requested_at: datetime
    answered_by: str | None = None
    answered_at: datetime | None = None
    standing: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    verified: bool = False
    lease_owner: str = ""
    lease_token: str = ""
    lease_until: datetime | None = None
    output_bytes: int = 0

    @property
    def ref(self) -> str:
        return f"RUN-{self.id}"

    @property
    def title(self) -> str:
        back = "rollback of " if self.rollback_of is not None else ""
        return f"{back}{self.runbook.name}"

    @property
    def expires_at(self) -> datetime | None:
        return self.requested_at + EXPIRES_AFTER if self.state is RunState.PENDING else None


# --- who may -----------------------------------------------------------------------------------------------------

_APPROVES = {
    Risk.LOW: Permission.APPROVE_RUN, Risk.MEDIUM: Permission.APPROVE_RUN, Risk.HIGH: Permission.APPROVE_HIGH_RUN,
}  # fmt: skip
_ORDER = (Risk.LOW, Risk.MEDIUM, Risk.HIGH)


def approval_by(risk: Risk) -> Permission:
    """What it takes to approve a run of this risk."""
    return _APPROVES[risk]


def may_approve(actor: Actor, company_id: str, risk: Risk, requested_by: str) -> bool:
    """Whether `require_approver` would let this pass."""
    try:
        require_approver(actor, company_id, risk, requested_by, "")
    except (NotFound, Forbidden):
        return False
    return True


def require_approver(actor: Actor, company_id: str, risk: Risk, requested_by: str, ref: str) -> None:
    """Never the requester, and by risk a manager or an admin. Raises NotFound outside the scope, Forbidden inside."""
    require(actor, approval_by(risk), company_id, what=ref)
    if actor.machine or actor.id == requested_by:
        raise Forbidden(
            f"{ref} was asked for by you: somebody else has to approve it", hint=f"siems runbook status {ref}"
        )


def higher(one: Risk, other: Risk) -> Risk:
    """The graver of two risks."""
    return max(one, other, key=_ORDER.index)


@dataclass(frozen=True, slots=True)
class RunRule:
    """As which risk the runs of a company count, where it asks for more than the runbook says."""

    low: Risk = Risk.LOW
    medium: Risk = Risk.MEDIUM

    def counts_as(self, risk: Risk) -> Risk:
        """The risk that decides; never less than what was declared."""
        wanted = {Risk.LOW: self.low, Risk.MEDIUM: self.medium}.get(risk, Risk.HIGH)
        return higher(risk, wanted)


def answerable(run: Run, now: datetime) -> None:
    """Raises Conflict for a run that waits for no answer (any more)."""
    if run.state is not RunState.PENDING:
        by = f" by {run.answered_by}" if run.answered_by else ""
        raise Conflict(f"{run.ref} is {run.state.value}{by}", hint=f"siems runbook status {run.ref}")
    if run.expires_at is not None and now >= run.expires_at:
        raise Conflict(f"the request {run.ref} has expired", hint="ask for the run again")


def may_roll_back(run: Run) -> None:
    """Raises Conflict while it is not over, or where there is nothing to go back to."""
    if not run.state.over or run.started_at is None:
        raise Conflict(f"{run.ref} is {run.state.value}: there is nothing to roll back", hint="siems runbook runs")
    if run.rollback_of is not None:
        raise Conflict(f"{run.ref} is a rollback itself", hint=f"siems runbook status {run.ref}")
    if not run.runbook.phases.get(Phase.ROLLBACK):
        raise Conflict(f"{run.runbook.name} has no rollback", hint=f"siems runbook show {run.runbook.name}")
