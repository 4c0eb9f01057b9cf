"""Incidents: what a person works on, folded from alerts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache

from siems.domain import priority, sla
from siems.domain.changing import Fact, replace
from siems.domain.escalation import Position
from siems.domain.priority import Weights
from siems.vocabulary import Category, HoldReason, Severity, State

MAX_ASSETS_KEPT = 200
_ACRONYMS = {w.lower(): w for w in (
    "CPU", "RAM", "DNS", "DHCP", "VPN", "HTTP", "HTTPS", "SQL", "SSL", "TLS", "UPS", "IO", "I/O", "API", "SSH", "RDP",
    "SMTP", "IMAP", "ICMP", "OOM", "RAID", "SMART", "BGP", "AD", "DC", "NTP", "TCP", "UDP", "URL", "VM", "SSD", "EC2",
    "RDS", "S3", "ISP", "WAN", "LAN", "AP", "IIS",
)}  # fmt: skip


class Incident(Fact, frozen=True, kw_only=True):
    """An incident as it is kept. `version` moves with every decision, not with every repeated alert.

    `ack_due_at`: when the owner is asked whether they are still on it, and once they were (`asked_at`), until when
    they have to answer. `advanced_by`: the strategies that have advanced the chain once by their own time, since it
    opened or was reopened (`reopened_at`, the last time). `escalations`: how often it was, in all its lives.
    """

    id: int
    company_id: str
    title: str
    severity: Severity
    state: State
    category: Category
    rule: str
    signature: str
    folded: bool = False
    created_at: datetime
    last_alert_at: datetime
    clocks: sla.Clocks
    sla_snapshot: str
    policy_snapshot: str
    position: Position = Position()
    escalation_level: int = 1
    escalated_at: datetime | None = None
    escalates_at: datetime | None = None
    ack_due_at: datetime | None = None
    asked_at: datetime | None = None
    advanced_by: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    asset_count: int = 0
    tool_sources: tuple[str, ...] = ()
    critical_asset: bool = False
    alert_count: int = 0
    repeat_count: int = 0
    active_count: int = 0
    severity_pinned: bool = False
    touched: bool = False
    assignee: str | None = None
    assigned_at: datetime | None = None
    acknowledged_at: datetime | None = None
    started_at: datetime | None = None
    hold_reason: HoldReason | None = None
    hold_until: datetime | None = None
    recovered_at: datetime | None = None
    flapping: bool = False
    transitions: tuple[datetime, ...] = ()
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution_notes: str | None = None
    cause: str | None = None
    closed_at: datetime | None = None
    merged_into: int | None = None
    recurrence_of: int | None = None
    related: tuple[int, ...] = ()
    version: int = 1
    reopened_at: datetime | None = None
    escalations: int = 0

    @property
    def on_hold(self) -> bool:
        return self.hold_until is not None

    @property
    def open(self) -> bool:
        return self.state not in (State.RESOLVED, State.CLOSED)

    @property
    def ref(self) -> str:
        return f"INC-{self.id}"

    @property
    def duplicates(self) -> int:
        return priority.duplicates(alert_count=self.alert_count, repeat_count=self.repeat_count)

    def static_score(self, weights: Weights) -> int:
        """The score without its age."""
        return priority.static_score(
            self.severity,
            critical_asset=self.critical_asset,
            duplicates=self.duplicates,
            tools=len(self.tool_sources),
            weights=weights,
        )


@lru_cache(maxsize=1_024)
def humanise(signature: str) -> str:
    """`high_cpu_usage` → `High CPU usage`; `KubePodCrashLooping` → `Kube pod crash looping`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", signature)
    words = [w for w in re.split(r"[\s_]+|(?<=\w)-(?=\w)", spaced) if w]
    known = [_ACRONYMS.get(w.lower(), w if w.isupper() and len(w) <= 4 else w.lower()) for w in words]
    text = " ".join(known)
    return text[:1].upper() + text[1:] if text else "Alert"


def title_for(signature: str, assets: tuple[str, ...], *, signatures: int = 1) -> str:
    """What the board shows: the problem, and where it is."""
    count = len(assets)
    if signatures > 1 and count == 1:
        return f"{signatures} problems on {assets[0]}"
    where = f"on {assets[0]}" if count == 1 else f"across {count} servers"
    return f"{humanise(signature)} {where}"


FLAP_TRANSITIONS = 4


def with_transition(incident: Incident, *, now: datetime, window: timedelta) -> Incident:
    """Gone quiet, or noisy again: remembered, and marked as flapping at four times within the window."""
    recent = (*(t for t in incident.transitions if now - t <= window), now)[-8:]
    return replace(incident, transitions=recent, flapping=incident.flapping or len(recent) >= FLAP_TRANSITIONS)


def include_asset(incident: Incident, asset: str) -> Incident:
    """The incident with one more asset, named up to a limit and always counted."""
    if asset in incident.assets:
        return incident
    named = (*incident.assets, asset) if len(incident.assets) < MAX_ASSETS_KEPT else incident.assets
    return replace(incident, assets=named, asset_count=incident.asset_count + 1)
