"""Companies and users: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part


class Companies(Transport):
    def companies(self) -> list[dict[str, Any]]:
        return self._items("/companies")

    def company(self, ref: str) -> dict[str, Any]:
        return self._get(f"/companies/{part(ref)}")

    def onboard(self, **ask: Any) -> dict[str, Any]:
        """`wire.OnboardAsk` in, `wire.Onboarded` out: the only time that the secrets are shown."""
        return self._post("/companies", given(ask))

    def edit_company(self, ref: str, **ask: Any) -> dict[str, Any]:
        return self._send("PATCH", f"/companies/{part(ref)}", given(ask))

    def set_sla(self, ref: str, **ask: Any) -> dict[str, Any]:
        return self._post(f"/companies/{part(ref)}/sla", given(ask))

    def users(self, *, company: str = "") -> list[dict[str, Any]]:
        return self._items("/users", company=company)

    def create_user(self, **ask: Any) -> dict[str, Any]:
        return self._post("/users", given(ask))
