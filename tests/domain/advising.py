"""Questions for the tests of advice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from siems.domain.advice import Past, Question, Symptom
from siems.vocabulary import Category, Severity

from .making import T0, incident


def symptom(number: int, asset: str = "web-1", signature: str = "high_cpu", *, at: float = 0, **more: Any) -> Symptom:
    facts: dict[str, Any] = {
        "alert_id": number, "asset": asset, "signature": signature, "severity": Severity.HIGH,
        "message": f"{signature} on {asset}", "tool": "Datadog", "at": T0 + timedelta(seconds=at),
    }  # fmt: skip
    return Symptom(**(facts | more))


def past(number: int, asset: str = "web-1", signature: str = "high_cpu", **more: Any) -> Past:
    facts: dict[str, Any] = {
        "number": number, "title": "x", "signature": signature, "assets": (asset,), "severity": Severity.HIGH,
        "category": Category.CPU, "resolved_at": T0 - timedelta(days=number % 20 + 1), "resolved_by": "maria",
        "notes": "restarted the worker", "by_person": True,
    }  # fmt: skip
    return Past(**(facts | more))


def question(*symptoms: Symptom, **more: Any) -> Question:
    about = more.pop("incident", {})
    shown = symptoms or (symptom(1),)
    assets = tuple(dict.fromkeys(one.asset for one in shown))
    facts: dict[str, Any] = {
        "incident": incident(
            **({"assets": assets, "asset_count": len(assets), "alert_count": len(shown)} | about)
        ),
        "company": "Acme Dental", "symptoms": shown, "now": T0 + timedelta(minutes=5),
    }  # fmt: skip
    return Question(**(facts | more))
