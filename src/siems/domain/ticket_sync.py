"""What both sides of a ticket tell each other, and which of them gives way when they differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from siems.domain.ticket import Stage, Ticket, TicketRules
from siems.vocabulary import Severity

SAME_MOMENT = timedelta(minutes=1)
"""So close together, what a person did in siems wins over what happened to the ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a new ticket says. `correlation` names the incident: it is how a ticket is found again."""

    correlation: str
    summary: str
    description: str
    severity: Severity
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who did something over there. `ours`: it was the account that siems itself uses."""

    name: str
    email: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteComment:
    """A comment; `public` where that system shows it to the client."""

    id: str
    at: datetime
    author: Author
    text: str
    public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A ticket as it stands over there. `by` is who gave it its state, at `state_at`, where that is known."""

    external_id: str
    key: str
    url: str
    state: str
    stage: Stage
    state_at: datetime | None = None
    by: Author | None = None
    resolution: str = ""
    comments: tuple[RemoteComment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """All that a ticket system needs to be spoken to, the secret in clear."""

    kind: str
    url: str
    project: str
    username: str
    secret: str = field(repr=False)
    rules: TicketRules
    """How things are called there: `states`, `priorities`, `fields` and `ticket_type`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`take`: the incident follows the ticket. `push`: the ticket follows the incident. Neither: nothing has moved.

    `conflict`: both had moved since they last agreed.
    """

    take: bool = False
    push: bool = False
    conflict: bool = False


def decide(ticket: Ticket, local: Stage, remote: Stage, remote_at: datetime | None, *, by_us: bool) -> Verdict:
    """Who follows whom. The later change of a person wins; within a minute siems does, if a person acted there."""
    if local.group == remote.group:
        return Verdict()
    here, there = local.group != ticket.told.group, remote.group != ticket.known.group
    if there and remote.group == ticket.told.group:
        there = False  # what siems has asked for, seen for the first time
    if not here:
        return Verdict(take=there)
    if not there:
        return Verdict(push=True)
    if by_us:  # an earlier push of our own, whose answer was lost
        return Verdict(push=True)
    if not ticket.local_human:
        return Verdict(take=True, conflict=True)
    later = remote_at is not None and remote_at - ticket.local_at >= SAME_MOMENT
    return Verdict(take=later, push=not later, conflict=True)


def agreed(ticket: Ticket, local: Stage, remote: Stage) -> Stage:
    """What the ticket counts as told from now on: where both have come to the same by themselves, that is it.

    Else an incident that later goes back to what was told before would seem not to have moved.
    """
    return remote if local.group == remote.group != ticket.told.group else ticket.told


def mark(tag: str, job_id: int) -> str:
    """The end of each comment that siems writes, by which it knows it again."""
    return f"[siems:{tag}:{job_id}]"


def marked(tag: str, text: str) -> bool:
    """Whether a comment is one that this siems has written."""
    return f"[siems:{tag}:" in text[-80:]
