"""What happened, as frozen facts. Nothing reacts here: `services/observers.py` says who does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from siems.domain.advice import AdviceTaken as AdviceTaken
from siems.domain.advice import InsightMade as InsightMade
from siems.domain.alert import Alert
from siems.domain.assignment import Choice
from siems.domain.escalation import Cause, Decision
from siems.domain.gap import Gap
from siems.domain.incident import Incident
from siems.domain.lifecycle import Taken
from siems.domain.moves import Command
from siems.domain.oncall import Schedule
from siems.domain.page import Page, PageStep
from siems.domain.parent import Parent
from siems.domain.permissions import SYSTEM, Actor
from siems.domain.run import Run, RunHost, RunTurn
from siems.domain.runbook_found import Found
from siems.domain.silence import Silence
from siems.domain.ticket import Ticket


class ClockName(StrEnum):
    RESPONSE = "response"
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True)
class AlertReceived:
    """A new alert was stored; `incident` is where it went, None while it waits."""

    alert: Alert
    incident: Incident | None


@dataclass(frozen=True, slots=True)
class AlertRepeated:
    """An active alert fired again."""

    alert: Alert
    incident: Incident | None


@dataclass(frozen=True, slots=True)
class AlertRecovered:
    """Its tool says that it is over."""

    alert: Alert
    incident: Incident | None


@dataclass(frozen=True, slots=True)
class AlertRemarked:
    """Its tool says something about it: that somebody acknowledged it there, a comment."""

    alert: Alert
    incident: Incident
    text: str


@dataclass(frozen=True, slots=True)
class DeliveryRefused:
    """Deliveries of one kind were refused: how many since it was last told, and the last of them."""

    company_id: str
    at: datetime
    cause: str
    detail: str
    source: str
    address: str
    count: int


@dataclass(frozen=True, slots=True)
class AlertSuppressed:
    """A new alert was stored under a silence: it opens nothing and joins nothing."""

    alert: Alert
    silence: Silence


@dataclass(frozen=True, slots=True)
class IncidentOpened:
    incident: Incident
    quiet: bool = False
    """It is told, and calls nobody to work."""
    under: Parent | None = None
    """What groups it with those of other clients; nobody is called for it where that is acknowledged."""


@dataclass(frozen=True, slots=True)
class AssigneeChosen:
    """A strategy has looked at everybody: when an incident opened, or because a person asked for it."""

    incident: Incident
    choice: Choice
    actor: Actor


@dataclass(frozen=True, slots=True)
class IncidentAbsorbed:
    """One incident was folded into another."""

    absorbed: Incident
    before: Incident
    """The survivor as it was."""
    survivor: Incident
    evidence: str
    actor: Actor = SYSTEM


@dataclass(frozen=True, slots=True)
class IncidentSplit:
    """Some alerts of an incident became one of their own."""

    before: Incident
    after: Incident
    part: Incident
    alerts: int
    actor: Actor
    reason: str


@dataclass(frozen=True, slots=True)
class SeverityRaised:
    before: Incident
    after: Incident
    evidence: str


@dataclass(frozen=True, slots=True)
class IncidentRecovered:
    """The last active alert is over; the system will resolve it when it stays quiet."""

    incident: Incident


@dataclass(frozen=True, slots=True)
class IncidentFlapping:
    incident: Incident
    flapping: bool


@dataclass(frozen=True, slots=True)
class IncidentActed:
    """One step that somebody took, asked for or implied."""

    taken: Taken
    command: Command


@dataclass(frozen=True, slots=True)
class ActUndone:
    before: Incident
    after: Incident
    action: str
    command: Command


@dataclass(frozen=True, slots=True)
class IncidentEscalated:
    """The chain went on."""

    before: Incident
    after: Incident
    decision: Decision
    cause: Cause
    actor: Actor
    reason: str
    recipients: tuple[str, ...]
    at: datetime
    told: tuple[str, ...] = ()
    """Who finds it in the inbox only."""
    webhooks: tuple[str, ...] = ()
    """The URLs that the step calls."""
    skips: tuple[str, ...] = ()
    """Why each step that was passed could not be taken."""


@dataclass(frozen=True, slots=True)
class StepsSkipped:
    """A chain does not begin at its first step, and why."""

    incident: Incident
    skips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChainEnded:
    """There is nobody further to page; `nobody`: there is nobody behind any step at all."""

    incident: Incident
    at: datetime
    nobody: bool = False


@dataclass(frozen=True, slots=True)
class AckAsked:
    """The owner is asked whether they are still on it, and has to answer by then."""

    incident: Incident
    answer_by: datetime


@dataclass(frozen=True, slots=True)
class AckLapsed:
    """The owner did not answer: the chain goes on as if nobody had acknowledged."""

    before: Incident
    after: Incident
    recipients: tuple[str, ...]
    told: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class SlaWarned:
    incident: Incident
    clock: ClockName
    due_at: datetime


@dataclass(frozen=True, slots=True)
class SlaBreached:
    incident: Incident
    clock: ClockName
    due_at: datetime


@dataclass(frozen=True, slots=True)
class MessageDead:
    """A message could not be delivered, and is not tried again by this contact. `left`: whether another is tried."""

    company_id: str
    object: str
    user_id: str
    channel: str
    hint: str
    pages: bool
    error: str
    left: bool


@dataclass(frozen=True, slots=True)
class SilenceExpiring:
    """The end of a window is near."""

    silence: Silence


@dataclass(frozen=True, slots=True)
class SilenceLifted:
    """A silence no longer stops the pages of an incident that is still open."""

    silence: Silence
    incident: Incident


@dataclass(frozen=True, slots=True)
class ShiftChanged:
    """Somebody else is on call by a schedule, or nobody; `until` when that changes again."""

    schedule: Schedule
    before: str | None
    after: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PageMoved:
    """A page was opened, sent again, acknowledged, ended or given up; `called` are those it calls now."""

    page: Page
    step: PageStep
    actor: Actor
    called: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GapFound:
    """siems was not there for a while; `incident` tells of it, None where nothing was missed."""

    gap: Gap
    incident: Incident | None


@dataclass(frozen=True, slots=True)
class GapFollowed:
    """Some time after a gap: who was sending before it, and has not been heard since."""

    gap: Gap
    incident: Incident | None


@dataclass(frozen=True, slots=True)
class DeadlinesRepaired:
    """Deadlines that how an object stands asks for were not there, or there were others."""

    object: str
    company_id: str
    armed: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLinked:
    """A ticket belongs to an incident, or no longer does. `how`: opened, linked, unlinked, moved."""

    ticket: Ticket
    incident: Incident
    actor: Actor
    how: str
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCommented:
    """Somebody has written into a ticket."""

    ticket: Ticket
    incident: Incident
    actor: Actor
    author: str
    text: str
    public: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMoved:
    """A ticket was moved by hand; `outcome` says what became of that here, and in a conflict who won."""

    ticket: Ticket
    incident: Incident
    actor: Actor
    author: str
    before: str
    outcome: str
    conflict: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFailed:
    """What was to be done to a ticket was given up."""

    ticket: Ticket
    incident: Incident
    verb: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMoved:
    """A run was asked for, answered, begun, stopped or ended; `told` are those who are asked to approve it."""

    run: Run
    turn: RunTurn
    actor: Actor
    hosts: tuple[RunHost, ...] = ()
    told: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWent:
    """A run came further: hosts that ended, (host, phase, step, state) of steps that did, whether more was printed."""

    run: Run
    ended: tuple[RunHost, ...] = ()
    steps: tuple[tuple[str, str, str, str], ...] = ()
    printed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAsked:
    """A step failed on these hosts, and each of them waits for a person to say what now."""

    run: Run
    hosts: tuple[RunHost, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnswered:
    """A person has said what becomes of a host that asked; `before` is how it asked."""

    run: Run
    before: RunHost
    host: RunHost
    actor: Actor
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A change outside of incidents: a company, a user, a key, a setting."""

    type: str
    actor: Actor
    company_id: str
    object: str
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookWritten:
    """Somebody wrote or changed a runbook; `before` is what it was, None for a new one."""

    found: Found
    before: Found | None
    actor: Actor
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookApproved:
    """An admin has approved the content of a runbook, and given it a risk."""

    found: Found
    actor: Actor
    reason: str = ""


Event = (
    AlertReceived
    | AlertRepeated
    | AlertRecovered
    | AlertRemarked
    | AlertSuppressed
    | IncidentOpened
    | IncidentAbsorbed
    | SeverityRaised
    | IncidentRecovered
    | IncidentFlapping
    | IncidentActed
    | ActUndone
    | IncidentEscalated
    | ChainEnded
    | SlaWarned
    | SlaBreached
    | SilenceExpiring
    | SilenceLifted
    | Recorded
    | DeliveryRefused
    | MessageDead
    | StepsSkipped
    | AckAsked
    | AckLapsed
    | ShiftChanged
    | PageMoved
    | AssigneeChosen
    | GapFound
    | GapFollowed
    | DeadlinesRepaired
    | TicketLinked
    | TicketCommented
    | TicketMoved
    | TicketFailed
    | RunMoved
    | RunWent
    | RunAsked
    | RunAnswered
    | RunbookWritten
    | RunbookApproved
    | IncidentSplit
    | InsightMade
    | AdviceTaken
)  # fmt: skip
