"""Integrations, the tools there are, and heartbeats: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part


class Integrations(Transport):
    def integrations(self) -> list[dict[str, Any]]:
        """`list[wire.IntegrationView]`."""
        return self._items("/integrations")

    def integration(self, ref: str) -> dict[str, Any]:
        """`wire.IntegrationView`, with what became of what it sent last."""
        return self._get(f"/integrations/{part(ref)}")

    def integration_setup(self, ref: str) -> dict[str, Any]:
        """`wire.IntegrationAdded` of one that is there: without its secrets."""
        return self._get(f"/integrations/{part(ref)}/setup")

    def add_integration(self, **ask: Any) -> dict[str, Any]:
        """`wire.IntegrationAsk` in, `wire.IntegrationAdded` out: the only time that its secrets are shown."""
        return self._post("/integrations", given(ask))

    def heartbeats(self, *, company: str = "") -> list[dict[str, Any]]:
        """`list[wire.HeartbeatView]`, what is down first."""
        return self._items("/heartbeats", company=company)

    def heartbeat(self, ref: str) -> dict[str, Any]:
        return self._get(f"/heartbeats/{part(ref)}")

    def create_heartbeat(self, **ask: Any) -> dict[str, Any]:
        """`wire.HeartbeatMade`: the only time that its address is shown."""
        return self._post("/heartbeats", given(ask))

    def edit_heartbeat(self, ref: str, **ask: Any) -> dict[str, Any]:
        return self._send("PATCH", f"/heartbeats/{part(ref)}", given(ask))

    def heartbeat_act(self, ref: str, action: str) -> dict[str, Any]:
        """beat, pause, resume or rotate."""
        return self._post(f"/heartbeats/{part(ref)}/{action}", {})

    def delete_heartbeat(self, ref: str) -> dict[str, Any]:
        return self._send("DELETE", f"/heartbeats/{part(ref)}", {})

    def edit_integration(self, ref: str, **ask: Any) -> dict[str, Any]:
        """`wire.IntegrationEdit` in; `changed` out."""
        return self._send("PATCH", f"/integrations/{part(ref)}", {k: v for k, v in ask.items() if v is not None})

    def rotate_integration(self, ref: str, **ask: Any) -> dict[str, Any]:
        """`wire.RotateAsk` in, `wire.IntegrationAdded` out."""
        return self._post(f"/integrations/{part(ref)}/rotate", given(ask))

    def revoke_integration(self, ref: str, *, old: bool = False, reason: str = "") -> dict[str, Any]:
        return self._post(f"/integrations/{part(ref)}/revoke", {"old": old, "reason": reason})

    def map_tenant(self, ref: str, value: str, company: str | None, *, reason: str = "") -> dict[str, Any]:
        ask = {"value": value, "company": company, "reason": reason}
        return self._post(f"/integrations/{part(ref)}/tenants", ask)

    def tools(self) -> list[dict[str, Any]]:
        """`list[wire.ToolView]`: every tool that siems reads."""
        return self._items("/tools")

    def tool(self, name: str) -> dict[str, Any]:
        return self._get(f"/tools/{part(name)}")
