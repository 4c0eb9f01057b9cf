"""Sessions, the inbox, the audit log, how the service is: one method per verb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from siems.client.transport import Transport, given


class Record(Transport):
    def login(self, user: str, password: str) -> dict[str, Any]:
        return self._post("/auth/login", {"user": user, "password": password})

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        return self._post("/auth/refresh", {"refresh_token": refresh_token})

    def logout(self, refresh_token: str = "") -> dict[str, Any]:
        return self._post("/auth/logout", {"refresh_token": refresh_token})

    def me(self) -> dict[str, Any]:
        """`wire.Me`."""
        return self._get("/me")

    def inbox(self, *, unread: bool = False, limit: int = 100) -> list[dict[str, Any]]:
        return self._items("/inbox", unread="true" if unread else "", limit=limit)

    def read_inbox(self, ids: list[int] | None = None) -> dict[str, Any]:
        """Mark notices as read; all of them without ids."""
        return self._post("/inbox/read", {"ids": ids})

    def audit(
        self, *, company: str = "", limit: int = 0, object: str = "", query: str = ""
    ) -> list[dict[str, Any]]:  # fmt: skip
        return self._items("/audit", company=company, limit=limit, object=object, query=query)

    def audit_page(self, query: str = "", *, limit: int = 0, cursor: str = "") -> dict[str, Any]:
        """`wire.Page[wire.AuditView]`, newest first."""
        return self._get("/audit", query=query, limit=limit, cursor=cursor)

    def audit_chains(self) -> list[dict[str, Any]]:
        """`list[wire.ChainHead]`."""
        return self._items("/audit/chains")

    def verify_audit(self, *, company: str = "", first: int = 1, last: int | None = None) -> dict[str, Any]:
        """`wire.VerifyAnswer`."""
        return self._post("/audit/verify", {"company": company, "first": first, "last": last})

    def resume(self, reason: str = "") -> dict[str, Any]:
        """A copy that was put back goes to work: `changed`."""
        return self._post("/resume", {"reason": reason})

    def witness(self) -> dict[str, Any]:
        """`wire.WitnessState`."""
        return self._get("/audit/witness")

    def export_audit(self, **ask: Any) -> Iterator[dict[str, Any]]:
        """`wire.ExportAsk` in; the lines of the file out."""
        return self._lines("POST", "/audit/export", given(ask))

    def summary(self) -> dict[str, Any]:
        """`wire.Summary`."""
        return self._get("/summary")

    def status(self) -> dict[str, Any]:
        """`wire.Status`."""
        return self._get("/status")
