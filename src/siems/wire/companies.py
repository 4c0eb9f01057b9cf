"""Companies and what they may set."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Ask, Wire
from siems.wire.sla import SlaPlan, SlaTarget


class CorrelationSettings(Wire):
    enabled: bool
    strategy: str
    window_minutes: int
    min_alerts: int
    quiet_minutes: int
    auto_resolve: bool
    reopen_minutes: int
    close_hours: int
    cascades: bool = True
    """Whether `auto` folds along `depends_on`."""
    texts: bool = True
    """Whether `auto` folds near-identical texts."""


class CompanyView(Wire):
    id: str
    name: str
    active: bool
    created_at: datetime
    rate_per_minute: int
    paging: str
    sla_plan: SlaPlan
    burst: int
    correlation: CorrelationSettings
    sla: list[SlaTarget]
    policy: str = ""
    """The id of its escalation policy."""
    assign: str = "manual"
    open_incidents: int = 0
    breached: int = 0
    oncall: str = ""
    update_minutes: int = 60
    advice: str = "on"
    advice_lowers: bool = False
    last_alert_at: datetime | None = None
    """When an alert came last, from a tool or by hand."""


class OnboardAsk(Ask):
    name: str
    slug: str | None = None
    rate_per_minute: int | None = None
    policy: str | None = None
    sla: str | None = None
    """The name of a tier."""
    time_zone: str | None = None
    hours: str | None = None
    holidays: str | None = None
    auth: str = "hmac"
    """`hmac`: requests are signed. `key`: the key alone lets in."""
    networks: list[str] = msgspec.field(default_factory=list)
    expires_at: datetime | None = None


class Onboarded(Wire):
    """All that a client needs; the secrets are in this answer and nowhere else."""

    company_id: str
    api_key: str
    hmac_secret: str | None
    """None where the key alone lets in."""
    webhook_url: str
    name: str
    integration_id: str
    rate_per_minute: int
    burst: int
    correlation: CorrelationSettings
    sla_plan: SlaPlan


class CompanyEdit(Ask):
    """Each field that is given is changed."""

    name: str | None = None
    rate_per_minute: int | None = None
    paging: str | None = None
    burst: int | None = None
    correlation_enabled: bool | None = None
    strategy: str | None = None
    window_minutes: int | None = None
    min_alerts: int | None = None
    quiet_minutes: int | None = None
    auto_resolve: bool | None = None
    reopen_minutes: int | None = None
    close_hours: int | None = None
    policy: str | None = None
    oncall: str | None = None
    sla: str | None = None
    time_zone: str | None = None
    hours: str | None = None
    holidays: str | None = None
    assign: str | None = None
    update_minutes: int | None = None
    cascades: bool | None = None
    texts: bool | None = None
    advice: str | None = None
    advice_lowers: bool | None = None
    reason: str = ""
