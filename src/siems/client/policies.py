"""Escalation policies: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part


class Policies(Transport):
    def policies(self, *, company: str = "") -> list[dict[str, Any]]:
        """`list[wire.PolicyView]`."""
        return self._items("/policies", company=company)

    def policy(self, ref: str) -> dict[str, Any]:
        """`wire.PolicyView`, by id or name."""
        return self._get(f"/policies/{part(ref)}")

    def create_policy(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.PolicyAsk` in, `wire.PolicyView` out."""
        return self._post("/policies", given(ask), idempotency_key=idempotency_key)

    def edit_policy(self, ref: str, **ask: Any) -> dict[str, Any]:
        """`wire.PolicyEdit` in, `wire.PolicyChanged` out."""
        return self._send("PATCH", f"/policies/{part(ref)}", given(ask))

    def delete_policy(self, ref: str, *, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"/policies/{part(ref)}", given({"reason": reason}))

    def preview_policy(self, **ask: Any) -> dict[str, Any]:
        """`wire.PolicyPreviewAsk` in, `wire.PolicyTrial` out: a policy that is not kept yet."""
        return self._post("/policies/preview", given(ask))

    def try_policy(self, ref: str, **ask: Any) -> dict[str, Any]:
        """`wire.PolicyTrial`: who would be paged, when; nothing is changed."""
        return self._post(f"/policies/{part(ref)}/test", given(ask))
