"""Integrations: keys, set-up, what they map."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from siems.wire.shapes import Ask, Wire


class IntegrationAsk(Ask):
    """A new key. `company` is `msp` for one whose bodies name the client in `tenant_field`."""

    tool: str
    company: str
    name: str = ""
    sign: bool | None = None
    secret: str | None = None
    rate_per_minute: int | None = None
    networks: list[str] = msgspec.field(default_factory=list)
    expires_at: datetime | None = None
    tenant_field: str = ""
    rules: list[dict[str, Any]] | None = None
    """Of mail, the first that fits counts: `field` (subject, body, from or a header), `pattern` (part of it, or the
    whole with * and ?), and `severity`, `asset` or `ignore`."""
    queue: QueueAsk | None = None
    reason: str = ""


class QueueAsk(Ask):
    """A queue of SQS that siems empties; `source` reads its messages."""

    url: str
    region: str = ""
    role_arn: str = ""
    external_id: str = ""
    source: str = "aws-cloudwatch"


class IntegrationEdit(Ask):
    """Each field that is given is changed; a rate of 0 is the company's again."""

    name: str | None = None
    rate_per_minute: int | None = None
    networks: list[str] | None = None
    expires_at: datetime | None = None
    never_expires: bool = False
    rules: list[dict[str, Any]] | None = None
    reason: str = ""


class RotateAsk(Ask):
    """What is replaced (`key`, `hmac` or `both`), and for how long the old one is still taken."""

    what: str = ""
    overlap_seconds: int = 86_400
    secret: str | None = None
    expires_at: datetime | None = None
    reason: str = ""


class RevokeAsk(Ask):
    old: bool = False
    """Only what was replaced and is still taken."""
    reason: str = ""


class TenantAsk(Ask):
    value: str
    company: str | None = None
    """None: the value stands for nobody any more."""
    reason: str = ""


class Sighted(Wire):
    """What siems read in the last request that it took from an integration."""

    company_id: str
    said: str = ""
    alerts: int = 0
    asset_name: str = ""
    signature: str = ""
    severity: str = ""
    firing: bool = True
    message: str = ""
    fingerprint: str = ""
    warnings: list[str] = msgspec.field(default_factory=list)
    alert_id: str | None = None
    incident_id: str | None = None


class OldKey(Wire):
    """A key or a secret that was replaced and is still taken."""

    kind: str
    hint: str
    until: datetime


class Tenant(Wire):
    value: str
    company_id: str


class QueueView(Wire):
    """A queue that is emptied, and how the last look at it went; `error` is "" when it went well."""

    url: str
    region: str
    source: str
    role_arn: str
    polled_at: datetime | None
    received: int
    failures: int
    """How often in a row it could not be looked at."""
    error: str
    hint: str
    error_at: datetime | None


class IntegrationView(Wire):
    id: str
    company_id: str
    tool: str
    name: str
    signing: str
    key_hint: str
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None
    rate_per_minute: int | None
    networks: list[str]
    tenant_field: str
    tenants: list[Tenant]
    old_keys: list[OldKey]
    last_seen_at: datetime | None
    last_kind: str
    last_seen: Sighted | None
    refused_at: datetime | None
    refused_cause: str
    webhook_url: str = ""
    mail_domain: str = ""
    """Of an integration for mail: its address is the key at this domain; "" when nothing listens."""
    rules: list[dict[str, Any]] = msgspec.field(default_factory=list)
    queue: QueueView | None = None
    rate_in_force: int = 0
    """Requests a minute: its own, else the company's, else what native tools may send at least."""
    burst: int = 0
    """How many of them at once."""


class SetupView(Wire):
    """How a person makes a tool send to siems."""

    steps: list[str]
    snippet: str
    snippet_name: str
    docs: str


class ToolView(Wire):
    name: str
    title: str
    signs: str
    """How it can sign; "" when it cannot."""
    proves: str
    tenant: str
    """The field by which one sender's bodies are told apart by client, where there is one."""
    aliases: list[str]
    setup: SetupView


class IntegrationAdded(Wire):
    """A new key, or what was replaced: the secrets are in this answer and nowhere else."""

    integration_id: str
    company_id: str
    tool: str
    signing: str
    api_key: str | None
    hmac_secret: str | None
    webhook_url: str
    awaits_secret: bool = False
    """The tool makes the secret: it has to be given to siems before anything is let in."""
    old_until: datetime | None = None
    setup: SetupView | None = None
    mail_address: str = ""
    queue_url: str = ""


class IntegrationChanged(Wire):
    integration_id: str
    changed: bool
