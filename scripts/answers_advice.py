"""What the routes of advice answer: a part of the page on the HTTP API."""

from __future__ import annotations

ADVICE: dict[str, tuple[str, str]] = {
    "show_advice": ("the advice on an incident, and what people made of it", "AdviceView"),
    "judge_advice": (
        "`accept` what waits, or `dismiss` it, or what is in force",
        "AdviceChanged",
    ),
    "rate_advice": ("whether it was of use to who asks", "AdviceView"),
    "list_similar": (
        "incidents that are over and looked alike, the likest first; `everywhere=true`: of all clients in the scope",
        "items: SimilarView",
    ),
    "advice_stats": ("what advice was worth in the last `days`, and what it has cost, by provider", "AdviceStats"),
}
