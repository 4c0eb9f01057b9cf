"""Every shape that crosses HTTP, once. Names are a contract with scripts: they are added to, never changed.

Times are RFC 3339 in UTC. The daemon encodes these, the terminal interface decodes them; the command line reads
plain JSON, since it must start fast.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Wire(msgspec.Struct, kw_only=True, omit_defaults=False):
    """A shape that is sent; readers ignore fields they do not know."""


class Ask(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A shape that is received; an unknown field is refused."""


# --- incidents -------------------------------------------------------------------------------------------------


class ResponseClock(Wire):
    due_at: datetime
    met_at: datetime | None
    breached: bool
    cancelled: bool = False
    target_seconds: int = 0


class ResolutionClock(Wire):
    due_at: datetime
    met_at: datetime | None
    breached: bool
    paused: bool
    target_seconds: int = 0


class Sla(Wire):
    response: ResponseClock
    resolution: ResolutionClock


class NextEscalation(Wire):
    """When the chain goes on by itself, to which level, and to whom."""

    due_at: datetime
    level: int
    to: str


class IncidentView(Wire):
    """An incident as every list and answer shows it. `actions` is what its reader may do now."""

    id: str
    company_id: str
    company: str
    title: str
    severity: str
    state: str
    on_hold: bool
    hold_reason: str | None
    hold_until: datetime | None
    flapping: bool
    priority_score: int
    escalation_level: int
    escalated_at: datetime | None
    next_escalation: NextEscalation | None
    assignee: str | None
    assignee_name: str | None
    alert_count: int
    repeat_count: int
    active_count: int
    tool_sources: list[str]
    assets: list[str]
    asset_count: int
    category: str
    rule: str
    created_at: datetime
    last_alert_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    resolved_by: str | None
    resolution_notes: str | None
    cause: str | None
    merged_into: str | None
    recurrence_of: str | None
    related: list[str]
    version: int
    actions: list[str]
    sla: Sla
    insight: str | None = None


class UndoView(Wire):
    """What the reader may take back, and until when."""

    action: str
    until: datetime


class IncidentDetail(Wire):
    """An incident with all that its own screen needs besides alerts and timeline."""

    incident: IncidentView
    priority_terms: dict[str, int]
    undo: UndoView | None
    server_time: datetime


class TimelineEntry(Wire):
    """One line of an incident's story, newest first in lists.

    `kind`: alert, repeat, recovery, state, note, escalation, sla, notify, open, merge, silence.
    """

    at: datetime
    kind: str
    actor: str
    via: str
    text: str
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class ActAsk(Ask):
    """What an action may be told; which fields it needs depends on the action."""

    version: int | None = None
    reason: str = ""
    note: str = ""
    cause: str = ""
    to: str | None = None
    level: int | None = None
    hold_for: str | None = None
    until: datetime | None = None
    public: bool = False
    undoable: bool = False
    """Asked by interactive sessions: notices of this act wait 10 s, so that an undo can stop them."""


class ActAnswer(Wire):
    incident: IncidentView
    changed: bool
    steps: list[str]
    undo_until: datetime | None
    server_time: datetime


# --- alerts ----------------------------------------------------------------------------------------------------


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


class WindowView(Wire):
    starts_at: datetime
    ends_at: datetime


class SilenceView(Wire):
    """A silence; a maintenance window is one with a change reference or a recurrence.

    `starts_at` and `ends_at` are the window that is on, or the next one; `windows` are that one and some after it.
    """

    id: str
    company_id: str
    company: str
    kind: str
    state: str
    matchers: list[str]
    starts_at: datetime
    ends_at: datetime
    comment: str
    change: str
    repeats: str | None
    rule: str | None
    time_zone: str | None
    created_by: str
    created_by_name: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    suppressed: int
    windows: list[WindowView]


class SilenceAsk(Ask):
    """What shall be silent. Without `starts_at` from now on; until `ends_at`, or for `seconds`.

    `repeat` is `daily`, `weekly sat,sun`, `monthly 2tue` or a rule of RFC 5545, on the wall clock of `time_zone`.
    """

    company: str
    matchers: list[str]
    comment: str = ""
    change: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    seconds: int | None = None
    repeat: str = ""
    time_zone: str = "UTC"


class SilenceExtendAsk(Ask):
    """So many seconds longer than now planned, or until then."""

    seconds: int | None = None
    ends_at: datetime | None = None
    reason: str = ""


class SilenceEndAsk(Ask):
    """`once`: only this window of a recurring one."""

    once: bool = False
    reason: str = ""


class SilencePreviewAsk(Ask):
    company: str
    matchers: list[str]


class SilencedIncident(Wire):
    """An open incident with an alert that matches; `hushed`: all of its active alerts do, so nobody would be paged."""

    id: str
    title: str
    severity: str
    state: str
    hushed: bool


class SilencePreview(Wire):
    """What a silence would be about now. Long lists are cut, counts are not."""

    company_id: str
    matchers: list[str]
    alert_count: int
    alerts: list[AlertView]
    incidents: list[SilencedIncident]
    last_24h: int
    last_24h_of: int


class SilenceChanged(Wire):
    silence: SilenceView
    changed: bool


class RejectionView(Wire):
    """A delivery that was refused, with its true cause, which the sender is not told."""

    at: datetime
    company_id: str
    cause: str
    detail: str
    source: str
    address: str
    count: int


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


# --- companies, users, sessions --------------------------------------------------------------------------------


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
    reason: str = ""


class SlaPolicyAsk(Ask):
    severity: str
    response_seconds: int | None = None
    resolution_seconds: int | None = None
    warn_seconds: int | None = None
    reason: str = ""


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


class AlertsAsk(Ask):
    """A body as a tool would send it, sent by somebody who is logged in."""

    company: str
    body: str
    source: str = "generic"
    base64: bool = False
    replay: bool = False
    reason: str = ""


class KeptBody(Wire):
    """A body as it came, to be sent again; `base64` when it is no text."""

    id: int
    at: datetime
    company_id: str
    source: str
    body: str
    base64: bool = False


class HeartbeatAsk(Ask):
    """A named address to be called every so often. Without a grace it is a tenth of the period, 1 min to 1 h."""

    name: str
    company: str
    every_seconds: int
    grace_seconds: int | None = None
    severity: str = "HIGH"
    reason: str = ""


class HeartbeatEdit(Ask):
    """Each field that is given is changed."""

    name: str | None = None
    every_seconds: int | None = None
    grace_seconds: int | None = None
    severity: str | None = None
    reason: str = ""


class HeartbeatView(Wire):
    """`state`: waiting (for its first beat), up, late (within its grace), down, paused."""

    id: str
    company_id: str
    name: str
    state: str
    every_seconds: int
    grace_seconds: int
    severity: str
    last_beat_at: datetime | None
    due_at: datetime | None
    down_since: datetime | None
    created_at: datetime
    token_hint: str


class HeartbeatMade(Wire):
    """Its address is a secret, in this answer and nowhere else."""

    heartbeat: HeartbeatView
    url: str


class AssetView(Wire):
    """What alerts are about. Empty text means that nobody has said it; `source`: discovered, imported, by hand."""

    company_id: str
    name: str
    critical: bool
    first_seen_at: datetime
    last_seen_at: datetime | None = None
    """When an alert was last about it, to the minute."""
    addresses: list[str] = msgspec.field(default_factory=list)
    instance_id: str = ""
    cloud_account: str = ""
    platform: str = ""
    category: str = ""
    notes: str = ""
    depends_on: list[str] = msgspec.field(default_factory=list)
    source: str = "discovered"
    open_incidents: int = 0


class AssetDetail(AssetView):
    """One asset, with what goes on there."""

    needed_by: list[str] = msgspec.field(default_factory=list)
    incidents: list[str] = msgspec.field(default_factory=list)
    """Those that are open and have an alert about it."""
    last_alert: str | None = None


class AssetEdit(Ask):
    """Each field that is given is changed; empty text and empty lists clear it."""

    critical: bool | None = None
    addresses: list[str] | None = None
    instance_id: str | None = None
    cloud_account: str | None = None
    platform: str | None = None
    category: str | None = None
    notes: str | None = None
    depends_on: list[str] | None = None
    reason: str = ""


class AssetAsk(AssetEdit, kw_only=True):
    name: str


class AssetMerge(Ask):
    """Another name of what is known already."""

    into: str
    reason: str = ""


class AssetImport(Ask):
    """A table as text, with a header. An empty cell leaves what is there, `-` clears it."""

    csv: str
    reason: str = ""


class CloudImport(Ask):
    """Instances of AWS, as far as the credentials of the daemon reach."""

    regions: list[str] = msgspec.field(default_factory=list)
    role: str = ""
    reason: str = ""


class AssetChange(Wire):
    """What an import makes of one asset; `fields`: [before, after] by name."""

    name: str
    new: bool
    fields: dict[str, list[Any]]


class AssetsImported(Wire):
    new: int
    changed: int
    unchanged: int
    changes: list[AssetChange]
    warnings: list[str] = msgspec.field(default_factory=list)


class UserView(Wire):
    id: str
    name: str
    email: str
    role: str
    companies: list[str]
    availability: str
    disabled: bool
    open_incidents: int = 0


class UserAsk(Ask):
    name: str
    email: str
    role: str
    password: str
    companies: list[str] = msgspec.field(default_factory=list)


class LoginAsk(Ask):
    user: str
    password: str


class RefreshAsk(Ask):
    refresh_token: str


class TokenPair(Wire):
    access_token: str
    refresh_token: str
    expires_at: datetime
    user: UserView


class Me(Wire):
    user: UserView
    unread: int
    server_time: datetime
    context: str


# --- notices, audit, events ------------------------------------------------------------------------------------


class NoticeView(Wire):
    id: int
    at: datetime
    kind: str
    subject: str
    object: str
    company_id: str
    read: bool


class ReadAsk(Ask):
    """Which notices were read; all of them without ids."""

    ids: list[int] | None = None


class AuditView(Wire):
    chain: str
    seq: int
    at: datetime
    actor: str
    via: str
    action: str
    object: str
    company_id: str
    reason: str
    digest: str
    prev_hash: str
    hash: str
    details: dict[str, Any] | None


class ChainState(Wire):
    chain: str
    entries: int
    head: str
    ok: bool
    seq: int | None = None
    damage: str | None = None
    explanation: str | None = None


class VerifyAnswer(Wire):
    ok: bool
    entries: int
    chains: list[ChainState]


class StreamEvent(Wire):
    """One committed fact. `cursor` is opaque: hand it back to go on after it."""

    cursor: str
    at: datetime
    type: str
    company_id: str
    object: str
    data: dict[str, Any]


class CompanyCount(Wire):
    company_id: str
    company: str
    open: int


class Summary(Wire):
    """The footer of the board: today, in numbers of what the reader may see."""

    open: int
    opened_today: int
    resolved_today: int
    breached_today: int
    mtta_seconds: int | None
    mttr_seconds: int | None
    alerts: int
    incidents: int
    noise_reduction: float
    by_company: list[CompanyCount]
    alerts_per_minute: list[int]
    """New alerts in each of the last 60 minutes, oldest first."""
    repeats: int
    """How often the alerts of these 60 minutes came again."""
    server_time: datetime


class Page(Wire, Generic[T]):
    """A stretch of a list; `next` is the cursor of the following one, None at the end."""

    items: list[T]
    next: str | None
    total: int
    as_of: datetime


class Check(Wire):
    """One line of `doctor`."""

    name: str
    ok: bool
    cause: str
    fix: str


class Status(Wire):
    version: str
    pid: int
    url: str
    database: str
    started_at: datetime
    server_time: datetime
    queue: int
    overdue: int
    subscribers: int
    clock_drift_seconds: float
    checks: list[Check]


class Problem(Wire):
    """RFC 9457: why a request was refused, and what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
