"""Advice on an incident: what is asked, what an answer holds, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from siems.domain.changing import replace
from siems.domain.incident import Incident
from siems.domain.permissions import Actor
from siems.vocabulary import Category, Severity

APPLIES_ABOVE = 0.70
"""Above this confidence a raise applies at once (DOMAIN §2)."""
WORTH_ASKING = 0.50
"""Below this nobody is asked either."""


class Pattern(StrEnum):
    """What the alerts of an incident look like together."""

    CASCADE = "cascade"
    STORM = "storm"
    FLAPPING = "flapping"
    RECURRING = "recurring"
    ISOLATED = "isolated"


class Standing(StrEnum):
    """What became of a value that was advised."""

    NONE = "none"
    WAITING = "waiting"
    APPLIED = "applied"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One alert, as advisors see it."""

    alert_id: int
    asset: str
    signature: str
    severity: Severity
    message: str
    tool: str
    at: datetime
    count: int = 1
    active: bool = True

    @property
    def ref(self) -> str:
        return f"ALR-{self.alert_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An incident of the same company that is over. `likeness` from 0 to 1 and `why` compare it with another."""

    number: int
    title: str
    signature: str
    assets: tuple[str, ...]
    severity: Severity
    category: Category
    resolved_at: datetime
    resolved_by: str
    notes: str = ""
    cause: str = ""
    by_person: bool = False
    pinned: bool = False
    messages: tuple[str, ...] = ()
    company_id: str = ""
    likeness: float = 0.0
    near: float = 0.0
    """How near its text is by the sentence model, 0 where there is none or it is not near."""
    why: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        return f"INC-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """What a company has learned about one signature.

    `pinned`: severities that people gave it. `healed` of `seen` were over by themselves. `declined` and `taken` count
    what people made of advice on it, by "raise", "lower" and "category". `named`: categories that people chose.
    `words`: in which categories its past incidents used each word.
    """

    seen: int = 0
    healed: int = 0
    pinned: Mapping[Severity, int] = field(default_factory=dict)
    declined: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[str, int] = field(default_factory=dict)
    named: Mapping[Category, int] = field(default_factory=dict)
    words: Mapping[str, Mapping[Category, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that siems itself knows about an incident. `depends_on` holds what is affected, and what that stands on."""

    incident: Incident
    company: str
    symptoms: tuple[Symptom, ...]
    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    critical: frozenset[str] = frozenset()
    categories: Mapping[str, Category] = field(default_factory=dict)
    similar: tuple[Past, ...] = ()
    fixed_by: tuple[str, ...] = ()
    """Runbooks that have fixed this signature before."""
    experience: Experience = Experience()
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """Advice that was read and found to be sound. `evidence` are numbers of alerts, `similar` of incidents."""

    provider: str
    pattern: Pattern
    root_cause: str
    recommendation: str
    confidence: float
    evidence: tuple[int, ...] = ()
    similar: tuple[int, ...] = ()
    severity: Severity | None = None
    severity_confidence: float = 0.0
    severity_why: str = ""
    category: Category | None = None
    category_confidence: float = 0.0
    category_why: str = ""


# --- what becomes of it ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dues:
    """What falls due for an incident, and moves when it is raised."""

    response: datetime
    resolution: datetime
    escalates: datetime | None
    ack: datetime | None


def dues_of(incident: Incident) -> Dues:
    """What is due for an incident as it stands."""
    clocks = incident.clocks
    return Dues(clocks.response_due, clocks.resolution_due, incident.escalates_at, incident.ack_due_at)


def restored(incident: Incident, before: Dues, after: Dues) -> Incident:
    """With the dues of before, each where it is still the one of after. A breach that was recorded stands."""
    clocks = incident.clocks
    if clocks.response_open and clocks.response_breached_at is None and clocks.response_due == after.response:
        clocks = replace(clocks, response_due=before.response)
    if clocks.resolution_open and clocks.resolution_breached_at is None and clocks.resolution_due == after.resolution:
        clocks = replace(clocks, resolution_due=before.resolution)
    escalates = before.escalates if incident.escalates_at == after.escalates else incident.escalates_at
    ack = before.ack if incident.ack_due_at == after.ack else incident.ack_due_at
    return replace(incident, clocks=clocks, escalates_at=escalates, ack_due_at=ack)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """An insight as it is kept, with what became of the values it advised and what they replaced.

    `dues_before` and `dues_after` are what was due around a raise, so that taking it back can restore that.
    """

    incident_id: int
    company_id: str
    at: datetime
    insight: Insight
    alert_count: int
    severity_standing: Standing = Standing.NONE
    severity_before: Severity | None = None
    category_standing: Standing = Standing.NONE
    category_before: Category | None = None
    dues_before: Dues | None = None
    dues_after: Dues | None = None
    decided_by: str = ""
    decided_at: datetime | None = None

    @property
    def ref(self) -> str:
        return f"INC-{self.incident_id}"

    @property
    def waiting(self) -> bool:
        """Whether it waits for somebody's key."""
        return Standing.WAITING in (self.severity_standing, self.category_standing)

    @property
    def reversible(self) -> bool:
        """Whether something of it is in force that can be taken back."""
        return bool({self.severity_standing, self.category_standing} & {Standing.APPLIED, Standing.ACCEPTED})


@dataclass(frozen=True, slots=True)
class InsightMade:
    """There is advice on an incident; `news`: it says something that the one before did not."""

    incident: Incident
    advice: Advice
    news: bool


@dataclass(frozen=True, slots=True)
class AdviceTaken:
    """What was advised came into force or was declined. `how`: applied, accepted, declined, taken back."""

    before: Incident
    after: Incident
    advice: Advice
    actor: Actor
    how: str
    what: str
    reason: str = ""


_SETTLED = frozenset({Standing.APPLIED, Standing.ACCEPTED, Standing.DISMISSED})


def carried(insight: Insight, known: Advice | None, current: Severity) -> Insight:
    """A new insight with the values of the one before that are settled: applied, accepted or declined.

    Only a severity above the current one takes the place of a settled severity, so that advice does not go to and fro.
    """
    if known is None:
        return insight
    old = known.insight
    if known.severity_standing in _SETTLED and (insight.severity is None or insight.severity <= current):
        insight = replace(
            insight, severity=old.severity, severity_confidence=old.severity_confidence, severity_why=old.severity_why
        )  # fmt: skip
    if known.category_standing in _SETTLED:
        insight = replace(
            insight, category=old.category, category_confidence=old.category_confidence, category_why=old.category_why
        )  # fmt: skip
    return insight


def severity_standing(incident: Incident, insight: Insight, known: Advice | None, *, lowers: bool) -> Standing:
    """What becomes of an advised severity. `lowers`: whether this company lets advice lower by itself.

    What a person has set sticks, and what a person has declined is not proposed again.
    """
    wanted = insight.severity
    if wanted is None or not incident.open:
        return Standing.NONE
    if known is not None and known.insight.severity is wanted and known.severity_standing in _SETTLED:
        return known.severity_standing
    if wanted is incident.severity or incident.severity_pinned or insight.severity_confidence < WORTH_ASKING:
        return Standing.NONE
    sure = insight.severity_confidence > APPLIES_ABOVE
    return Standing.APPLIED if sure and (wanted > incident.severity or lowers) else Standing.WAITING


def category_standing(incident: Incident, insight: Insight, known: Advice | None) -> Standing:
    """What becomes of an advised category: it fills in what is unknown, and else waits for a person."""
    wanted = insight.category
    if wanted is None or wanted is Category.OTHER or not incident.open:
        return Standing.NONE
    if known is not None and known.insight.category is wanted and known.category_standing in _SETTLED:
        return known.category_standing
    if wanted is incident.category or insight.category_confidence < WORTH_ASKING:
        return Standing.NONE
    sure = insight.category_confidence > APPLIES_ABOVE
    return Standing.APPLIED if sure and incident.category is Category.OTHER else Standing.WAITING


def worth_another_look(alert_count: int) -> bool:
    """At the second, third, fourth, eighth, sixteenth ... alert: a storm is looked at a few times, not at each."""
    return alert_count == 3 or alert_count & (alert_count - 1) == 0
