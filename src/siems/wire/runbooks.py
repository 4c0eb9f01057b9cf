"""Runbooks: what there is, what is in them, and what is written about them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Ask, Wire


class RunbookView(Wire):
    """A runbook in lists. `risk` is what it counts as, `declared_risk` what its text says.

    `origin` is `library` (ships with siems), `msp` or `company`; `version` is 0 for what ships.
    """

    id: str
    name: str
    title: str
    category: str
    platforms: list[str]
    origin: str
    company_id: str
    risk: str
    declared_risk: str
    approved: bool
    version: int
    digest: str
    matches: list[str]
    author: str | None
    author_name: str | None
    changed_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None


class ParameterView(Wire):
    """What a run may be told. `wants` says the pattern in words; without a default it has to be given."""

    name: str
    type: str
    pattern: str
    default: str | None
    choices: list[str]
    description: str
    secret: bool
    wants: str


class RunbookStepView(Wire):
    """One script, by platform; it sees its values as `SIEMS_...`. `on_failure`: stop or ask."""

    name: str
    timeout_seconds: int
    run: dict[str, str]
    on_failure: str = "stop"


class RunbookVersionView(Wire):
    """A text as it was, the newest first."""

    version: int
    current: bool
    digest: str
    declared_risk: str
    author: str
    author_name: str
    at: datetime
    reason: str
    approved: bool


class RunbookDetail(RunbookView):
    """A runbook as a whole. `hides` says whose runbook of the same name is not used because of it."""

    description: str
    timeout_seconds: int
    parameters: list[ParameterView]
    precheck: list[RunbookStepView]
    steps: list[RunbookStepView]
    verify: list[RunbookStepView]
    rollback: list[RunbookStepView]
    text: str
    versions: list[RunbookVersionView]
    hides: str | None
    warnings: list[str]
    may_approve: bool


class RunbookText(Wire):
    """One version of a text: of a number, or `library`."""

    name: str
    version: str
    text: str
    digest: str


class RunbookAsk(Ask):
    """A new runbook of a company, or of `msp` for every company."""

    company: str
    text: str
    reason: str = ""


class RunbookEdit(Ask):
    """Another text; `version` is the one that was looked at."""

    company: str
    text: str
    version: int | None = None
    reason: str = ""


class RunbookChanged(Wire):
    runbook: RunbookDetail
    changed: bool


class RunbookDelete(Ask):
    company: str
    reason: str = ""


class RunbookContentAsk(Ask):
    """Approve the text with this digest; `risk` may be more than it declares. `withdraw` takes an approval back."""

    company: str
    digest: str
    risk: str = ""
    withdraw: bool = False
    reason: str = ""


class SuggestionView(Wire):
    """A runbook that matches an incident, the best first.

    `why` says what of it matches, `fixed` how often it has put the same signature right in this company.
    """

    name: str
    title: str
    risk: str
    approved: bool
    origin: str
    platforms: list[str]
    why: str
    fixed: int
    command: str
    assets: list[str] = msgspec.field(default_factory=list)
