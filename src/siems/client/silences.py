"""Silences and maintenance windows: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part


class Silences(Transport):
    def silences(self, *, company: str = "", ended: bool = False) -> list[dict[str, Any]]:
        """`list[wire.SilenceView]`: what is on or to come, or what is over."""
        return self._items("/silences", company=company, ended="true" if ended else "")

    def silence(self, ref: str) -> dict[str, Any]:
        """`wire.SilenceView`."""
        return self._get(f"/silences/{part(ref)}")

    def create_silence(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.SilenceAsk` in, `wire.SilenceView` out."""
        return self._post("/silences", given(ask), idempotency_key=idempotency_key)

    def change_silence(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`extend` or `end`: `wire.SilenceChanged`."""
        return self._post(f"/silences/{part(ref)}/actions/{action}", given(ask), idempotency_key=idempotency_key)

    def preview_silence(self, company: str, matchers: list[str]) -> dict[str, Any]:
        """`wire.SilencePreview`: nothing is changed."""
        return self._post("/silences/preview", {"company": company, "matchers": matchers})
