"""Advice on an incident: what is asked, what may be answered, and what becomes of it.

Whatever an advisor says is a draft: it is read here, value by value, against what was asked. A model's text is as
foreign as that of an alert, and nothing of it is ever done by itself but raising a severity.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from siems.domain.changing import replace
from siems.domain.incident import Incident
from siems.domain.permissions import Actor
from siems.vocabulary import Category, Severity

APPLIES_ABOVE = 0.70
"""Above this confidence a raise applies at once (DOMAIN §2)."""
WORTH_ASKING = 0.50
"""Below this nobody is asked either."""
LONGEST_TEXT = 400
MOST_EVIDENCE = 12


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


class Nonsense(Exception):
    """An answer that is not one: what is missing."""


# --- reading a draft -------------------------------------------------------------------------------------------

_URL = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.)\S+")


def clean(text: object, limit: int = LONGEST_TEXT) -> str:
    """One line of plain text: no control, direction or invisible characters, no addresses to click on, not too long."""
    if not isinstance(text, str):
        return ""
    plain = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: limit * 4])
    plain = " ".join(_URL.sub("[link]", plain).split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def share(value: object) -> float:
    """A confidence between 0 and 1, to two places; 0 for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return 0.0
    return round(min(max(float(value), 0.0), 1.0), 2)


def read_draft(draft: Mapping[str, Any], question: Question, provider: str) -> Insight:
    """What of a draft holds: unknown fields are dropped, values must be ours, references those of this question.

    Raises Nonsense for one without a pattern or without any text.
    """
    pattern = _one_of(Pattern, draft.get("pattern"))
    if pattern is None:
        raise Nonsense("it names no pattern")
    cause, then = clean(draft.get("root_cause")), clean(draft.get("recommendation"))
    if not cause:
        raise Nonsense("it gives no root cause")
    alerts = {one.ref: one.alert_id for one in question.symptoms}
    past = {one.ref: one.number for one in question.similar}
    severity = _severity(draft.get("severity"))
    category = _one_of(Category, draft.get("category"))
    return Insight(
        provider=provider, pattern=pattern, root_cause=cause, recommendation=then,
        confidence=share(draft.get("confidence")),
        evidence=_refs(draft.get("evidence"), alerts), similar=_refs(draft.get("similar"), past),
        severity=severity, severity_why=clean(draft.get("severity_why"), 200) if severity else "",
        severity_confidence=share(draft.get("severity_confidence")) if severity else 0.0,
        category=category, category_why=clean(draft.get("category_why"), 200) if category else "",
        category_confidence=share(draft.get("category_confidence")) if category else 0.0,
    )  # fmt: skip


def _one_of(kind: Any, word: object) -> Any:
    return next((one for one in kind if isinstance(word, str) and one.value == word.strip().lower()), None)


def _severity(word: object) -> Severity | None:
    return next((one for one in Severity if isinstance(word, str) and one.name == word.strip().upper()), None)


def _refs(given: object, known: Mapping[str, int]) -> tuple[int, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        return ()
    found = (known.get(one.strip().upper()) for one in given if isinstance(one, str))
    return tuple(dict.fromkeys(number for number in found if number is not None))[:MOST_EVIDENCE]


# --- what becomes of it ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """An insight as it is kept, with what became of the values it advised and what they replaced.

    `dues_before` and `dues_after` are the two deadlines around a raise, so that taking it back can restore them.
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
    dues_before: tuple[datetime, datetime] | None = None
    dues_after: tuple[datetime, datetime] | None = None
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
