"""Advice on incidents, and those that looked alike."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Ask, Wire


class AdvisedValue(Wire):
    """A severity or category that was advised. `standing`: none, waiting, applied, accepted, dismissed; `before` is
    what it replaced or would replace."""

    value: str
    confidence: float
    why: str
    standing: str
    before: str | None


class InsightView(Wire):
    """What the alerts look like together (cascade, storm, flapping, recurring, isolated), why probably, and what to do.

    `evidence` are alerts of this incident, `similar` earlier incidents; `provider` says whose words these are.
    """

    provider: str
    at: datetime
    pattern: str
    root_cause: str
    recommendation: str
    confidence: float
    evidence: list[str]
    similar: list[str]
    severity: AdvisedValue | None = None
    category: AdvisedValue | None = None
    waiting: bool = False
    """Whether a value of it waits for somebody's key."""


class AdviceView(Wire):
    """The advice on one incident, with what people made of it. `mine`: what the reader said of its use."""

    id: str
    company_id: str
    insight: InsightView | None
    why_none: str
    """Why there is none."""
    may_decide: bool
    reversible: bool
    decided_by: str | None
    decided_at: datetime | None
    useful: int
    not_useful: int
    mine: bool | None


class AdviceAsk(Ask):
    """`accept` what waits, or `dismiss` it; where nothing waits, `dismiss` takes back what is in force."""

    verdict: str
    reason: str = ""
    version: int | None = None


class FeedbackAsk(Ask):
    useful: bool
    comment: str = ""


class AdviceChanged(Wire):
    advice: AdviceView
    severity: str
    category: str
    version: int
    changed: bool


class SimilarView(Wire):
    """An incident that is over and looked alike: how much (0 to 1), why, and what ended it."""

    id: str
    company_id: str
    company: str
    title: str
    likeness: float
    why: list[str]
    severity: str
    category: str
    assets: list[str]
    resolved_at: datetime
    resolved_by: str
    by_person: bool
    notes: str
    cause: str


class AdvisorUse(Wire):
    """One provider in a stretch of time: incidents it advised on, what became of that, and what it has cost."""

    provider: str
    incidents: int
    useful: int
    not_useful: int
    raised: int
    lowered: int
    waiting: int
    declined: int
    confidence: float
    calls: int
    tokens: int
    failures: int
    from_cache: int


class AdviceStats(Wire):
    since: datetime
    company_id: str | None
    order: list[str]
    """Who is asked, in this order; empty: nobody."""
    providers: list[AdvisorUse] = msgspec.field(default_factory=list)
