"""Companies and what they may set."""

from __future__ import annotations

from datetime import datetime

from siems.wire.shapes import Ask, Wire


class CorrelationSettings(Wire):
    enabled: bool
    strategy: str
    window_minutes: int
    min_alerts: int
    quiet_minutes: int
    auto_resolve: bool
    reopen_minutes: int
    close_hours: int


class SlaTarget(Wire):
    severity: str
    response_seconds: int
    resolution_seconds: int
    warn_seconds: int | None


class CompanyView(Wire):
    id: str
    name: str
    active: bool
    created_at: datetime
    rate_per_minute: int
    burst: int
    correlation: CorrelationSettings
    sla: list[SlaTarget]
    open_incidents: int = 0
    breached: int = 0
    update_minutes: int = 60


class OnboardAsk(Ask):
    name: str
    slug: str | None = None
    rate_per_minute: int | None = None


class Onboarded(Wire):
    """All that a client needs; the secrets are in this answer and nowhere else."""

    company_id: str
    api_key: str
    hmac_secret: str
    webhook_url: str
    name: str
    integration_id: str
    rate_per_minute: int
    burst: int
    correlation: CorrelationSettings


class CompanyEdit(Ask):
    """Each field that is given is changed."""

    name: str | None = None
    rate_per_minute: int | None = None
    burst: int | None = None
    correlation_enabled: bool | None = None
    strategy: str | None = None
    window_minutes: int | None = None
    min_alerts: int | None = None
    quiet_minutes: int | None = None
    auto_resolve: bool | None = None
    reopen_minutes: int | None = None
    close_hours: int | None = None
    update_minutes: int | None = None
    reason: str = ""


class SlaPolicyAsk(Ask):
    severity: str
    response_seconds: int | None = None
    resolution_seconds: int | None = None
    warn_seconds: int | None = None
    reason: str = ""
