"""Why an incident is as it is, and what a pretended one would lead to."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.advice import InsightView
from siems.wire.assignment import ChoiceView
from siems.wire.reach import ToldView
from siems.wire.runbooks import SuggestionView
from siems.wire.shapes import Ask, Wire


class GroupedAlert(Wire):
    """One alert, with the rule and the evidence that put it where it is."""

    id: str
    at: datetime
    asset_name: str
    signature: str
    tool_source: str
    severity: str
    count: int
    rule: str
    evidence: str


class ScoreTerm(Wire):
    name: str
    points: int
    why: str


class ComingUp(Wire):
    """Something that happens by itself unless somebody acts before."""

    at: datetime
    kind: str
    text: str


class ExplainView(Wire):
    """The whole trace of decisions about an incident."""

    id: str
    title: str
    severity: str
    state: str
    grouping: list[GroupedAlert]
    alerts: int
    """How many there are; `grouping` holds the first ones."""
    merged: list[str]
    score: int
    terms: list[ScoreTerm]
    owner: str
    ownership: list[str]
    choice: ChoiceView | None
    policy: str
    level: int
    escalations: list[str]
    told: list[ToldView]
    next: list[ComingUp]
    runbooks: list[SuggestionView] = msgspec.field(default_factory=list)
    advice: InsightView | None = None


class WhatIfAsk(Ask):
    """A pretended incident of a company."""

    company: str
    severity: str = "HIGH"
    at: datetime | None = None


class WhatIfMessage(Wire):
    channel: str
    hint: str
    at: datetime
    why: str


class WhatIfPerson(Wire):
    """`why`: why nothing goes further than the inbox."""

    name: str
    pages: bool
    messages: list[WhatIfMessage]
    why: str


class WhatIfStep(Wire):
    """What would happen at one time. `kind`: page, skip, breach, end."""

    at: datetime
    kind: str
    level: int | None
    text: str
    targets: list[str]
    people: list[WhatIfPerson]
    webhooks: list[str]


class WhatIfView(Wire):
    """Who would be told, when and how, if nobody did anything. Nothing is changed and nobody is told."""

    id: str
    company_id: str
    severity: str
    at: datetime
    policy: str
    notes: list[str] = msgspec.field(default_factory=list)
    steps: list[WhatIfStep] = msgspec.field(default_factory=list)
