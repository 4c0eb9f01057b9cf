"""What advances an escalation chain: strategies by name, each a pure function that returns a verdict.

A policy chooses strategies and their parameters. All of them advance the same chain by one step. `unacknowledged`
follows the waits of the steps, `sla_breach` the clocks, `manual` a person; the others say themselves when they are
due, and advance an incident once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from siems.domain.escalation import SLA_BREACH, UNACKNOWLEDGED, Cause, Policy
from siems.domain.incident import Incident
from siems.domain.priority import Weights
from siems.errors import InvalidField
from siems.grammar import parse_span
from siems.registry import Registry
from siems.vocabulary import Severity, State

MANUAL = "manual"
Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The chain goes one step further, from this time on, and why."""

    due_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Strategy:
    """Two pure functions: what parameters it takes (as they are kept), and its verdict on an incident."""

    name: str
    takes: Callable[[Params], Params]
    decide: Callable[[Incident, Params, Weights], Verdict | None]


STRATEGIES: Registry[Strategy] = Registry(
    "escalation strategy",
    {
        "unacknowledged": "siems.domain.strategies:UNACKNOWLEDGED_STRATEGY",
        "sla_breach": "siems.domain.strategies:SLA_BREACH_STRATEGY",
        "severity_age": "siems.domain.strategies:SEVERITY_AGE_STRATEGY",
        "priority": "siems.domain.strategies:PRIORITY_STRATEGY",
        "manual": "siems.domain.strategies:MANUAL_STRATEGY",
    },
)


def unacknowledged(incident: Incident, params: Params, weights: Weights) -> Verdict | None:
    """No ack or start within the wait of the step that was taken."""
    if incident.acknowledged_at is not None or incident.state not in (State.OPEN, State.ASSIGNED):
        return None
    if incident.escalates_at is None or incident.recovered_at is not None:
        return None
    return Verdict(incident.escalates_at, "not acknowledged in time")


def sla_breach(incident: Incident, params: Params, weights: Weights) -> Verdict | None:
    """A deadline was missed, response or resolution: the later of the two that stand."""
    clocks = incident.clocks
    missed = [
        (at, name)
        for at, name in ((clocks.response_breached_at, "response"), (clocks.resolution_breached_at, "resolution"))
        if at is not None
    ]
    if not incident.open or not missed:
        return None
    at, name = max(missed)
    return Verdict(at, f"{name} deadline passed")


def severity_age(incident: Incident, params: Params, weights: Weights) -> Verdict | None:
    """Severe enough, and unresolved for longer than allowed."""
    if not incident.open or incident.severity < Severity[params["severity"]]:
        return None
    after = parse_span(params["after"])
    since = incident.reopened_at or incident.created_at
    return Verdict(since + after, f"{incident.severity.name} and unresolved for {params['after']}")


def priority(incident: Incident, params: Params, weights: Weights) -> Verdict | None:
    """The score has reached a mark. Age only lowers it, so it can be reached by a change alone: then it is due."""
    limit = params["score"]
    last = max(incident.last_alert_at, incident.reopened_at or incident.last_alert_at)
    if not incident.open or score_at(incident, last, weights) < limit:
        return None
    return Verdict(last, f"priority {score_at(incident, last, weights)} has reached {limit}")


def manual(incident: Incident, params: Params, weights: Weights) -> Verdict | None:
    """A person wants it, and says why: at any time while it is open."""
    return Verdict(incident.created_at, "") if incident.open else None


def score_at(incident: Incident, at: datetime, weights: Weights) -> int:
    """The priority score at a time."""
    from siems.domain.priority import age_term

    return incident.static_score(weights) - age_term(incident.created_at, as_of=at, weights=weights)


# --- parameters ------------------------------------------------------------------------------------------------


def _nothing(params: Params) -> Params:
    if params:
        raise InvalidField(f"takes no {next(iter(params))}", hint="leave it empty: {}")
    return {}


def _severity_and_age(params: Params) -> Params:
    _only(params, "severity", "after")
    word = str(params["severity"]).upper()
    if word not in Severity.__members__:
        raise InvalidField(f"{params['severity']!r} is no severity", hint="LOW, MEDIUM, HIGH or CRITICAL")
    after = str(params["after"])
    if parse_span(after) <= timedelta(0):
        raise InvalidField("after must be longer than nothing", hint="after: 2h")
    return {"severity": word, "after": after}


def _score(params: Params) -> Params:
    _only(params, "score")
    score = params["score"]
    if isinstance(score, bool) or not isinstance(score, int) or not 1 <= score <= 1_000:
        raise InvalidField(f"score is a number from 1 to 1000, not {score!r}", hint="score: 120")
    return {"score": score}


def _only(params: Params, *names: str) -> None:
    for name in names:
        if name not in params:
            raise InvalidField(f"needs {name}", hint=f"it takes: {', '.join(names)}")
    for name in params:
        if name not in names:
            raise InvalidField(f"takes no {name}", hint=f"it takes: {', '.join(names)}")


UNACKNOWLEDGED_STRATEGY = Strategy(UNACKNOWLEDGED, _nothing, unacknowledged)
SLA_BREACH_STRATEGY = Strategy(SLA_BREACH, _nothing, sla_breach)
SEVERITY_AGE_STRATEGY = Strategy("severity_age", _severity_and_age, severity_age)
PRIORITY_STRATEGY = Strategy("priority", _score, priority)
MANUAL_STRATEGY = Strategy(MANUAL, _nothing, manual)

_TRIGGERED = frozenset({UNACKNOWLEDGED, SLA_BREACH, MANUAL})
"""These have deadlines or people of their own."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A strategy that will advance the chain by its own time."""

    name: str
    verdict: Verdict

    @property
    def cause(self) -> Cause:
        return Cause(self.name) if self.name in Cause.__members__.values() else Cause.STRATEGY


def verdict_of(name: str, incident: Incident, policy: Policy, weights: Weights) -> Verdict | None:
    """What one strategy of the policy says; None when the policy does not have it. A person always may."""
    params = policy.strategies.get(name, {} if name == MANUAL else None)
    return None if params is None else STRATEGIES.get(name).decide(incident, params, weights)


def pending(incident: Incident, policy: Policy, weights: Weights) -> Pending | None:
    """The next strategy that is due by its own time and has not advanced this incident yet."""
    if not incident.open or incident.merged_into is not None or incident.recovered_at is not None:
        return None
    found: list[Pending] = []
    for name in policy.strategies:
        if name in _TRIGGERED or name in incident.advanced_by:
            continue
        verdict = verdict_of(name, incident, policy, weights)
        if verdict is not None:
            found.append(Pending(name, verdict))
    return min(found, key=lambda p: (p.verdict.due_at, p.name), default=None)


def timed(policy: Policy) -> bool:
    """Whether the policy has a strategy that looks at the incident itself."""
    return not policy.strategies.keys() <= _TRIGGERED
