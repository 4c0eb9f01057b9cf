"""Runbooks: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part


class Runbooks(Transport):
    def runbooks(self, *, company: str = "") -> list[dict[str, Any]]:
        """`list[wire.RunbookView]`: what a company may use, or all that there is to see."""
        return self._items("/runbooks", company=company)

    def runbook(self, name: str, *, company: str = "") -> dict[str, Any]:
        """`wire.RunbookDetail`."""
        return self._get(f"/runbooks/{part(name)}", company=company)

    def runbook_text(self, name: str, *, company: str = "", version: str = "") -> dict[str, Any]:
        """`wire.RunbookText`: of a version, or `library`."""
        return self._get(f"/runbooks/{part(name)}/text", company=company, version=version)

    def create_runbook(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.RunbookAsk` in, `wire.RunbookDetail` out."""
        return self._post("/runbooks", given(ask), idempotency_key=idempotency_key)

    def edit_runbook(self, name: str, **ask: Any) -> dict[str, Any]:
        """`wire.RunbookEdit` in, `wire.RunbookChanged` out."""
        return self._send("PATCH", f"/runbooks/{part(name)}", given(ask))

    def delete_runbook(self, name: str, *, company: str, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"/runbooks/{part(name)}", given({"company": company, "reason": reason}))

    def approve_runbook(self, name: str, **ask: Any) -> dict[str, Any]:
        """`wire.RunbookContentAsk` in, `wire.RunbookChanged` out."""
        return self._post(f"/runbooks/{part(name)}/approve-content", given(ask))

    def suggested_runbooks(self, ref: str) -> list[dict[str, Any]]:
        """`list[wire.SuggestionView]`: what fits an incident, the best first."""
        return self._items(f"/incidents/{part(ref)}/runbooks")
