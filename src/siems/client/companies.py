"""Companies and users: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part, said


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

    def user(self, ref: str) -> dict[str, Any]:
        """`wire.UserView`; `@me` is who asks."""
        return self._get(f"/users/{part(ref)}")

    def create_user(self, **ask: Any) -> dict[str, Any]:
        return self._post("/users", given(ask))

    def edit_user(self, ref: str, **ask: Any) -> dict[str, Any]:
        """`wire.UserEdit` in, `wire.UserChanged` out."""
        return self._send("PATCH", f"/users/{part(ref)}", said(ask))

    def set_availability(self, ref: str, availability: str, *, reason: str = "") -> dict[str, Any]:
        """`available`, `busy` or `away`: `wire.UserChanged`."""
        return self._post(f"/users/{part(ref)}/availability", {"availability": availability, "reason": reason})

    def reset_password(self, ref: str, password: str, *, reason: str = "") -> dict[str, Any]:
        """`wire.UserChanged`; whoever is logged in as them is so no more."""
        return self._post(f"/users/{part(ref)}/password", {"password": password, "reason": reason})
