"""Cloudflare notifications: attacks, health checks, tunnels, certificates, usage, incidents of Cloudflare itself."""

from __future__ import annotations

from siems.domain.alert import SEVERITY_WORDS
from siems.domain.signature import Scheme
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import some
from siems.vocabulary import Severity

# By what a type's name tells, since no notification has a severity; the first that is in it.
_TYPES = {
    "ddos": Severity.HIGH, "health": Severity.HIGH, "tunnel": Severity.HIGH, "pool": Severity.HIGH,
    "origin_error": Severity.HIGH, "failing_logpush": Severity.HIGH, "usage": Severity.LOW, "billing": Severity.LOW,
    "weekly": Severity.LOW, "workers_alert": Severity.LOW, "maintenance": Severity.LOW,
}  # fmt: skip
_IMPACTS = {"critical": Severity.CRITICAL, "major": Severity.HIGH, "minor": Severity.MEDIUM, "none": Severity.LOW}
_WELL = frozenset(["healthy", "up", "resolved", "ok", "tunnel_status_type_healthy", "incident_status_resolved"])
_STATUS = ("new_health_status", "new_status", "new_health", "incident_status", "status")


def read(body: bytes, headers: Headers) -> Read:
    """A notification: something began, or it ended."""
    doc = document(body, headers)
    kind, said, data = doc.first("alert_type"), doc.first("text"), doc.doc("data")
    if not kind and not said:
        raise InvalidField("this is no notification of Cloudflare: it has neither alert_type nor text")
    if said.startswith("Hello World! This is a test message"):
        return Read(said="test message of Cloudflare")
    if "maintenance" in kind and "SCHEDULED" in data.first("maintenance_status", "status", "event_type").upper():
        return Read(said=f"Cloudflare plans maintenance: {said}")
    event, status = doc.first("alert_event"), data.first(*_STATUS)
    over = event.endswith("_END") or status.lower() in _WELL
    word = data.first("severity", "alert_severity")
    impact = data.first("incident_impact", "impact").lower().removeprefix("incident_impact_")
    severity = _IMPACTS.get(impact) or next((level for part, level in _TYPES.items() if part in kind), Severity.MEDIUM)
    before = data.first("old_status", "old_health_status", "old_health")
    changed = f"{before} → {status}" if before and status else status
    title = doc.first("policy_name", "name")
    return Read(
        (
            alert_of(
                tool="cloudflare", asset=_asset(data) or data.first("account_name", "account.name") or "Cloudflare",
                signature=kind or title or "notification", word=word or impact,
                severity=None if word.lower() in SEVERITY_WORDS else severity, firing=not over,
                message="\n".join(filter(None, (said or title, changed, data.first(
                    "reason", "episode.summary", "rule_description", "incident_name", "mitigation",
                )))),
                key=doc.first("alert_correlation_id") or None,
                starts=None if over else data.first("start_time", "status_change_time", "episode.first_failed")
                or doc.first("ts"),
                tags=_plain(data) | some(doc, "policy_name", "account_id", alert_type=kind),
                urls=[data.first("dashboard_link"), data.first("rule_link"), data.first("incident_link", "link")],
            ),
        )
    )  # fmt: skip


def _asset(data: Doc) -> str:
    """What is attacked, unwell or about to expire: a host before its zone."""
    found = data.first(
        "target_hostname", "origin_ip", "origin_name", "origin", "hostname", "host", "tunnel_name", "pool_name",
        "health_check_name", "target_ip", "hostnames.0", "hostnames", "zone_name", "zone", "config.name",
        "project_name", "script_name", "scripts.0.script_name", "site_name",
    )  # fmt: skip
    return found.partition(",")[0].strip()


def _plain(data: Doc) -> dict[str, str]:
    values = {
        str(name): data.first(str(name)) for name, value in data.value.items() if not isinstance(value, (dict, list))
    }
    return {name: value for name, value in values.items() if value}


tool = Tool(
    name="cloudflare",
    title="Cloudflare",
    read=read,
    setup=Setup(
        steps=(
            "In the Cloudflare dashboard open Notifications, Destinations, and under Webhooks choose Create.",
            "URL: {url}  Secret: {secret}",
            "Choose Save and Test: a test message reaches siems.",
            "Under Notifications choose Add, pick a kind of notification, and add the webhook to it.",
        ),
        docs="https://developers.cloudflare.com/notifications/get-started/configure-webhooks/",
    ),
    signing=Scheme(kind="header", header="cf-webhook-auth"),
    tenant="account_id",
)
