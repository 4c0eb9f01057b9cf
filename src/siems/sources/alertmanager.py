"""Prometheus Alertmanager, webhook version 4 and older: a group of alerts, each with a status of its own."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from siems.domain.alert import Reading, severity_from
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import an_object, instant, labels, links, message, name, parse, text

_ASSET_LABELS = ("instance", "host", "hostname", "node", "nodename", "pod", "device", "target", "service", "job")
MAX_ALERTS = 1_000


def read(body: bytes, headers: Headers) -> Read:
    """A group of alerts, firing and resolved."""
    value = an_object(parse(body))
    alerts = value.get("alerts")
    if not isinstance(alerts, list):
        raise InvalidField(
            "this is no Alertmanager body: it has no list of alerts",
            hint="point a webhook_config of Alertmanager at this URL",
        )
    if len(alerts) > MAX_ALERTS:
        raise InvalidField(f"a group holds at most {MAX_ALERTS} alerts", hint="set max_alerts in webhook_config")
    warnings = []
    truncated = value.get("truncatedAlerts")
    if isinstance(truncated, int) and truncated > 0:
        warnings.append(f"Alertmanager left {truncated} alerts out; raise max_alerts")
    status = text(value.get("status"), 16)
    readings = tuple(_reading(an_object(item, "an alert"), status) for item in alerts)
    return Read(readings, many=True, warnings=tuple(warnings))


def _reading(alert: dict[str, Any], group_status: str) -> Reading:
    tags, trouble = labels(alert.get("labels"))
    notes, _ = labels(alert.get("annotations"))
    word = next((tags[key] for key in ("severity", "priority", "level") if tags.get(key)), None)
    severity, original, warning = severity_from(word)
    starts_at, late = instant(alert.get("startsAt"))
    said = notes.get("summary") or notes.get("description") or notes.get("message") or notes.get("title") or ""
    more = notes.get("description", "") if notes.get("summary") else ""
    own = alert.get("fingerprint")
    key = text(own, 255) if own not in (None, "") else blake2b(
        msgspec.json.encode(sorted(tags.items())), digest_size=8
    ).hexdigest()  # fmt: skip
    return Reading(
        asset_name=_asset(tags), signature=name(tags.get("alertname")) or "alert", severity=severity,
        original_severity=original, message=message(f"{said}\n{more}" if more and more != said else said),
        tool_source="alertmanager", firing=text(alert.get("status") or group_status, 16).lower() != "resolved",
        dedup_key=key, labels=tags,
        links=links([alert.get("generatorURL"), notes.get("runbook_url"), notes.get("dashboard_url")]),
        starts_at=starts_at, warnings=tuple(w for w in (*trouble, warning, late) if w),
    )  # fmt: skip


def _asset(tags: Mapping[str, str]) -> str:
    """The machine behind an alert: the most telling label, without the port of its exporter."""
    for key in _ASSET_LABELS:
        found = tags.get(key, "").strip()
        if found:
            host, colon, port = found.rpartition(":")
            return name(host if colon and port.isdigit() and host else found)
    return "unknown"


tool = Tool(
    name="alertmanager",
    title="Prometheus Alertmanager",
    read=read,
    setup=Setup(
        steps=(
            "Put the receiver below into alertmanager.yml.",
            "Name it in the route of the alerts that siems shall get:  receiver: siems",
            "Reload Alertmanager:  curl -X POST http://localhost:9093/-/reload",
        ),
        snippet_name="alertmanager.yml",
        snippet="""receivers:
  - name: siems
    webhook_configs:
      - url: '{url}'
        send_resolved: true
""",
        docs="https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
    ),
)
