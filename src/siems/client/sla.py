"""Deadlines: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part


class Slas(Transport):
    def sla_board(self, query: str = "", *, limit: int = 0) -> list[dict[str, Any]]:
        """`list[wire.BoardLine]`: what is open, the next deadline first."""
        return self._items("/sla/board", query=query, limit=limit)

    def sla_check(self, **ask: Any) -> list[dict[str, Any]]:
        """`wire.SlaCheckAsk` in, `list[wire.SlaMatch]` out."""
        items: list[dict[str, Any]] = self._post("/sla/check", given(ask))["items"]
        return items

    def sla_report(self, *, since: str = "", until: str = "", by: str = "", company: str = "") -> dict[str, Any]:
        """`wire.SlaReport`."""
        return self._get("/sla/report", since=since, until=until, by=by, company=company)

    def sla_account(self, ref: str) -> dict[str, Any]:
        """`wire.SlaAccount`: the arithmetic of both deadlines of an incident."""
        return self._get(f"/incidents/{part(ref)}/sla")

    def sla_tiers(self) -> list[dict[str, Any]]:
        """`list[wire.TierView]`."""
        return self._items("/sla/tiers")
