"""Alerts, what arrived, people and lines of a story, for the scripted daemon of the console's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from siems import wire

NOW = datetime(2026, 3, 10, 14, 2, 31, tzinfo=UTC)


def alert(number: int, seconds: int, severity: str, text: str, count: int = 1) -> wire.AlertView:
    at = NOW - timedelta(seconds=seconds)
    return wire.AlertView(
        id=f"ALR-{number}", company_id="comp-borealis", company="Borealis", incident_id="INC-121",
        fingerprint="f",
        asset_name="fw-edge-02", signature=text.replace(" ", "_"), severity=severity,
        original_severity=severity,
        message=text, tool_source="meraki", status="active", count=count, starts_at=at, received_at=at,
        last_seen_at=at, resolved_at=None, suppressed_by=None, rule="same asset",
        evidence="same asset, 5 min",
        labels={}, links=[],
    )  # fmt: skip


def arrival(number: int, seconds: float, kind: str = "received", **fields: Any) -> wire.ArrivalView:
    """Something that arrived so many seconds ago; `number` is its place in the stream."""
    at = NOW - timedelta(seconds=seconds)
    company = fields.pop("company", "Acme Dental")
    company_id = "comp-" + company.split()[0].lower()
    count, incident = fields.pop("count", 1), fields.pop("incident_id", None)
    one = refused = None
    if kind == "refused":
        refused = wire.RejectionView(
            at=at, company_id=company_id, cause=fields.get("cause", "signature"), source="generic", count=count,
            detail=fields.get("detail", "the signature does not match"), address=fields.get("address", "203.0.113.9"),
        )  # fmt: skip
    else:
        severity, text = fields.pop("severity", "MEDIUM"), fields.pop("text", "C: free 6 %")
        plain = alert(number, int(seconds), severity, text, count)
        changes = {
            "company": company, "company_id": company_id, "incident_id": incident, "asset_name": "fs02",
            "tool_source": "prtg", "evidence": "same asset and signature", "rule": "asset|signature",
        }  # fmt: skip
        one = msgspec.structs.replace(plain, **(changes | fields))
    return wire.ArrivalView(
        cursor=f"e{number}", at=at, kind=kind, company_id=company_id, company=company, count=count,
        incident_id=incident, alert=one, refusal=refused,
    )  # fmt: skip


def arrivals() -> list[wire.ArrivalView]:
    """The stream of the drawings, newest first."""
    acme, cedar, borealis, delta, ever = "Acme Dental", "Cedar Law", "Borealis", "Delta Foods", "Evergreen"
    return [
        arrival(33, 0, severity="CRITICAL", text="ICMP unreachable", company=acme, asset_name="dc01",
                tool_source="zabbix", incident_id="INC-118"),
        arrival(32, 1, company=cedar, incident_id="INC-101"),
        arrival(31, 3, company=cedar, asset_name="ex01", text="queue 5 204", incident_id="INC-97"),
        arrival(30, 4, severity="LOW", company=ever, asset_name="ups-3", tool_source="snmp", text="self test warning",
                incident_id="INC-90"),
        arrival(29, 12, "repeated", severity="CRITICAL", company=borealis, asset_name="fw-edge-02", count=4,
                tool_source="meraki", text="tunnel down", incident_id="INC-121"),
        arrival(28, 20, company=delta, asset_name="pos-7", tool_source="zabbix", text="agent lost 3 min",
                incident_id="INC-102"),
        arrival(27, 29, "recovered", severity="HIGH", company=acme, asset_name="sql01", tool_source="zabbix",
                text="agent back", status="resolved", resolved_at=NOW - timedelta(seconds=29), incident_id="INC-71"),
        arrival(26, 51, severity="LOW", company=borealis, asset_name="ap-14", tool_source="meraki", rule="noise",
                text="client roam", status="suppressed", suppressed_by="SIL-3"),
        arrival(25, 79, severity="CRITICAL", company=borealis, asset_name="fw-edge-02", tool_source="meraki",
                text="tunnel down", incident_id="INC-121"),
        arrival(24, 96, "refused", company=acme, count=3),
        arrival(23, 100, "repeated", company=cedar, count=3, incident_id="INC-101"),
        arrival(22, 131, severity="LOW", company=ever, asset_name="sw-core", tool_source="snmp", rule="",
                text="port flap gi0/7", evidence="2 of 3 within 15 min"),
    ]  # fmt: skip


BODY = (
    '{"source":"meraki","event":"client_roam","device":"ap-14","tags":[],"count":1.0e2,'
    '"where":{"site":"borealis-hq","floor":[1,2]},"said":"C: \\u001b[31m free 6 %"}'
)


def entry(seconds: int, kind: str, actor: str, text: str, **data: Any) -> wire.TimelineEntry:
    at = NOW - timedelta(seconds=seconds)
    return wire.TimelineEntry(at=at, kind=kind, actor=actor, via="tui", text=text, data=data)


def user(name: str, role: str = "technician", open_incidents: int = 0) -> wire.UserView:
    first = name.split()[0].lower()
    return wire.UserView(
        id=f"user-{first}", name=name, email=f"{first}@msp.example", role=role, companies=[], disabled=False,
        availability="available", open_incidents=open_incidents,
    )  # fmt: skip
