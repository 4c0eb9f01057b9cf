"""Correlation: one method per verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from siems import errors
from siems.client.transport import Transport, part, said


class Correlation(Transport):
    def correlations(self) -> list[dict[str, Any]]:
        """`wire.CorrelationView` of each company."""
        return self._items("/correlation")

    def correlation(self, company: str) -> dict[str, Any]:
        return self._get(f"/companies/{part(company)}/correlation")

    def edit_correlation(self, company: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.CorrelationAsk` in, `wire.CorrelationView` out."""
        extra = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._send("PATCH", f"/companies/{part(company)}/correlation", said(ask), extra=extra)

    def preview_correlation(
        self, company: str, *, told: Callable[[int, int], None] | None = None, **ask: Any
    ) -> dict[str, Any]:
        """`wire.CorrelationPreview`; `told` hears how many alerts of how many were placed."""
        path = f"/companies/{part(company)}/correlation/preview"
        if told is None:
            return self._post(path, said(ask))
        for line in self._lines("POST", path, said(ask)):
            if "result" in line:
                found: dict[str, Any] = line["result"]
                return found
            told(line["done"], line["of"])
        raise errors.Unavailable("the answer broke off", hint="try again")
