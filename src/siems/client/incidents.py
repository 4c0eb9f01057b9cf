"""Incidents and what is done to them: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part


class Incidents(Transport):
    def incidents(self, query: str = "", *, sort: str = "", limit: int = 0, cursor: str = "") -> dict[str, Any]:
        """A page of incidents: `wire.Page[IncidentView]`."""
        return self._get("/incidents", query=query, sort=sort, limit=limit, cursor=cursor)

    def incident(self, ref: str) -> dict[str, Any]:
        """`wire.IncidentDetail`."""
        return self._get(f"/incidents/{part(ref)}")

    def timeline(self, ref: str, *, limit: int = 200) -> list[dict[str, Any]]:
        """`list[wire.TimelineEntry]`, newest first."""
        return self._items(f"/incidents/{part(ref)}/timeline", limit=limit)

    def incident_alerts(self, ref: str, *, limit: int = 200) -> list[dict[str, Any]]:
        """`list[wire.AlertView]` of one incident, newest first."""
        return self._items(f"/incidents/{part(ref)}/alerts", limit=limit)

    def candidates(self, ref: str, *, strategy: str = "", kept: bool = False) -> dict[str, Any]:
        """`wire.ChoiceView`: who might take it now, the best first; or with `kept` the last choice as it was."""
        return self._get(f"/incidents/{part(ref)}/candidates", strategy=strategy, kept="true" if kept else "")

    def explain(self, ref: str) -> dict[str, Any]:
        """`wire.ExplainView`."""
        return self._get(f"/incidents/{part(ref)}/explain")

    def what_if(self, **ask: Any) -> dict[str, Any]:
        """`wire.WhatIfAsk` in, `wire.WhatIfView` out."""
        return self._post("/whatif/page", given(ask))

    def act(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """Do something to an incident: `wire.ActAsk` in, `wire.ActAnswer` out."""
        body = {key: value for key, value in ask.items() if value is not None}
        return self._post(f"/incidents/{part(ref)}/actions/{action}", body, idempotency_key=idempotency_key)

    def create_incident(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.IncidentAsk` in, `wire.ActAnswer` out."""
        return self._post("/incidents", given(ask), idempotency_key=idempotency_key)

    def watch_incident(self, ref: str, *, on: bool = True, idempotency_key: str = "") -> dict[str, Any]:
        """{"id", "title", "changed", "watching"}."""
        extra = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._send("PUT" if on else "DELETE", f"/incidents/{part(ref)}/watch", {}, extra=extra)

    def undoable(self) -> dict[str, Any]:
        """`wire.LastAct`: what the user may take back now."""
        return self._get("/undo")

    def idempotent(self, key: str) -> dict[str, Any]:
        """What became of an earlier write with this key: {"found", "answer"}."""
        return self._get(f"/idempotency/{part(key)}")
