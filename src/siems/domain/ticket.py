"""Tickets: an incident in somebody else's system, when one is made, and how far both sides agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from siems.domain.incident import Incident
from siems.vocabulary import Category, Severity, State


class Stage(StrEnum):
    """Where work stands, in words that every ticket system can be brought to."""

    OPEN = "open"
    WORKING = "working"
    HELD = "held"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @property
    def done(self) -> bool:
        return self in (Stage.RESOLVED, Stage.CLOSED)

    @property
    def group(self) -> int:
        """What counts as the same: waiting is working, and closed is resolved."""
        return 2 if self.done else 0 if self is Stage.OPEN else 1


STAGE_OF_STATE: Mapping[State, Stage] = {
    State.OPEN: Stage.OPEN, State.ASSIGNED: Stage.OPEN, State.IN_PROGRESS: Stage.WORKING,
    State.RESOLVED: Stage.RESOLVED, State.CLOSED: Stage.CLOSED,
}  # fmt: skip

REACHES = (State.OPEN, State.ASSIGNED, State.IN_PROGRESS)
"""The states at which a ticket can be made by itself."""


class Comments(StrEnum):
    """Which notes go out."""

    ALL = "all"
    PUBLIC = "public"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRules:
    """When a ticket is made by itself, and how siems' words are written over there."""

    create: bool = True
    min_severity: Severity = Severity.HIGH
    categories: frozenset[Category] = frozenset()
    at_state: State = State.OPEN
    states: Mapping[Stage, str] = field(default_factory=dict)
    priorities: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    ticket_type: str = ""
    comments: Comments = Comments.ALL
    reopen_within: timedelta = timedelta(hours=24)
    poll_every: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketAccount:
    """A way into one ticket system; `secret` is sealed. An account of the MSP serves every client."""

    id: str
    company_id: str
    kind: str
    url: str
    project: str
    username: str
    secret: str
    rules: TicketRules
    paused: bool
    hook_hash: str | None
    created_by: str
    created_at: datetime
    since: datetime
    """Up to here its changes have been read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What links an incident with a ticket.

    `told` is the stage of siems that the ticket was last brought to, `known` the stage of the ticket that siems has
    last seen: who has moved since is who differs from these.
    """

    id: int
    company_id: str
    account_id: str
    incident_id: int
    external_id: str | None
    key: str
    url: str
    state: str
    known: Stage
    told: Stage
    local_at: datetime
    """When the incident came to the group of stages that it is in."""
    local_human: bool
    created_at: datetime
    relates_to: str = ""
    """The ticket of the incident that this one is a recurrence of."""

    @property
    def ref(self) -> str:
        return f"TKT-{self.id}"

    @property
    def name(self) -> str:
        """What people call it."""
        return self.key or self.ref


class JobVerb(StrEnum):
    """What is to be done in the other system; the same words stand in the database."""

    OPEN = "open"
    COMMENT = "comment"
    TRANSITION = "transition"
    UPDATE = "update"
    LINK = "link"
    READ = "read"
    POLL = "poll"


RETRIES = (
    timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=10)
)  # fmt: skip
"""How long to wait after each try that failed; when these are used up, the job is dead."""
SPREAD = 0.2


def stage_of(incident: Incident, rules: TicketRules) -> Stage:
    """Where the incident stands; on hold only where the account has a word for it."""
    stage = STAGE_OF_STATE[incident.state]
    if incident.open and incident.on_hold and Stage.HELD in rules.states:
        return Stage.HELD
    return stage


def wanted(rules: TicketRules, incident: Incident) -> bool:
    """Whether the rules ask for a ticket of this incident as it stands now."""
    if not rules.create or not incident.open or incident.merged_into is not None:
        return False
    if incident.severity < rules.min_severity:
        return False
    if rules.categories and incident.category not in rules.categories:
        return False
    return REACHES.index(incident.state) >= REACHES.index(rules.at_state)


def wait_after(attempt: int, chance: float, retry_after: float | None) -> timedelta | None:
    """How long until the next try; None when there is none. `chance` in 0..1 spreads them by a fifth either way.

    A provider that says when to come back is believed, up to an hour.
    """
    if attempt > len(RETRIES):
        return None
    wait = RETRIES[attempt - 1] * (1 - SPREAD + 2 * SPREAD * chance)
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=min(max(retry_after, 0.0), 3_600.0)))
    return wait
