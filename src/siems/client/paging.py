"""Pages of people: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part


class Paging(Transport):
    def pages(self, *, company: str = "", ended: bool = False, mine: bool = False) -> list[dict[str, Any]]:
        """`list[wire.PageView]`: what has not ended, or what has."""
        return self._items(
            "/pages", company=company, ended="true" if ended else "", mine="true" if mine else "", limit=10_000
        )

    def page(self, ref: str) -> dict[str, Any]:
        """`wire.PageView`."""
        return self._get(f"/pages/{part(ref)}")

    def open_page(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.PageAsk` in, `wire.PageAnswer` out."""
        return self._post("/pages", given(ask), idempotency_key=idempotency_key)

    def change_page(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`ack` or `end`: `wire.PageAnswer`."""
        return self._post(f"/pages/{part(ref)}/actions/{action}", given(ask), idempotency_key=idempotency_key)
