"""Escalation policies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from siems.wire.shapes import Ask, Wire


class PolicyView(Wire):
    """An escalation policy. `policy` is the document that `create` and `edit` take; `companies` are those that use
    it, as far as the reader may see them."""

    id: str
    company_id: str
    name: str
    version: int
    changed_at: datetime
    policy: dict[str, Any]
    companies: list[str]


class PolicyAsk(Ask):
    """A new policy: of a company, or of the MSP (`msp`), which every company may use."""

    name: str
    policy: dict[str, Any]
    company: str = "msp"
    reason: str = ""


class PolicyEdit(Ask):
    """Another name, another document, or both; with `version`, only if it still stands there."""

    name: str | None = None
    policy: dict[str, Any] | None = None
    version: int | None = None
    reason: str = ""


class PolicyChanged(Wire):
    policy: PolicyView
    changed: bool


class PolicyDelete(Ask):
    reason: str = ""


class PolicyTrialAsk(Ask):
    """A pretended incident: of which company (the policy's own, else one that uses it), how severe, opened when."""

    company: str = ""
    severity: str = "CRITICAL"
    at: datetime | None = None
    assignee: str = ""


class PolicyPreviewAsk(Ask):
    """A policy that is not kept yet, of whom it would be, and a pretended incident as for `PolicyTrialAsk`.

    `ref`: the policy that it would change; then it is tried where that one is used.
    """

    policy: dict[str, Any]
    owner: str = "msp"
    ref: str = ""
    name: str = ""
    company: str = ""
    severity: str = "CRITICAL"
    at: datetime | None = None


class TrialStep(Wire):
    """What would happen at one time. `kind`: page, skip, breach, end."""

    at: datetime
    kind: str
    level: int | None = None
    round: int = 0
    text: str = ""
    targets: list[str] = msgspec.field(default_factory=list)
    people: list[str] = msgspec.field(default_factory=list)
    inbox: list[str] = msgspec.field(default_factory=list)
    webhooks: list[str] = msgspec.field(default_factory=list)
    important: bool = True


class PolicyTrial(Wire):
    """Who would be paged if nobody did anything, step by step; nothing is changed and nobody is told."""

    id: str
    policy_id: str
    name: str
    company_id: str
    severity: str
    opened_at: datetime
    steps: list[TrialStep]
