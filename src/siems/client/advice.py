"""Advice on incidents: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, part


class Advice(Transport):
    def advice(self, ref: str) -> dict[str, Any]:
        """`wire.AdviceView`."""
        return self._get(f"/incidents/{part(ref)}/advice")

    def judge_advice(
        self, ref: str, verdict: str, *, reason: str = "", version: int | None = None, idempotency_key: str = ""
    ) -> dict[str, Any]:  # fmt: skip
        """`accept` or `dismiss`: `wire.AdviceChanged`."""
        body: dict[str, Any] = {"verdict": verdict, "reason": reason}
        if version is not None:
            body["version"] = version
        return self._post(f"/incidents/{part(ref)}/advice", body, idempotency_key=idempotency_key)

    def rate_advice(self, ref: str, useful: bool, comment: str = "") -> dict[str, Any]:
        """`wire.AdviceView`."""
        return self._post(f"/incidents/{part(ref)}/advice/feedback", {"useful": useful, "comment": comment})

    def similar(self, ref: str, *, everywhere: bool = False, limit: int = 0) -> list[dict[str, Any]]:
        """`list[wire.SimilarView]`: incidents that are over, the likest first."""
        return self._items(f"/incidents/{part(ref)}/similar", everywhere="true" if everywhere else "", limit=limit)

    def advice_stats(self, *, company: str = "", days: int = 30) -> dict[str, Any]:
        """`wire.AdviceStats`."""
        return self._get("/advice/stats", company=company, days=days)
