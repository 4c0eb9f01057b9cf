"""Runs of runbooks, and what is decided about them: one method per verb."""

from __future__ import annotations

from typing import Any

from siems.client.transport import REHEARSED, Transport, given, part, said


class Runs(Transport):
    def runs(self, query: str = "", *, incident: str = "", limit: int = 0, cursor: str = "") -> dict[str, Any]:
        """`wire.Page[wire.RunView]`, the newest first."""
        return self._get("/runs", query=query, incident=incident, limit=limit, cursor=cursor)

    def run(self, ref: str) -> dict[str, Any]:
        """`wire.RunDetail`: with its hosts and steps."""
        return self._get(f"/runs/{part(ref)}")

    def run_output(
        self, ref: str, *, host: str = "", step: int = 0, after: int = 0, limit: int = 0
    ) -> dict[str, Any]:  # fmt: skip
        """`wire.RunOutput`: what was printed after `after`."""
        return self._get(f"/runs/{part(ref)}/output", host=host, step=step, after=after, limit=limit)

    def run_commands(self, ref: str) -> list[dict[str, Any]]:
        """`list[wire.RunScripts]`: what it does on its hosts, exactly."""
        return self._items(f"/runs/{part(ref)}/commands")

    def rehearse_run(self, **ask: Any) -> dict[str, Any]:
        """`wire.RunAsk` in, `wire.RunMade` out: what would be run where. Nothing is asked for."""
        return self._post(f"/runs{REHEARSED}", given(ask))

    def ask_for_run(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.RunAsk` in, `wire.RunMade` out."""
        return self._post("/runs", given(ask), idempotency_key=idempotency_key)

    def change_run(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`approve`, `reject`, `cancel` or `rollback`: `wire.RunChanged`."""
        return self._post(f"/runs/{part(ref)}/actions/{action}", given(ask), idempotency_key=idempotency_key)

    def answer_run(
        self, ref: str, answer: str, hosts: list[str], *, reason: str = "", idempotency_key: str = ""
    ) -> dict[str, Any]:  # fmt: skip
        """`skip`, `retry`, `hold` or `go-on`, for hosts that ask: `wire.RunChanged`."""
        ask = {"answer": answer, "hosts": hosts, **given({"reason": reason})}
        return self._post(f"/runs/{part(ref)}/actions/answer", ask, idempotency_key=idempotency_key)

    # --- settings ----------------------------------------------------------------------------------------------

    def standing_approvals(self, *, company: str = "", ended: bool = False) -> list[dict[str, Any]]:
        """`list[wire.StandingView]`."""
        return self._items("/standing-approvals", company=company, ended="true" if ended else "")

    def grant_standing(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.StandingAsk` in, `wire.StandingView` out."""
        return self._post("/standing-approvals", given(ask), idempotency_key=idempotency_key)

    def revoke_standing(self, ref: str, *, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"/standing-approvals/{part(ref)}", given({"reason": reason}))

    def self_heals(self, *, company: str = "") -> list[dict[str, Any]]:
        """`list[wire.HealView]`."""
        return self._items("/self-healing", company=company)

    def set_self_heal(self, company: str, runbook: str, **ask: Any) -> dict[str, Any]:
        """`wire.HealAsk` in, `wire.HealView` out."""
        return self._send("PUT", f"/companies/{part(company)}/self-healing/{part(runbook)}", said(ask))

    def remove_self_heal(self, company: str, runbook: str, *, reason: str = "") -> dict[str, Any]:
        path = f"/companies/{part(company)}/self-healing/{part(runbook)}"
        return self._send("DELETE", path, given({"reason": reason}))

    def run_rule(self, company: str) -> dict[str, Any]:
        """`wire.RunRuleView`."""
        return self._get(f"/companies/{part(company)}/run-rule")

    def set_run_rule(self, company: str, **ask: Any) -> dict[str, Any]:
        """`wire.RunRuleAsk` in, `wire.RunRuleView` out."""
        return self._send("PUT", f"/companies/{part(company)}/run-rule", given(ask))

    def host_logins(self, *, company: str = "") -> list[dict[str, Any]]:
        """`list[wire.HostLoginView]`."""
        return self._items("/host-logins", company=company)

    def set_host_login(self, company: str, executor: str, **ask: Any) -> dict[str, Any]:
        """`wire.HostLoginAsk` in, `wire.HostLoginView` out."""
        return self._send("PUT", f"/companies/{part(company)}/logins/{part(executor)}", said(ask))

    def remove_host_login(self, company: str, executor: str, *, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"/companies/{part(company)}/logins/{part(executor)}", given({"reason": reason}))
