"""Cross-company parents: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part


class Parents(Transport):
    def parents(self, *, state: str = "", limit: int = 0) -> list[dict[str, Any]]:
        """`list[wire.ParentView]`: those that are open, or that are over."""
        return self._items("/parents", state=state, limit=limit)

    def parent(self, ref: str) -> dict[str, Any]:
        """`wire.ParentView`."""
        return self._get(f"/parents/{part(ref)}")

    def create_parent(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.ParentAsk` in, `wire.ParentAnswer` out."""
        return self._post("/parents", given(ask), idempotency_key=idempotency_key)

    def act_on_parent(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """ack, note, update, hold, resume, resolve, add, remove, close: `wire.ParentAnswer`."""
        return self._post(f"/parents/{part(ref)}/actions/{action}", given(ask), idempotency_key=idempotency_key)
