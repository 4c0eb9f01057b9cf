"""Silences and groups across clients, for the scripted daemon of the console's tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from streamed import NOW

from siems import errors, wire


def silence(number: int, *matchers: str, hours: float = 2, starts: float = -1, **fields: Any) -> wire.SilenceView:
    company = fields.pop("company", "Acme Dental")
    begin, end = NOW + timedelta(hours=starts), NOW + timedelta(hours=hours)
    values: dict[str, Any] = {
        "id": f"SIL-{number}", "company_id": "comp-" + company.split()[0].lower(), "company": company,
        "kind": "silence", "state": "active" if starts <= 0 else "planned", "matchers": list(matchers),
        "starts_at": begin, "ends_at": end, "comment": "", "change": "", "repeats": None, "rule": None,
        "time_zone": None, "created_by": "user-jon", "created_by_name": "Jon Berg", "created_at": begin,
        "ended_at": None, "ended_by": None, "suppressed": 0, "windows": [wire.WindowView(starts_at=begin, ends_at=end)],
    }  # fmt: skip
    return wire.SilenceView(**values | fields)


def silences() -> list[wire.SilenceView]:
    sunday = [
        wire.WindowView(starts_at=NOW + timedelta(days=5 + 7 * n), ends_at=NOW + timedelta(days=5 + 7 * n, hours=4))
        for n in range(3)
    ]
    return [
        silence(3, "asset=ups-3", comment="battery swap", suppressed=4),
        silence(4, "asset=dc*", "severity!=CRITICAL", hours=6, company="Borealis", change="CHG-9", kind="maintenance"),
        silence(
            5, "asset=*", starts=120, hours=124, company="Cedar Law", kind="maintenance", repeats="weekly sun",
            comment="patches", windows=sunday, created_by_name="Priya Nair",
        ),
    ]  # fmt: skip


def child(number: int, company: str, title: str, **fields: Any) -> wire.ParentChild:
    values: dict[str, Any] = {
        "id": f"INC-{number}", "company_id": "comp-" + company.split()[0].lower(), "company": company, "title": title,
        "severity": "HIGH", "state": "ASSIGNED", "on_hold": False, "open": True, "assignee_name": "Jon Berg",
        "acknowledged_at": NOW, "due_at": NOW + timedelta(hours=3), "added_at": NOW - timedelta(minutes=20),
        "added_by": "user-maria",
    }  # fmt: skip
    return wire.ParentChild(**values | fields)


def parents() -> list[wire.ParentView]:
    return [
        wire.ParentView(
            id="PAR-3", title="Provider outage in Oslo", query="signature:vpn_down severity:>=HIGH", state="open",
            created_by="user-maria", created_at=NOW - timedelta(minutes=22), acknowledged_by="maria",
            acknowledged_at=NOW - timedelta(minutes=18), ended_at=None, companies=2, open=2,
            children=[
                child(121, "Borealis", "VPN concentrator flapping", severity="CRITICAL", assignee_name="Maria Lopez"),
                child(109, "Acme Dental", "Backup job failed x3", due_at=NOW - timedelta(minutes=4)),
                child(71, "Acme Dental", "SQL agent restarted", state="RESOLVED", open=False, due_at=None),
            ],
            story=[
                wire.ParentLine(at=NOW - timedelta(minutes=22), kind="created", actor="maria", text="2 incidents"),
                wire.ParentLine(at=NOW - timedelta(minutes=18), kind="ack", actor="maria", text="acknowledged"),
            ],
        ),
        wire.ParentView(
            id="PAR-4", title="Expired root certificate", query="", state="open", created_by="user-jon",
            created_at=NOW - timedelta(minutes=3), acknowledged_by=None, acknowledged_at=None, ended_at=None,
            companies=1, open=1, children=[child(97, "Cedar Law", "Exchange queue > 5000", on_hold=True)],
        ),
    ]  # fmt: skip


class Grouped:
    """The methods of `Client` about silences and parents, over lists in memory."""

    calls: list[tuple[str, str, dict[str, Any]]]
    refuse: errors.SiemsError | None
    role: str
    failing: str = ""

    def _check(self) -> None:
        raise NotImplementedError

    def _told(self, verb: str, ref: str, **ask: Any) -> None:
        raise NotImplementedError

    def silences(self, *, company: str = "", ended: bool = False) -> list[dict[str, Any]]:
        self._check()
        return list(msgspec.to_builtins(getattr(self, "quiet", silences())))

    def preview_silence(self, company: str, matchers: list[str]) -> dict[str, Any]:
        self._check()
        if self.refuse is not None:
            raise self.refuse
        found = wire.SilencePreview(
            company_id=f"comp-{company}", matchers=matchers, alert_count=3, alerts=[], last_24h=12, last_24h_of=200,
            incidents=[
                wire.SilencedIncident(id="INC-118", title="DC01 down", severity="CRITICAL", state="OPEN", hushed=True),
                wire.SilencedIncident(id="INC-109", title="Backup", severity="HIGH", state="ASSIGNED", hushed=False),
            ],
        )  # fmt: skip
        return dict(msgspec.to_builtins(found))

    def change_silence(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        self._told(action, ref, **ask)
        return {"changed": True}

    def parents(self, *, ended: bool = False, limit: int = 0) -> list[dict[str, Any]]:
        self._check()
        if self.role == "client":
            raise errors.Forbidden("cleo may not see what groups incidents", hint="ask somebody with the role admin")
        return list(msgspec.to_builtins(getattr(self, "groups", parents())))

    def parent(self, ref: str) -> dict[str, Any]:
        return next(one for one in self.parents() if one["id"] == ref)

    def _answer(self, ref: str) -> dict[str, Any]:
        found = next(one for one in parents() if one.id == ref)
        fault = wire.ActError(code="conflict", message="it is CLOSED", hint="reopen it first")
        results = [
            wire.ParentResult(
                id=one.id, company_id=one.company_id, changed=one.id != self.failing, state=one.state,
                error=fault if one.id == self.failing else None,
            )
            for one in found.children
        ]  # fmt: skip
        return dict(msgspec.to_builtins(wire.ParentAnswer(parent=found, results=results)))

    def act_on_parent(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        self._told(f"parent {action}", ref, **ask)
        return self._answer(ref)

    def create_parent(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        self._told("parent create", "", **ask)
        return self._answer("PAR-3")
