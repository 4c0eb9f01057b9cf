"""Alerts: what arrived, was accepted, was refused, is sent by hand."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Ask, Wire


class AlertView(Wire):
    id: str
    company_id: str
    company: str
    incident_id: str | None
    fingerprint: str
    asset_name: str
    signature: str
    severity: str
    original_severity: str
    message: str
    tool_source: str
    status: str
    count: int
    starts_at: datetime
    received_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None
    suppressed_by: str | None
    rule: str
    evidence: str
    labels: dict[str, str]
    links: list[str]


class RejectionView(Wire):
    """A delivery that was refused, with its true cause, which the sender is not told."""

    at: datetime
    company_id: str
    cause: str
    detail: str
    source: str
    address: str
    count: int
    since: datetime | None = None
    """The first of them, where several are taken together."""


class ArrivalView(Wire):
    """Something that arrived: an alert, its repeat or its end, or deliveries that were refused.

    `kind`: received, repeated, recovered, suppressed, refused. `count` is how often the alert had come by then, or
    how many deliveries were refused. `alert` is as it stands when it is read; one of `alert` and `refusal` is there.
    """

    cursor: str
    at: datetime
    kind: str
    company_id: str
    company: str
    count: int
    incident_id: str | None = None
    alert: AlertView | None = None
    refusal: RejectionView | None = None


class AlertAccepted(Wire):
    """The answer to a webhook, sent only after the alert is on disk."""

    message: str
    alert_id: str | None
    incident_id: str | None
    duplicate: bool = False
    warnings: list[str] = msgspec.field(default_factory=list)


class AlertsAccepted(Wire):
    message: str
    alerts: list[AlertAccepted]
    duplicate: bool = False


class AlertsAsk(Ask):
    """A body as a tool would send it, sent by somebody who is logged in."""

    company: str
    body: str
    source: str = "generic"
    base64: bool = False
    replay: bool = False
    reason: str = ""
    at: datetime | None = None
    """When it came, for a body that is sent again: some say only by their times whether they are over."""


class KeptBody(Wire):
    """A body as it came, to be sent again; `base64` when it is no text."""

    id: int
    at: datetime
    company_id: str
    source: str
    body: str
    base64: bool = False
