"""Tickets, their accounts, templates and status updates: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import Transport, given, part, said


class Tickets(Transport):
    def tickets(self, *, company: str = "", failed: bool = False, limit: int = 0) -> list[dict[str, Any]]:
        """`list[wire.TicketView]`, the newest first."""
        return self._items("/tickets", company=company, failed="true" if failed else "", limit=limit)

    def ticket(self, ref: str) -> dict[str, Any]:
        """`wire.TicketView`, by TKT-3 or its own key."""
        return self._get(f"/tickets/{part(ref)}")

    def give_ticket(self, incident: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.TicketAsk` in, `wire.TicketChanged` out: a new one, or with `key` one that is there."""
        path = f"/incidents/{part(incident)}/tickets"
        return self._post(path, given(ask), idempotency_key=idempotency_key)

    def unlink_ticket(self, ref: str, *, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"/tickets/{part(ref)}", {"reason": reason})

    def ticket_act(self, ref: str, action: str, **ask: Any) -> dict[str, Any]:
        """sync or retry: `wire.TicketChanged`."""
        return self._post(f"/tickets/{part(ref)}/{action}", given(ask))

    # --- accounts ----------------------------------------------------------------------------------------------

    def ticket_accounts(self, *, company: str = "") -> list[dict[str, Any]]:
        """`list[wire.TicketAccountView]`."""
        return self._items("/ticket-accounts", company=company)

    def ticket_account(self, ref: str) -> dict[str, Any]:
        return self._get(f"/ticket-accounts/{part(ref)}")

    def add_ticket_account(self, **ask: Any) -> dict[str, Any]:
        """`wire.TicketAccountAsk` in, `wire.TicketAccountMade` out: the only time that its webhook is shown."""
        return self._post("/ticket-accounts", said(ask))

    def edit_ticket_account(self, ref: str, **ask: Any) -> dict[str, Any]:
        """`wire.TicketAccountEdit` in, `wire.TicketAccountMade` out."""
        return self._send("PATCH", f"/ticket-accounts/{part(ref)}", said(ask))

    def remove_ticket_account(self, ref: str, *, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"/ticket-accounts/{part(ref)}", {"reason": reason})

    def ticket_account_act(self, ref: str, action: str) -> dict[str, Any]:
        """test (`wire.TicketAccountTested`) or sync (`wire.TicketAccountView`)."""
        return self._post(f"/ticket-accounts/{part(ref)}/{action}", {})

    # --- templates ---------------------------------------------------------------------------------------------

    def templates(self, company: str) -> list[dict[str, Any]]:
        """`list[wire.TemplateView]`: those in force for a company."""
        return self._items("/templates", company=company)

    def template(self, company: str, name: str) -> dict[str, Any]:
        return self._get(f"/templates/{part(name)}", company=company)

    def edit_template(self, name: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.TemplateEdit` in, `wire.TemplateView` out."""
        extra = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._send("PUT", f"/templates/{part(name)}", given(ask), extra=extra)

    def reset_template(self, company: str, name: str) -> dict[str, Any]:
        return self._send("DELETE", f"/templates/{part(name)}?company={part(company)}", {})

    def render_template(self, name: str, **ask: Any) -> dict[str, Any]:
        """`wire.TemplateRenderAsk` in, `wire.TemplateRendered` out."""
        return self._post(f"/templates/{part(name)}/render", given(ask))

    def update_incident(self, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.UpdateAsk` in, `wire.UpdateAnswer` out: a public note from a template."""
        return self._post(f"/incidents/{part(ref)}/updates", given(ask), idempotency_key=idempotency_key)
