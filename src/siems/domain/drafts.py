"""Reading what an advisor says: value by value, against what was asked.

A model's text is as foreign as that of an alert. Nothing of it is ever done by itself but raising a severity.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from siems.domain.advice import Insight, Pattern, Question
from siems.vocabulary import Category, Severity

LONGEST_TEXT = 400
MOST_EVIDENCE = 12


class Nonsense(Exception):
    """An answer that is not one: what is missing."""


_URL = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]{1,20}://|www\.)\S+")


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
