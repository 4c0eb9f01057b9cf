"""Insights as every view of an incident carries them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from siems.domain.advice import Advice
from siems.domain.permissions import Actor
from siems.storage.repositories.advice import advice_of
from siems.vocabulary import Role
from siems.wire import AdvisedValue, IncidentView, InsightView


def insight_view(advice: Advice) -> InsightView:
    i = advice.insight
    return InsightView(
        provider=i.provider, at=advice.at, pattern=i.pattern.value, root_cause=i.root_cause,
        recommendation=i.recommendation, confidence=i.confidence, evidence=[f"ALR-{number}" for number in i.evidence],
        similar=[f"INC-{number}" for number in i.similar], waiting=advice.waiting,
        severity=None if i.severity is None else AdvisedValue(
            value=i.severity.name, confidence=i.severity_confidence, why=i.severity_why,
            standing=advice.severity_standing.value,
            before=None if advice.severity_before is None else advice.severity_before.name,
        ),
        category=None if i.category is None else AdvisedValue(
            value=i.category.value, confidence=i.category_confidence, why=i.category_why,
            standing=advice.category_standing.value,
            before=None if advice.category_before is None else advice.category_before.value,
        ),
    )  # fmt: skip


def advised(connection: Connection, views: Sequence[IncidentView], actor: Actor) -> list[IncidentView]:
    """These incidents with their insights, which clients do not see."""
    if actor.role is Role.CLIENT:
        return list(views)
    found = advice_of(connection, map(_number, views))
    return [
        msgspec.structs.replace(view, insight=insight_view(found[number])) if number in found else view
        for view in views
        for number in [_number(view)]
    ]


def with_insight(connection: Connection, view: IncidentView, actor: Actor) -> IncidentView:
    """As `advised`, for one."""
    return advised(connection, [view], actor)[0]


def _number(view: IncidentView) -> int:
    return int(view.id.removeprefix("INC-"))
