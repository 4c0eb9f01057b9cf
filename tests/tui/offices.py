"""Clients, ways in, people and policies, for the scripted daemon of the console's tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from streamed import NOW, user

from siems import errors, wire
from siems.domain.permissions import granted
from siems.vocabulary import Role

KEY, SECRET = "sk_fjord_8mQ2xx11yy22zz33", "whsec_f0b1aa22bb33cc44"
URL = "https://siems.example/api/webhooks/alerts"
SETUP = wire.SetupView(
    steps=["In Zabbix, open Alerts, Media types, and import the file.", "Send a test: it has to arrive here."],
    snippet=f"url: {URL}\n  key: {KEY}\n", snippet_name="zabbix.yaml", docs="https://www.zabbix.com/documentation",
)  # fmt: skip
RULES = wire.CorrelationSettings(
    enabled=True, strategy="auto", window_minutes=15, min_alerts=1, quiet_minutes=5, auto_resolve=True,
    reopen_minutes=60, close_hours=72,
)  # fmt: skip


def company(name: str, tier: str = "gold", **fields: Any) -> wire.CompanyView:
    slug = name.lower().replace(" ", "-")
    hours = wire.BusinessHoursView("Mon-Fri 08:00-17:00", "Europe/Oslo", "NO", [], [])
    plan = wire.SlaPlan(tier, [], "Europe/Oslo", hours if tier == "silver" else None, ["vendor"])
    values: dict[str, Any] = {
        "id": f"comp-{slug}", "name": name, "active": True, "created_at": NOW - timedelta(days=41),
        "rate_per_minute": 60, "paging": "live", "sla_plan": plan, "burst": 120, "correlation": RULES, "sla": [],
        "policy": "pol-default",
    }  # fmt: skip
    return wire.CompanyView(**values | fields)


def way(number: int, company_id: str, tool: str = "generic", *, days: int = 41, **fields: Any) -> wire.IntegrationView:
    values: dict[str, Any] = {
        "id": f"int-{number}", "company_id": company_id, "tool": tool, "name": tool, "signing": "required",
        "key_hint": f"sk_{number}...", "created_at": NOW - timedelta(days=days), "revoked_at": None,
        "expires_at": None, "rate_per_minute": None, "networks": [], "tenant_field": "", "tenants": [],
        "old_keys": [], "last_seen_at": None, "last_kind": "", "last_seen": None, "refused_at": None,
        "refused_cause": "",
    }  # fmt: skip
    return wire.IntegrationView(**values | fields)


def ways() -> list[wire.IntegrationView]:
    seen, old = {"last_seen_at": NOW - timedelta(seconds=12)}, {"last_seen_at": NOW - timedelta(minutes=31)}
    return [
        way(1, "comp-acme-dental", **seen), way(2, "comp-acme-dental", "zabbix", **old),
        way(3, "comp-borealis", days=400, **seen),
        way(4, "comp-cedar-law", "prtg", refused_at=NOW - timedelta(minutes=2), refused_cause="the signature is wrong",
            **old),
        way(5, "comp-evergreen", expires_at=NOW + timedelta(days=5), **old), way(6, "comp-fjord-media"),
    ]  # fmt: skip


def policy(name: str, *, of: str = "msp", used: tuple[str, ...] = ()) -> wire.PolicyView:
    steps = [
        {"targets": ["owner", "oncall"], "wait": {"CRITICAL": "5m", "HIGH": "15m"}},
        {"targets": ["role:manager"], "wait": {"CRITICAL": "5m", "HIGH": "15m"}, "important": False},
    ]
    return wire.PolicyView(
        id=f"pol-{name}", company_id=of, name=name, version=2, changed_at=NOW - timedelta(days=3),
        policy={"steps": steps, "repeat": 2, "reassign": True}, companies=list(used),
    )  # fmt: skip


def preview(company: str) -> wire.CorrelationPreview:
    """A day of 733 alerts, 14 incidents as it is set and 11 under other rules."""
    now, then = (
        wire.ReplaySide(RULES, incidents, noise, 0, 300, 0, 0, 2, {"auto:1": 700})
        for incidents, noise in ((14, 98.1), (11, 98.5))
    )
    joined = wire.RegroupedAlerts(
        4, 9, "ALR-17", NOW - timedelta(hours=3), "auto:2", "disk_full on 4 assets within 30 min", ["ALR-17"], ["INC-4"]
    )
    return wire.CorrelationPreview(
        id=company, since=NOW - timedelta(days=1), until=NOW, alerts=733, firings=2_100, more=False, incidents=14,
        before=now, after=then, joined=3, split=0, joins=[joined] * 3, splits=[], hours=[],
    )  # fmt: skip


def tool(name: str, title: str) -> wire.ToolView:
    return wire.ToolView(name=name, title=title, signs="", proves="", tenant="", aliases=[], setup=SETUP)


class OfficeClient:
    """The methods of `Client` that the office uses, over lists in memory."""

    role: str
    calls: list[tuple[str, str, dict[str, Any]]]
    refuse: errors.SiemsError | None
    views: dict[str, wire.IncidentView]
    may: list[str] | None = None
    """What the reader is allowed; without it what their role is."""

    def allowed(self) -> list[str]:
        return granted(Role(self.role)) if self.may is None else self.may

    def everywhere(self) -> None:
        """Everybody works for every client."""
        for one in self.people:
            one.companies = sorted({view.company_id for view in self.views.values()})

    def furnish(self) -> None:
        self.clients = [
            company("Fjord Media", "bronze"), company("Acme Dental", open_incidents=6, breached=1),
            company("Borealis", open_incidents=5), company("Cedar Law", "silver", open_incidents=4),
            company("Delta Foods", "silver", paging="shadow"), company("Evergreen", "bronze"),
        ]  # fmt: skip
        self.ways = ways()
        self.chains = [
            policy("default", used=("comp-acme-dental", "comp-borealis")), policy("nights", of="comp-cedar-law"),
        ]  # fmt: skip
        self.people = [
            user("Maria Lopez", open_incidents=3), user("Jon Berg", open_incidents=4), user("Priya Nair", "manager"),
        ]  # fmt: skip
        self.signs, self.keys = True, list[str]()

    def _check(self) -> None:
        raise NotImplementedError

    def _told(self, verb: str, ref: str, **ask: Any) -> None:
        self._check()
        self.calls.append((verb, ref, {name: value for name, value in ask.items() if value not in (None, "", [])}))
        if self.refuse is not None:
            raise self.refuse

    # --- what is asked ---

    def companies(self) -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins(self.clients)

    def integrations(self) -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins(self.ways)

    def integration(self, ref: str) -> dict[str, Any]:
        self._check()
        return msgspec.to_builtins(next(one for one in self.ways if one.id == ref))

    def policies(self, *, company: str = "") -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins(self.chains)

    def sla_tiers(self) -> list[dict[str, Any]]:
        self._check()
        return [
            {"name": name, "clock": "24x7", "pausing": [], "targets": [], "companies": []}
            for name in ("bronze", "gold", "silver")
        ]

    def tools(self) -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins([tool("zabbix", "Zabbix"), tool("meraki", "Cisco Meraki"), tool("prtg", "PRTG")])

    def users(self, *, company: str = "") -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins(self.people)

    def try_policy(self, ref: str, **ask: Any) -> dict[str, Any]:
        self._told("try", ref, **ask)
        at = NOW
        return msgspec.to_builtins(wire.PolicyTrial(
            id="", policy_id=ref, name="default", company_id="comp-acme-dental", severity=ask["severity"],
            opened_at=at, steps=[
                wire.TrialStep(at=at, kind="page", level=1, text="Maria Lopez", people=["Maria Lopez"]),
                wire.TrialStep(at=at + timedelta(minutes=5), kind="page", level=2, text="the managers",
                               people=["Priya Nair"], inbox=["Dana Fox"]),
                wire.TrialStep(at=at + timedelta(minutes=20), kind="end", text="nobody is left to page"),
            ],
        ))  # fmt: skip

    def policy(self, ref: str) -> dict[str, Any]:
        self._check()
        return msgspec.to_builtins(next(one for one in self.chains if one.id == ref))

    def preview_policy(self, **ask: Any) -> dict[str, Any]:
        self._check()
        targets = [", ".join(step["targets"]) for step in ask["policy"]["steps"]]
        return msgspec.to_builtins(wire.PolicyTrial(
            id="", policy_id="", name=ask["name"], company_id="comp-acme-dental", severity=ask["severity"],
            opened_at=NOW, steps=[
                wire.TrialStep(at=NOW + timedelta(minutes=5 * n), kind="page", level=n + 1, people=[who])
                for n, who in enumerate(targets)
            ],
        ))  # fmt: skip

    # --- what is changed ---

    def create_policy(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        self._told("create_policy", ask["name"], **ask)
        self.keys.append(idempotency_key)
        made = policy(ask["name"], of=ask["company"])
        made.policy, made.version = ask["policy"], 1
        self.chains.append(made)
        return msgspec.to_builtins(made)

    def edit_policy(self, ref: str, **ask: Any) -> dict[str, Any]:
        self._told("edit_policy", ref, **ask)
        found = next(one for one in self.chains if one.id == ref)
        if ask["version"] != found.version:
            raise errors.StaleVersion(f"{found.name} is at version {found.version}, you saw {ask['version']}")
        found.policy, found.name, found.version = ask["policy"], ask["name"], found.version + 1
        return msgspec.to_builtins(wire.PolicyChanged(policy=found, changed=True))

    def delete_policy(self, ref: str, **ask: Any) -> dict[str, Any]:
        self._told("delete_policy", ref, **ask)
        self.chains = [one for one in self.chains if one.id != ref]
        return {}

    def onboard(self, **ask: Any) -> dict[str, Any]:
        self._told("onboard", ask["name"], **ask)
        made = company(ask["name"], ask.get("sla") or "silver")
        self.clients.append(made)
        self.ways.append(way(7, made.id, days=0))
        return msgspec.to_builtins(wire.Onboarded(
            company_id=made.id, api_key=KEY, hmac_secret=SECRET if ask["auth"] == "hmac" else None, webhook_url=URL,
            name=made.name, integration_id="int-7", rate_per_minute=60, burst=120, correlation=RULES,
            sla_plan=made.sla_plan,
        ))  # fmt: skip

    def edit_company(self, ref: str, **ask: Any) -> dict[str, Any]:
        self._told("edit", ref, **ask)
        return {}

    def preview_correlation(self, company: str, **ask: Any) -> dict[str, Any]:
        self._told("preview", company, **ask)
        return msgspec.to_builtins(preview(company))

    def create_silence(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        self._told("silence", ask["company"], **ask)
        return {}

    def _made(self, number: int, company_id: str, tool: str) -> dict[str, Any]:
        return msgspec.to_builtins(wire.IntegrationAdded(
            integration_id=f"int-{number}", company_id=company_id, tool=tool, signing="required", api_key=KEY,
            hmac_secret=SECRET if self.signs else None, webhook_url=URL, setup=SETUP,
        ))  # fmt: skip

    def add_integration(self, **ask: Any) -> dict[str, Any]:
        self._told("integrate", ask["company"], **ask)
        self.ways.append(way(8, ask["company"], ask["tool"], days=0))
        return self._made(8, ask["company"], ask["tool"])

    def rotate_integration(self, ref: str, **ask: Any) -> dict[str, Any]:
        self._told("rotate", ref, **ask)
        return self._made(int(ref.removeprefix("int-")), "comp-acme-dental", "zabbix")

    def create_user(self, **ask: Any) -> dict[str, Any]:
        self._told("create_user", ask["name"], **ask)
        made = user(ask["name"], ask["role"])
        self.people.append(made)
        return msgspec.to_builtins(made)

    def edit_user(self, ref: str, **ask: Any) -> dict[str, Any]:
        self._told("edit_user", ref, **ask)
        return {}

    def server_time(self) -> str:
        self._check()
        return NOW.isoformat()
