"""Cloud accounts, agents and patches: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, part, said


class Clouds(Transport):
    def cloud_accounts(self, *, company: str = "", kind: str = "") -> list[dict[str, Any]]:
        """`list[wire.CloudAccountView]`."""
        return self._items("/cloud-accounts", company=company, kind=kind)

    def set_up_cloud_account(self, company: str, **ask: Any) -> dict[str, Any]:
        """`wire.CloudAccountAsk` in, `wire.CloudAccountView` out: a new one, or one that is known, changed."""
        return self._post(f"/companies/{part(company)}/cloud-accounts", said(ask))

    def cloud_setup(self, ref: str, *, principal: str = "") -> dict[str, Any]:
        """`wire.CloudSetup`: what is to be done over there."""
        return self._post(f"/cloud-accounts/{part(ref)}/setup", {"principal": principal})

    def check_cloud_account(self, ref: str) -> dict[str, Any]:
        """`wire.CloudAccountView` with what was found."""
        return self._post(f"/cloud-accounts/{part(ref)}/check", {})

    def remove_cloud_account(self, ref: str, *, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"/cloud-accounts/{part(ref)}", {"reason": reason})

    def agents(self, company: str) -> dict[str, Any]:
        """`wire.AgentsView`: asked of the clouds now."""
        return self._get(f"/companies/{part(company)}/agents")

    def patches(self, company: str) -> dict[str, Any]:
        """`wire.PatchesView`: asked of the clouds now."""
        return self._get(f"/companies/{part(company)}/patches")

    def install_agents(self, company: str, **ask: Any) -> dict[str, Any]:
        """`wire.InstallAsk` in, `wire.Installed` out."""
        return self._post(f"/companies/{part(company)}/agents", said(ask))
