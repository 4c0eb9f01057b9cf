"""Advice as rows and back."""

from __future__ import annotations

import json
from typing import Any

from siems.clock import from_micros, to_micros
from siems.domain.advice import Advice, Dues, Insight, Pattern, Standing
from siems.vocabulary import Category, Severity


def advice_row(advice: Advice, signature: str) -> dict[str, Any]:
    """Values of the table `advice`, by column."""
    i = advice.insight
    return {
        "incident_id": advice.incident_id, "company_id": advice.company_id, "at": advice.at, "signature": signature,
        "alert_count": advice.alert_count, "provider": i.provider, "pattern": i.pattern.value,
        "root_cause": i.root_cause, "recommendation": i.recommendation, "confidence": i.confidence,
        "evidence": json.dumps(i.evidence), "similar": json.dumps(i.similar),
        "severity": None if i.severity is None else int(i.severity),
        "severity_confidence": i.severity_confidence, "severity_why": i.severity_why,
        "severity_standing": advice.severity_standing.value,
        "severity_before": None if advice.severity_before is None else int(advice.severity_before),
        "category": None if i.category is None else i.category.value,
        "category_confidence": i.category_confidence, "category_why": i.category_why,
        "category_standing": advice.category_standing.value,
        "category_before": None if advice.category_before is None else advice.category_before.value,
        "dues": json.dumps([_dues(advice.dues_before), _dues(advice.dues_after)]),
        "decided_by": advice.decided_by, "decided_at": advice.decided_at,
    }  # fmt: skip


def _dues(dues: Dues | None) -> list[int | None] | None:
    if dues is None:
        return None
    times = (dues.response, dues.resolution, dues.escalates, dues.ack)
    return [None if one is None else to_micros(one) for one in times]


def _dues_from(known: list[int | None]) -> Dues:
    response, resolution, escalates, ack = (None if one is None else from_micros(one) for one in known)
    assert response is not None
    assert resolution is not None
    return Dues(response, resolution, escalates, ack)


def advice_from(row: Any) -> Advice:
    """Advice from a row of the table, its times as times."""
    before, after = (None if known is None else _dues_from(known) for known in json.loads(row.dues))
    insight = Insight(
        provider=row.provider, pattern=Pattern(row.pattern), root_cause=row.root_cause,
        recommendation=row.recommendation, confidence=row.confidence, evidence=tuple(json.loads(row.evidence)),
        similar=tuple(json.loads(row.similar)), severity=None if row.severity is None else Severity(row.severity),
        severity_confidence=row.severity_confidence, severity_why=row.severity_why,
        category=None if row.category is None else Category(row.category),
        category_confidence=row.category_confidence, category_why=row.category_why,
    )  # fmt: skip
    return Advice(
        incident_id=row.incident_id, company_id=row.company_id, at=row.at, insight=insight,
        alert_count=row.alert_count, severity_standing=Standing(row.severity_standing),
        severity_before=None if row.severity_before is None else Severity(row.severity_before),
        category_standing=Standing(row.category_standing),
        category_before=None if row.category_before is None else Category(row.category_before),
        dues_before=before, dues_after=after, decided_by=row.decided_by, decided_at=row.decided_at,
    )  # fmt: skip
