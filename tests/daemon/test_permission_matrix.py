"""Who may call what: every route of the daemon × every role × an object that is theirs, another's, or missing.

`TABLE` is this test's own copy of the permission table of the specification: the code's is never asked. An object
of another client and one that does not exist must be answered with the same bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from siems.daemon.http import api
from siems.domain.advice import Advice, Insight, Pattern
from siems.domain.reach import Contact, Notice, Planned
from siems.services import contacts, notify_rules
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, Role, Severity
from siems.wire import ContactAsk, RuleAsk

from . import run_cases
from .house import ALERT as SENT
from .house import VAULT, House, Reply

ROLES = ("admin", "manager", "technician", "client")
TABLE = {
    #                                              admin manager technician client
    "see what is in the scope":                   "✓     ✓       ✓          ✓",
    "use one's own things":                       "✓     ✓       ✓          ✓",
    "note":                                       "✓     ✓       ✓          ·",
    "work on incidents":                          "✓     ✓       ✓          ·",
    "close, give to others":                      "✓     ✓       ·          ·",
    "silence for up to a day":                    "✓     ✓       ✓          ·",
    "settings and keys of a company":             "✓     ✓       ·          ·",
    "companies and users":                        "✓     ·       ·          ·",
    "read the audit log":                         "✓     ✓       ✓          ·",
    "verify the audit log":                       "✓     ·       ·          ·",
    "see what was refused":                       "✓     ✓       ✓          ·",
    "see heartbeats":                             "✓     ✓       ✓          ·",
    "see who is on call":                         "✓     ✓       ✓          ·",
    "own override, ask a swap, hand over":        "✓     ✓       ✓          ·",
    "others' overrides":                          "✓     ✓       ·          ·",
    "see tickets and templates":                  "✓     ✓       ✓          ·",
    "see which machines answer":                  "✓     ✓       ✓          ·",
    "analytics":                                  "✓     ✓       ✓          ·",
    "see runbooks":                               "✓     ✓       ✓          ·",
    "approve a runbook's content":                "✓     ·       ·          ·",
    "see groups across clients":                  "✓     ·       ✓          ·",
    "group across clients":                       "✓     ·       ·          ·",
} | run_cases.ROWS  # fmt: skip
MAY = {
    (row, role): mark == "✓" for row, marks in TABLE.items() for role, mark in zip(ROLES, marks.split(), strict=True)
}


@dataclass(frozen=True)
class Case:
    """How to call a route: the row of the table, and what is in place of its object."""

    row: str
    own: str = ""
    other: str = ""
    missing: str = ""
    body: Any = None
    query: str = ""
    ok: tuple[int, ...] = (200, 201)


INCIDENT = {"own": "INC-1", "other": "INC-2", "missing": "INC-9"}
ALERT = {"own": "ALR-1", "other": "ALR-2", "missing": "ALR-9"}
HEARTBEAT = {"own": "HB-1", "other": "HB-2", "missing": "HB-9"}
POLICY = {"own": "pol-acme-night", "other": "pol-beta-night", "missing": "pol-nope-night"}
SILENCE = {"own": "SIL-1", "other": "SIL-2", "missing": "SIL-9"}
SCHEDULE = {"own": "sch-acme-rota", "other": "sch-beta-rota", "missing": "sch-nope"}
OVERRIDE = {"own": "OVR-1", "other": "OVR-2", "missing": "OVR-9"}
SWAP = {"own": "SWP-1", "other": "SWP-2", "missing": "SWP-9"}
ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n"
LATER = "2026-03-10T18:00:00Z"
PAGE = {"own": "PAG-1", "other": "PAG-2", "missing": "PAG-9"}
PERSON = {"own": "@me", "other": "user-stranger", "missing": "user-nope"}
TICKET = {"own": "TKT-1", "other": "TKT-2", "missing": "TKT-9"}
TICKET_ACCOUNT = {"own": "acme-jira", "other": "beta-jira", "missing": "nope-jira"}
CLOUD_ACCOUNT = {"own": "acme-aws", "other": "beta-aws", "missing": "nope-aws"}
NOBODY_THERE = "http://127.0.0.1:9"
INTEGRATION = {"own": "int-acme-generic-1", "other": "int-beta-generic-2", "missing": "int-nope"}
CONTACT = {"own": "CON-{mine}", "other": "CON-1", "missing": "CON-9"}
RULE = {"own": "NR-{mine}", "other": "NR-1", "missing": "NR-9"}
MESSAGE = {"own": "MSG-1", "other": "MSG-2", "missing": "MSG-9"}
BODY = '{"asset_name": "web-01", "signature": "test"}'
COMPANY = {"own": "comp-acme", "other": "comp-beta", "missing": "comp-nope"}
COMPANY_BODY = {"own": "comp-acme", "other": "comp-beta", "missing": "comp-nope"}

CASES: dict[tuple[str, str], Case] = {
    ("GET", "/incidents"): Case("see what is in the scope"),
    ("GET", "/incidents/{ref}"): Case("see what is in the scope", **INCIDENT),
    ("GET", "/incidents/{ref}/timeline"): Case("see what is in the scope", **INCIDENT),
    ("GET", "/incidents/{ref}/alerts"): Case("see what is in the scope", **INCIDENT),
    ("GET", "/incidents/{ref}/candidates"): Case("work on incidents", **INCIDENT),
    ("GET", "/incidents/{ref}/explain"): Case("read the audit log", **INCIDENT),
    ("GET", "/incidents/{ref}/runbooks"): Case("see runbooks", **INCIDENT),
    ("POST", "/whatif/page"): Case("read the audit log", **COMPANY_BODY, body={"company": "{object}"}),
    ("POST", "/incidents/{ref}/actions/{action}"): Case("work on incidents", **INCIDENT),
    ("POST", "/incidents/{ref}/updates"): Case("note", **INCIDENT, body={"template": "identified"}),
    ("POST", "/incidents/{ref}/tickets"): Case("work on incidents", **INCIDENT, body={}),
    ("GET", "/tickets"): Case("see tickets and templates", **COMPANY, query="?company={object}"),
    ("GET", "/tickets/{ref}"): Case("see tickets and templates", **TICKET),
    ("POST", "/tickets/{ref}/sync"): Case("work on incidents", **TICKET, body={}),
    ("POST", "/tickets/{ref}/retry"): Case("work on incidents", **TICKET, body={}),
    ("DELETE", "/tickets/{ref}"): Case("work on incidents", **TICKET, body={}),
    ("GET", "/ticket-accounts"): Case("settings and keys of a company", **COMPANY, query="?company={object}"),
    ("POST", "/ticket-accounts"): Case(
        "settings and keys of a company", **COMPANY_BODY,
        body={"company": "{object}", "kind": "jira-server", "url": NOBODY_THERE, "secret": "x", "project": "OPS"},
    ),
    ("GET", "/ticket-accounts/{ref}"): Case("settings and keys of a company", **TICKET_ACCOUNT),
    ("PATCH", "/ticket-accounts/{ref}"): Case("settings and keys of a company", **TICKET_ACCOUNT, body={}),
    # nobody listens there: whoever may ask is told so
    ("POST", "/ticket-accounts/{ref}/test"): Case("settings and keys of a company", **TICKET_ACCOUNT, ok=(422,)),
    ("POST", "/ticket-accounts/{ref}/sync"): Case("settings and keys of a company", **TICKET_ACCOUNT),
    ("DELETE", "/ticket-accounts/{ref}"): Case("settings and keys of a company", **TICKET_ACCOUNT, body={}),
    ("GET", "/templates"): Case("see tickets and templates", **COMPANY, query="?company={object}"),
    ("GET", "/templates/{name}"): Case("see tickets and templates", **COMPANY, query="?company={object}"),
    ("PUT", "/templates/{name}"): Case(
        "settings and keys of a company", **COMPANY_BODY, body={"company": "{object}", "body": "x"}
    ),
    ("DELETE", "/templates/{name}"): Case("settings and keys of a company", **COMPANY, query="?company={object}"),
    ("POST", "/templates/{name}/render"): Case(
        "see tickets and templates", **COMPANY_BODY, body={"company": "{object}"}
    ),
    ("GET", "/idempotency/{key}"): Case("use one's own things", own="some-key"),
    ("GET", "/alerts"): Case("see what is in the scope"),
    ("POST", "/alerts"): Case("note", **COMPANY_BODY, body={"company": "{object}", "body": BODY}),
    ("GET", "/alerts/{ref}"): Case("see what is in the scope", **ALERT),
    ("GET", "/arrivals"): Case("see what is in the scope"),
    ("GET", "/rejections"): Case("see what was refused"),
    ("GET", "/silences"): Case("silence for up to a day", **COMPANY, query="?company={object}"),
    ("POST", "/silences"): Case(
        "silence for up to a day", **COMPANY_BODY,
        body={"company": "{object}", "matchers": ["asset=x"], "seconds": 86_400, "comment": "x"},
    ),
    ("POST", "/silences/preview"): Case(
        "silence for up to a day", **COMPANY_BODY, body={"company": "{object}", "matchers": ["asset=*"]}
    ),
    ("GET", "/silences/{ref}"): Case("silence for up to a day", **SILENCE),
    ("POST", "/silences/{ref}/actions/extend"): Case("silence for up to a day", **SILENCE, body={"seconds": 60}),
    ("POST", "/silences/{ref}/actions/end"): Case("silence for up to a day", **SILENCE, body={}),
    ("GET", "/incidents/{ref}/sla"): Case("see what is in the scope", **INCIDENT),
    ("GET", "/sla/board"): Case("see what is in the scope"),
    ("POST", "/sla/check"): Case("see what is in the scope", body={"once": "cron"}),
    ("GET", "/sla/report"): Case("see what is in the scope", **COMPANY, query="?by=severity&company={object}"),
    ("GET", "/sla/tiers"): Case("see what is in the scope"),
    ("GET", "/playback/board"): Case("analytics", own="2026-01-01T00:00:00Z", query="?at={object}"),
    ("GET", "/playback/steps"): Case("analytics", own="2026-01-01T00:00:00Z", query="?after={object}&until={object}"),
    ("GET", "/playback/incidents/{ref}"): Case("analytics", **INCIDENT),
    ("GET", "/reports/{ref}"): Case("analytics", own="volume"),
    ("GET", "/reports/{ref}/incidents"): Case("analytics", own="volume", query="?measure=opened"),
    ("GET", "/pages"): Case("work on incidents", **COMPANY, query="?company={object}"),
    ("POST", "/pages"): Case(
        "work on incidents", **COMPANY_BODY, body={"company": "{object}", "to": "oncall", "message": "x"}
    ),
    ("GET", "/pages/{ref}"): Case("work on incidents", **PAGE),
    ("POST", "/pages/{ref}/actions/ack"): Case("work on incidents", **PAGE, body={}),
    ("POST", "/pages/{ref}/actions/end"): Case("work on incidents", **PAGE, body={}),
    ("GET", "/companies"): Case("see what is in the scope"),
    ("POST", "/companies"): Case("companies and users", body={"name": "New one"}),
    ("GET", "/companies/{ref}"): Case("see what is in the scope", **COMPANY),
    ("PATCH", "/companies/{ref}"): Case("settings and keys of a company", **COMPANY, body={"burst": 200}),
    ("POST", "/companies/{ref}/sla"): Case(
        "settings and keys of a company", **COMPANY, body={"severity": "HIGH", "response_seconds": 600}
    ),
    ("GET", "/correlation"): Case("read the audit log"),
    ("GET", "/companies/{ref}/correlation"): Case("read the audit log", **COMPANY),
    ("PATCH", "/companies/{ref}/correlation"): Case("settings and keys of a company", **COMPANY, body={"texts": True}),
    ("POST", "/companies/{ref}/correlation/preview"): Case("settings and keys of a company", **COMPANY, body={}),
    ("GET", "/assets"): Case("see what is in the scope"),
    ("GET", "/companies/{ref}/assets"): Case("see what is in the scope", **COMPANY),
    ("POST", "/companies/{ref}/assets"): Case("settings and keys of a company", **COMPANY, body={"name": "san-01"}),
    ("POST", "/companies/{ref}/assets/import"): Case(
        "settings and keys of a company", **COMPANY, body={"csv": "name\nsan-02\n"}
    ),
    # nobody has given this daemon credentials: whoever may ask is told so
    ("POST", "/companies/{ref}/assets/import/aws"): Case(
        "companies and users", **COMPANY, body={"regions": ["eu-west-1"]}, ok=(409,)
    ),
    ("GET", "/companies/{ref}/agents"): Case("see which machines answer", **COMPANY),
    ("POST", "/companies/{ref}/agents"): Case("companies and users", **COMPANY, body={}, query="?dry_run=true"),
    ("GET", "/companies/{ref}/patches"): Case("see which machines answer", **COMPANY),
    ("POST", "/companies/{ref}/cloud-accounts"): Case(
        "companies and users", **COMPANY, ok=(200, 409),
        body={"kind": "azure", "account": "00000000-1111-4222-8333-444455556677"},
    ),
    ("GET", "/cloud-accounts"): Case("companies and users", **COMPANY, query="?company={object}"),
    ("GET", "/cloud-accounts/{ref}"): Case("companies and users", **CLOUD_ACCOUNT),
    # nobody has given this daemon credentials: whoever may ask is told so
    ("POST", "/cloud-accounts/{ref}/setup"): Case("companies and users", **CLOUD_ACCOUNT, body={}, ok=(409,)),
    ("POST", "/cloud-accounts/{ref}/check"): Case("companies and users", **CLOUD_ACCOUNT, body={}, ok=(409,)),
    ("DELETE", "/cloud-accounts/{ref}"): Case("companies and users", **CLOUD_ACCOUNT, body={}),
    ("GET", "/companies/{ref}/assets/{name}"): Case("see what is in the scope", **COMPANY),
    ("PATCH", "/companies/{ref}/assets/{name}"): Case(
        "settings and keys of a company", **COMPANY, body={"critical": True}
    ),
    ("POST", "/companies/{ref}/assets/{name}/merge"): Case(
        "settings and keys of a company", **COMPANY, body={"into": "web-server-01"}, ok=(422,)
    ),
    ("DELETE", "/companies/{ref}/assets/{name}"): Case("settings and keys of a company", **COMPANY),
    ("GET", "/companies/{ref}/bodies"): Case("close, give to others", **COMPANY),
    ("GET", "/integrations"): Case("settings and keys of a company"),
    ("GET", "/integrations/{ref}"): Case("settings and keys of a company", **INTEGRATION),
    ("PATCH", "/integrations/{ref}"): Case("settings and keys of a company", **INTEGRATION, body={"name": "n"}),
    ("GET", "/integrations/{ref}/setup"): Case("settings and keys of a company", **INTEGRATION),
    ("POST", "/integrations/{ref}/rotate"): Case("settings and keys of a company", **INTEGRATION, body={}),
    ("POST", "/integrations/{ref}/tenants"): Case(
        "companies and users", **INTEGRATION, body={"value": "7"}, ok=(409,)  # these belong to one client
    ),
    ("GET", "/tools"): Case("see what is in the scope"),
    ("GET", "/tools/{ref}"): Case("see what is in the scope", own="zabbix"),
    ("POST", "/integrations/{ref}/revoke"): Case("settings and keys of a company", **INTEGRATION, body={}),
    ("POST", "/integrations"): Case(
        "settings and keys of a company", **COMPANY_BODY, body={"tool": "alertmanager", "company": "{object}"}
    ),
    ("GET", "/heartbeats"): Case("see heartbeats", **COMPANY, query="?company={object}"),
    ("POST", "/heartbeats"): Case(
        "settings and keys of a company", **COMPANY_BODY,
        body={"name": "another", "company": "{object}", "every_seconds": 60},
    ),
    ("GET", "/heartbeats/{ref}"): Case("see heartbeats", **HEARTBEAT),
    ("PATCH", "/heartbeats/{ref}"): Case("settings and keys of a company", **HEARTBEAT, body={"every_seconds": 90}),
    ("POST", "/heartbeats/{ref}/beat"): Case("settings and keys of a company", **HEARTBEAT),
    ("POST", "/heartbeats/{ref}/pause"): Case("settings and keys of a company", **HEARTBEAT),
    ("POST", "/heartbeats/{ref}/resume"): Case("settings and keys of a company", **HEARTBEAT),
    ("POST", "/heartbeats/{ref}/rotate"): Case("settings and keys of a company", **HEARTBEAT),
    ("DELETE", "/heartbeats/{ref}"): Case("settings and keys of a company", **HEARTBEAT),
    ("GET", "/policies"): Case("settings and keys of a company", **COMPANY, query="?company={object}"),
    ("POST", "/policies"): Case(
        "settings and keys of a company", **COMPANY_BODY,
        body={"name": "another", "company": "{object}", "policy": {"steps": [{"targets": "owner"}]}},
    ),
    ("POST", "/policies/preview"): Case(
        "settings and keys of a company", **COMPANY_BODY,
        body={"owner": "{object}", "policy": {"steps": [{"targets": "owner"}]}},
    ),
    ("GET", "/policies/{ref}"): Case("settings and keys of a company", **POLICY),
    ("PATCH", "/policies/{ref}"): Case("settings and keys of a company", **POLICY, body={"name": "nights"}),
    ("POST", "/policies/{ref}/test"): Case("settings and keys of a company", **POLICY, body={}),
    ("DELETE", "/policies/{ref}"): Case("settings and keys of a company", **POLICY, body={}),
    ("GET", "/oncall"): Case("see who is on call", **SCHEDULE, query="?schedule={object}"),
    ("GET", "/oncall/ready"): Case("see who is on call", **SCHEDULE, query="?schedule={object}"),
    ("GET", "/schedules"): Case("see who is on call", **COMPANY, query="?company={object}"),
    ("POST", "/schedules"): Case(
        "settings and keys of a company", **COMPANY_BODY,
        body={"company": "{object}", "name": "nights", "layers": [{"members": ["root"]}]},
    ),
    ("GET", "/schedules/{ref}"): Case("see who is on call", **SCHEDULE),
    ("PATCH", "/schedules/{ref}"): Case("settings and keys of a company", **SCHEDULE, body={"country": "NO"}),
    ("GET", "/schedules/{ref}/fairness"): Case("see who is on call", **SCHEDULE),
    ("POST", "/schedules/{ref}/import"): Case("others' overrides", **SCHEDULE, body={"text": ICS}),
    ("GET", "/overrides"): Case("see who is on call", **SCHEDULE, query="?schedule={object}"),
    ("POST", "/overrides"): Case(
        "own override, ask a swap, hand over", **SCHEDULE,
        body={"user": "@me", "schedule": "{object}", "ends_at": LATER},
    ),
    ("GET", "/swaps"): Case("see who is on call"),
    ("POST", "/swaps"): Case(  # who has no shift on that day is told so
        "own override, ask a swap, hand over", **SCHEDULE,
        body={"schedule": "{object}", "other": "second", "mine": "2026-03-20"}, ok=(201, 422),
    ),
    # nobody else answers for the one who was asked
    ("POST", "/swaps/{ref}/accept"): Case("own override, ask a swap, hand over", **SWAP, ok=(403,)),
    ("POST", "/swaps/{ref}/decline"): Case("own override, ask a swap, hand over", **SWAP, ok=(403,)),
    ("DELETE", "/overrides/{ref}"): Case("others' overrides", **OVERRIDE),
    ("GET", "/calendar"): Case("see who is on call", **SCHEDULE, query="?schedule={object}"),
    ("GET", "/calendar/feeds"): Case("see who is on call"),
    ("POST", "/calendar/feeds"): Case("see who is on call", **SCHEDULE, body={"schedule": "{object}"}),
    ("DELETE", "/calendar/feeds/{ref}"): Case("see who is on call", own="feed-nope", ok=(404,)),
    ("GET", "/handoff"): Case("see who is on call", **SCHEDULE, query="?schedule={object}"),
    ("POST", "/handoff/note"): Case(
        "work on incidents", **INCIDENT, body={"incident": "{object}", "text": "call the vendor"}
    ),
    # who has no shift is told so
    ("POST", "/handoff/give"): Case(
        "own override, ask a swap, hand over", **SCHEDULE, body={"schedule": "{object}"}, ok=(200, 409)
    ),
    ("POST", "/handoff/accept"): Case(
        "own override, ask a swap, hand over", **SCHEDULE, body={"schedule": "{object}"}, ok=(200, 409)
    ),
    ("DELETE", "/schedules/{ref}"): Case("settings and keys of a company", **SCHEDULE),
    ("GET", "/users"): Case("see what is in the scope", **COMPANY, query="?company={object}"),
    ("POST", "/users"): Case(
        "companies and users",
        body={"name": "newcomer", "email": "n@msp.example", "role": "client", "password": "a long enough one"},
    ),
    ("GET", "/users/{ref}"): Case("see what is in the scope", **PERSON),
    ("PATCH", "/users/{ref}"): Case("settings and keys of a company", **PERSON, body={"skills": ["network"]}),
    ("POST", "/users/{ref}/availability"): Case("use one's own things", **PERSON, body={"availability": "busy"}),
    ("POST", "/users/{ref}/password"): Case(
        "companies and users", **PERSON, body={"password": "a long enough one"}
    ),
    ("GET", "/me"): Case("use one's own things"),
    ("GET", "/inbox"): Case("use one's own things"),
    ("POST", "/inbox/read"): Case("use one's own things", body={}),
    ("GET", "/channels"): Case("use one's own things"),
    ("GET", "/contacts"): Case("use one's own things"),
    ("POST", "/contacts"): Case("use one's own things", body={"channel": "webhook", "address": "https://9.9.9.9/x"}),
    ("POST", "/contacts/{ref}/code"): Case("use one's own things", **CONTACT, body={}),
    ("POST", "/contacts/{ref}/verify"): Case("use one's own things", **CONTACT, body={"code": "1"}, ok=(422,)),
    ("POST", "/notify/browsers"): Case("use one's own things", body={}, ok=(400,)),  # not set up here
    ("GET", "/notify/rules"): Case("use one's own things"),
    ("POST", "/notify/rules"): Case("use one's own things", body={"channel": "webhook"}),
    ("PATCH", "/notify/rules/{ref}"): Case("use one's own things", **RULE, body={"severity": "HIGH"}),
    ("DELETE", "/notify/rules/{ref}"): Case("use one's own things", **RULE),
    ("DELETE", "/contacts/{ref}"): Case("use one's own things", **CONTACT),
    ("GET", "/notify/preferences"): Case("use one's own things"),
    ("POST", "/notify/preferences"): Case("use one's own things", body={"zone": "Europe/Oslo"}),
    ("GET", "/notify/follows"): Case("use one's own things"),
    ("POST", "/notify/follows"): Case("use one's own things", **COMPANY_BODY, body={"company": "{object}"}),
    ("GET", "/notify/why/{ref}"): Case("read the audit log", **INCIDENT),
    ("GET", "/notify/shadow"): Case("read the audit log"),
    ("POST", "/notify/test"): Case("use one's own things", body={"channel": "email"}),
    ("GET", "/messages"): Case("use one's own things"),
    ("GET", "/messages/{ref}"): Case("read the audit log", **MESSAGE),
    ("POST", "/messages/{ref}/retry"): Case("work on incidents", **MESSAGE, body={}),
    ("GET", "/audit"): Case("read the audit log", **COMPANY, query="?company={object}"),
    ("GET", "/audit/chains"): Case("read the audit log"),
    ("POST", "/audit/verify"): Case("verify the audit log"),
    ("POST", "/resume"): Case("companies and users", body={}),
    ("GET", "/audit/witness"): Case("verify the audit log"),
    ("POST", "/audit/export"): Case("verify the audit log", body={}),
    ("POST", "/incidents"): Case("note", **COMPANY_BODY, body={"company": "{object}", "title": "x"}),
    ("GET", "/undo"): Case("use one's own things"),
    ("PUT", "/incidents/{ref}/watch"): Case("note", **INCIDENT, body={}),
    ("DELETE", "/incidents/{ref}/watch"): Case("note", **INCIDENT),
    ("GET", "/parents"): Case("see groups across clients"),
    ("GET", "/parents/{ref}"): Case("see groups across clients", own="PAR-1"),
    ("POST", "/parents"): Case("group across clients", body={"query": "signature:nowhere"}),
    ("POST", "/parents/{ref}/actions/ack"): Case("group across clients", own="PAR-1", body={}),
    ("POST", "/parents/{ref}/actions/hold"): Case(
        "group across clients", own="PAR-1", body={"hold_for": "client", "until": LATER}
    ),
    ("POST", "/parents/{ref}/actions/resume"): Case("group across clients", own="PAR-1", body={}),
    ("POST", "/parents/{ref}/actions/note"): Case("group across clients", own="PAR-1", body={"note": "x"}),
    ("POST", "/parents/{ref}/actions/update"): Case(
        "group across clients", own="PAR-1", body={"template": "identified"}
    ),
    ("POST", "/parents/{ref}/actions/add"): Case("group across clients", own="PAR-1", body={"incidents": ["INC-3"]}),
    ("POST", "/parents/{ref}/actions/remove"): Case(
        "group across clients", own="PAR-1", body={"incidents": ["INC-3"]}
    ),
    ("POST", "/parents/{ref}/actions/resolve"): Case("group across clients", own="PAR-1", body={"note": "x"}),
    ("POST", "/parents/{ref}/actions/close"): Case("group across clients", own="PAR-1", body={}),
    ("GET", "/search"): Case("see what is in the scope", own="x", query="?query={object}"),
    ("GET", "/summary"): Case("see what is in the scope"),
    ("GET", "/status"): Case("read the audit log"),
    **{route: Case(**how) for route, how in run_cases.CASES.items()},
    ("GET", "/incidents/{ref}/advice"): Case("work on incidents", **INCIDENT),
    ("POST", "/incidents/{ref}/advice"): Case("close, give to others", **INCIDENT, body={"verdict": "dismiss"}),
    ("POST", "/incidents/{ref}/advice/feedback"): Case("work on incidents", **INCIDENT, body={"useful": True}),
    ("GET", "/incidents/{ref}/similar"): Case("work on incidents", **INCIDENT),
    ("GET", "/advice/stats"): Case("work on incidents", **COMPANY, query="?company={object}"),
}  # fmt: skip

ACTS: dict[str, tuple[str, dict[str, Any]]] = {
    "assign": ("work on incidents", {"to": "@me"}),
    "unassign": ("work on incidents", {}),
    "ack": ("work on incidents", {}),
    "start": ("work on incidents", {}),
    "hold": ("work on incidents", {"hold_for": "client", "until": "2026-03-10T14:00:00Z"}),
    "resume": ("work on incidents", {}),
    "note": ("note", {"note": "x"}),
    "resolve": ("work on incidents", {"note": "x"}),
    "close": ("close, give to others", {}),
    "reopen": ("work on incidents", {"reason": "x"}),
    "escalate": ("work on incidents", {"reason": "x"}),
    "undo": ("work on incidents", {}),
    "merge": ("work on incidents", {"incidents": ["INC-3"]}),
    "split": ("work on incidents", {"alerts": ["ALR-1"]}),
    "severity": ("close, give to others", {"severity": "LOW", "reason": "x"}),
    "edit": ("work on incidents", {"title": "x"}),
}


def test_every_route_and_every_action_stands_in_the_matrix() -> None:
    assert set(CASES) == {(method, path) for method, path, _ in api.ROUTES}
    assert set(ACTS) == {action.value for action in Action}


async def populate(house: House) -> None:
    """INC-1, ALR-1, SIL-1, PAG-1 and HB-1 are Acme's, those with 2 are Beta's; one of each role works for Acme."""
    await house.alert(company=house.acme)
    await house.alert(company=house.beta)
    for company in ("comp-acme", "comp-beta"):
        ask = {"company": company, "matchers": ["asset=elsewhere"], "seconds": 3_600, "comment": "x"}
        assert (await house.ask("root", "POST", "/silences", ask)).status == 201
        chain = {"name": "night", "company": company, "policy": {"steps": [{"targets": "owner"}]}}
        assert (await house.ask("root", "POST", "/policies", chain)).status == 201
        beat = {"name": "nightly", "company": company, "every_seconds": 3_600}
        assert (await house.ask("root", "POST", "/heartbeats", beat)).status == 201
    for name in ("second", "third"):
        await house.hire(name, Role.ADMIN)
    for company in ("acme", "beta"):
        layer = {"members": ["root", "third"], "rotation": "52w"}
        rota = {"company": company, "name": "rota", "layers": [layer]}
        assert (await house.ask("root", "POST", "/schedules", rota)).status == 201
        more = {"schedule": f"sch-{company}-rota"}
        override = more | {"user": "third", "starts_at": "2026-03-30T12:00:00Z", "ends_at": "2026-03-31T12:00:00Z"}
        assert (await house.ask("root", "POST", "/overrides", override)).status == 201
        swap = more | {"other": "second", "mine": "2026-03-31"}
        assert (await house.ask("third", "POST", "/swaps", swap)).status == 201
        page = {"company": company, "to": "root", "message": "x"}
        runbook = {"company": company, "text": run_cases.RUNBOOK.format("vpn")}
        assert (await house.ask("third", "POST", "/runbooks", runbook)).status == 201
        assert (await house.ask("root", "POST", "/pages", page)).status == 201
        account = {"company": company, "kind": "jira", "url": NOBODY_THERE, "project": "OPS", "username": "a@b.example",
                   "secret": "x", "create": "never"}  # fmt: skip
        assert (await house.ask("root", "POST", "/ticket-accounts", account)).status == 201
    for number, company in enumerate(("acme", "beta"), 1):
        aws = {"kind": "aws", "account": str(number) * 12, "regions": ["eu-west-1"]}
        assert (await house.ask("root", "POST", f"/companies/{company}/cloud-accounts", aws)).status == 200
    for number in (1, 2):
        assert (await house.ask("root", "POST", f"/incidents/INC-{number}/tickets", {})).status == 200
    await run_cases.populate(house)
    for number, company in enumerate(("comp-acme", "comp-beta"), 1):
        await house.do(keep_advice, company, number, companies=(company,))
    for role in ROLES[1:]:
        await house.hire(role, Role(role), "comp-acme")
    await house.hire("stranger", Role.TECHNICIAN, "comp-beta")
    house.tokens["admin"] = house.tokens["root"]
    for number, name in enumerate(PEOPLE, 1):
        made = ContactAsk(channel="webhook", address=f"https://9.9.9.9/{number}", user=name)
        await house.do(contacts.add_contact, house.root, made, made.address, VAULT)
        await house.do(notify_rules.add_rule, house.root, RuleAsk(user=name, channel="webhook"), "", VAULT)
    for company, incident, name in (("comp-acme", "INC-1", "technician"), ("comp-beta", "INC-2", "stranger")):
        await house.do(plan_message, company, incident, f"user-{name}")
    await house.alert(SENT | {"asset_name": "san-9", "signature": "raid_degraded"}, company=house.acme)
    group = {"title": "one cause", "incidents": ["INC-1", "INC-2"]}
    assert (await house.ask("root", "POST", "/parents", group)).status == 201


PEOPLE = ("stranger", "root", "manager", "technician", "client")
"""Whose contact and rule has which number, from 1 on."""


def plan_message(uow: UnitOfWork, company: str, incident: str, user: str) -> None:
    """A message of tomorrow."""
    notice = Notice(
        key=f"x:{incident}", event="incident.opened", object=incident, company_id=company, severity=Severity.HIGH,
        subject=f"{incident} opened",
    )  # fmt: skip
    contact = Contact("CON-1", user, "webhook", "https://9.9.9.9/...")
    uow.outbox.notify(user, notice)
    uow.messages.add(user, notice, Planned(contact, "default", uow.now + timedelta(days=1), "for a test"))


def keep_advice(uow: UnitOfWork, company: str, number: int) -> None:
    """Something to judge."""
    insight = Insight(
        provider="local", pattern=Pattern.ISOLATED, root_cause="x", recommendation="", confidence=0.5,
    )  # fmt: skip
    uow.advice.put(Advice(incident_id=number, company_id=company, at=uow.now, insight=insight, alert_count=1), "x")


def written(value: Any, thing: str) -> Any:
    return json.loads(json.dumps(value).replace("{object}", thing))


async def call(house: House, role: str, route: tuple[str, str], thing: str, case: Case) -> Reply:
    method, path = route
    person = "root" if role == "admin" else role
    thing = thing.replace("{mine}", str(PEOPLE.index(person) + 1))
    name = "identified" if "templates" in path else "vpn" if "runbooks" in path else "web-server-01"
    path = run_cases.named(path).replace("{name}", name).replace("{ref}", thing).replace("{key}", thing)
    path += case.query.replace("{object}", thing) if thing else ""
    return await house.ask(role, method, path, written(case.body, thing))


def same(reply: Reply, thing: str) -> tuple[Any, ...]:
    """All of an answer but the name that was asked for, and what is new in every answer."""
    passing = ("date", "x-request-id", "x-server-time", "content-length")
    headers = {name: value for name, value in reply.headers.items() if name not in passing}
    return reply.status, headers, reply.body.replace(thing.encode(), b"?")


GONE = ("DELETE", "/companies/{ref}/assets/{name}")
"""After this there is nothing to run on: it comes last."""
PLAIN = sorted((route for route in CASES if "{action}" not in route[1]), key=lambda route: route == GONE)


@pytest.mark.parametrize("role", ROLES)
async def test_what_is_theirs_is_allowed_as_the_table_says_and_else_forbidden(house: House, role: str) -> None:
    await populate(house)
    for route in PLAIN:
        case = CASES[route]
        reply = await call(house, role, route, case.own, case)
        if MAY[case.row, role]:
            assert reply.status in case.ok, (route, reply)
        else:
            assert (reply.status, reply.code) == (403, "forbidden"), (route, reply)


@pytest.mark.parametrize("role", ROLES)
async def test_what_is_anothers_does_not_exist_with_the_same_bytes_as_what_is_missing(house: House, role: str) -> None:
    await populate(house)
    for route in PLAIN:
        case = CASES[route]
        if not case.other:
            continue
        missing = await call(house, role, route, case.missing, case)
        assert (missing.status, missing.code) == (404, "not_found"), (route, missing)
        other = await call(house, role, route, case.other, case)
        if role == "admin":
            assert other.status in case.ok, (route, other)
        else:
            assert same(other, case.other) == same(missing, case.missing), route


@pytest.mark.parametrize("role", ROLES)
async def test_every_action_is_allowed_as_the_table_says(house: House, role: str) -> None:
    await populate(house)
    for action, (row, body) in ACTS.items():
        reply = await house.ask(role, "POST", f"/incidents/INC-1/actions/{action}", body)
        if MAY[row, role]:
            assert reply.status in (200, 409), (action, reply)  # a conflict is an answer about the incident, too
        else:
            assert (reply.status, reply.code) == (403, "forbidden"), (action, reply)


@pytest.mark.parametrize("role", ROLES[1:])
async def test_no_action_tells_an_incident_of_another_client_from_a_missing_one(house: House, role: str) -> None:
    await populate(house)
    for action, (_, body) in [*ACTS.items(), ("dance", ("", {}))]:
        replies = [
            (ref, await house.ask(role, "POST", f"/incidents/{ref}/actions/{action}", asked))
            for asked in (body, {}, {"version": 1}, {"bogus": 1})
            for ref in ("INC-2", "INC-9")
        ]
        for (_, other), (_, missing) in zip(replies[::2], replies[1::2], strict=True):
            assert same(other, "INC-2") == same(missing, "INC-9"), action


async def test_giving_an_incident_to_somebody_else_is_for_managers(house: House) -> None:
    await populate(house)
    assert (await house.ask("manager", "POST", "/incidents/INC-1/actions/assign", {"to": "client"})).status == 422
    reply = await house.ask("technician", "POST", "/incidents/INC-1/actions/assign", {"to": "manager"})
    assert reply.status == 403
    reply = await house.ask("manager", "POST", "/incidents/INC-1/actions/assign", {"to": "technician"})
    assert reply.status == 200


async def test_longer_silences_and_maintenance_windows_are_for_managers(house: House) -> None:
    await populate(house)
    plain = {"company": "acme", "matchers": ["asset=x"], "comment": "x", "seconds": 3_600}
    for more in ({"seconds": 86_401}, {"change": "CHG-9"}, {"repeat": "daily"}):
        for role, status in (("technician", 403), ("manager", 201), ("admin", 201)):
            assert (await house.ask(role, "POST", "/silences", plain | more)).status == status, (role, more)
    for action, body in (("extend", {"seconds": 9}), ("end", {})):
        assert (await house.ask("technician", "POST", f"/silences/SIL-3/actions/{action}", body)).status == 403


@pytest.mark.parametrize("role", ROLES[1:])
async def test_no_list_holds_anything_of_another_client(house: House, role: str) -> None:
    await populate(house)
    for method, path in CASES:
        if method != "GET" or "{" in path:
            continue
        reply = await house.ask(role, "GET", path)
        if reply.status == 200:
            theirs = rb"(comp|sch)-beta|Beta|(INC|ALR|SIL|PAG|HB|MSG|TKT|OVR|SWP|RUN|SA)-2|beta-(jira|aws)|stranger"
            assert not re.search(theirs, reply.body), (path, reply)


async def test_the_offered_actions_are_the_ones_that_are_allowed(house: House) -> None:
    await populate(house)
    for role in ROLES:
        shown = (await house.ask(role, "GET", "/incidents/INC-1")).json()["incident"]["actions"]
        allowed = {action for action, (row, _) in ACTS.items() if MAY[row, role]}
        assert set(shown) <= allowed, role
        assert bool(shown) == (role != "client")


async def test_without_a_token_every_route_answers_401_with_the_same_bytes(door: House) -> None:
    await populate(door)
    bodies = set()
    for method, path in CASES:
        path = path.format(ref="INC-1", name="x", key="k", action="ack", executor="ssh")
        for headers in ([], [("Authorization", "Bearer nonsense")], [("Authorization", "Basic x")]):
            reply = await door.send(method, f"/api/v1{path}", headers)
            assert reply.status == 401, path
            bodies.add(reply.body)
    assert len(bodies) == 1


@pytest.mark.parametrize("path", ["/incidents/INC-1/actions/ack", "/companies/acme", "/inbox/read", "/users"])
async def test_unlisted_fields_are_refused_and_change_nothing(door: House, path: str) -> None:
    await populate(door)
    method = "PATCH" if path == "/companies/acme" else "POST"
    for field in ("id", "company_id", "role_id", "created_at", "settings", "password_hash"):
        reply = await door.ask("admin", method, path, {field: "x"})
        assert (reply.status, reply.code) == (422, "invalid_field"), (field, reply)
    assert (await door.ask("admin", "GET", "/incidents/INC-1")).json()["incident"]["version"] == 1


async def test_a_client_sees_the_public_part_of_what_is_theirs(house: House) -> None:
    await house.hire("carol", Role.CLIENT, "comp-acme")
    await house.hire("tess", Role.TECHNICIAN, "comp-acme")
    await house.alert(SENT | {"labels": {"rack": "r9"}})
    await house.ask("tess", "POST", "/incidents/INC-1/actions/start", {})
    await house.ask("tess", "POST", "/incidents/INC-1/actions/resolve", {"note": "their cable, again"})
    for path in ("/incidents", "/incidents/INC-1", "/incidents/INC-1/timeline", "/incidents/INC-1/alerts", "/alerts",
                 "/alerts/ALR-1"):  # fmt: skip
        told, staff = (await house.ask("carol", "GET", path)).body, (await house.ask("tess", "GET", path)).body
        for inner in (b"tess", b"their cable", b"r9", b"asset|signature"):
            assert inner not in told, (path, inner)
        assert b"web-server-01" in told
        assert len(staff) > len(told)
    shown = (await house.ask("carol", "GET", "/incidents/INC-1")).json()["incident"]
    assert (shown["state"], shown["severity"]) == ("RESOLVED", "HIGH")
    assert shown["sla"]["resolution"]["met_at"]


async def test_only_admins_are_told_where_the_database_is(house: House) -> None:
    await house.hire("tess", Role.TECHNICIAN, "comp-acme")
    told = (await house.ask("tess", "GET", "/status")).json()["database"]
    assert told in ("sqlite", "postgresql")
    assert len((await house.ask("root", "GET", "/status")).json()["database"]) > len(told)
