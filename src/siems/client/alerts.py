"""Alerts: what arrived, what was refused, what is sent by hand: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part


class Alerts(Transport):
    def alerts(self, query: str = "", *, limit: int = 0, cursor: str = "") -> dict[str, Any]:
        """A page of alerts: `wire.Page[AlertView]`."""
        return self._get("/alerts", query=query, limit=limit, cursor=cursor)

    def alert(self, ref: str) -> dict[str, Any]:
        """`wire.AlertView` with its raw body under `raw`."""
        return self._get(f"/alerts/{part(ref)}")

    def arrivals(self, query: str = "", *, limit: int = 0, cursor: str = "", after: str = "") -> dict[str, Any]:
        """A page of what arrived, newest first, older than `cursor` or newer than `after`: `wire.Page[ArrivalView]`."""
        return self._get("/arrivals", query=query, limit=limit, cursor=cursor, after=after)

    def send_alert(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.AlertsAsk` in; out what a webhook answers."""
        return self._post("/alerts", given(ask), idempotency_key=idempotency_key)

    def bodies(self, company: str, *, since: str = "", after: int = 0) -> list[dict[str, Any]]:
        """`list[wire.KeptBody]`: a page of what came, oldest first, with numbers above `after`."""
        return self._items(f"/companies/{part(company)}/bodies", since=since, after=after)

    def rejections(self, *, company: str = "", since: str = "", limit: int = 0) -> list[dict[str, Any]]:
        """`list[wire.RejectionView]`, newest first."""
        return self._items("/rejections", company=company, since=since, limit=limit)
