"""Groups of alerts, as Alertmanager sends them and whoever took its form over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from siems.domain.alert import Reading, severity_from
from siems.errors import InvalidField
from siems.sources import Read
from siems.sources.reading import an_object, host_in, instant, labels, links, message, name, text
from siems.sources.shapes import MAX_DOCUMENTS

_ASSET_LABELS = ("instance", "host", "hostname", "node", "nodename", "pod", "device", "target", "service", "job")
_MORE_LABELS = (
    "server", "vm", "deployment", "statefulset", "daemonset", "cronjob", "job_name", "persistentvolumeclaim",
    "container", "database", "queue", "url", "domain", "namespace", "cluster",
)  # fmt: skip
_OF_KUBERNETES = ("node", "pod", *_MORE_LABELS)
_DRIFT = timedelta(seconds=5)
"""By how much a sender's clock may be ahead before its recoveries come late. An alert that fires ends much later."""


def group(body: Any, *, tool: str, title: str, hint: str, at: datetime | None = None) -> Read:
    """A group of alerts as Alertmanager sends it, each with labels, annotations and a status of its own; or a list of
    them as Prometheus sends it to an Alertmanager, without a status.

    https://prometheus.io/docs/alerting/latest/alerts_api/: what fires ends in the future (four times the longer of the
    evaluation interval and the resend delay, so minutes) and is sent again and again; what is over has ended, and that
    is sent again each minute for a quarter of an hour. So `at`, the time of receipt, tells one from the other, and a
    clock of the sender's that is ahead delays a recovery by as much. Without `at` all of them fire: a problem that is
    taken for a recovery pages nobody.
    """
    value = {"alerts": body} if isinstance(body, list) else an_object(body)
    alerts = value.get("alerts")
    if not isinstance(alerts, list):
        raise InvalidField(f"this is no {title} body: it has no list of alerts", hint=hint)
    if len(alerts) > MAX_DOCUMENTS:
        raise InvalidField(f"a group holds at most {MAX_DOCUMENTS} alerts", hint="set max_alerts in webhook_config")
    warnings = []
    truncated = value.get("truncatedAlerts")
    if isinstance(truncated, int) and truncated > 0:
        warnings.append(f"{title} left {truncated} alerts out; raise max_alerts")
    status = text(value.get("status"), 16)
    readings = tuple(_grouped(tool, an_object(item, "an alert"), status, at) for item in alerts)
    return Read(readings, many=True, warnings=tuple(warnings))


def _grouped(tool: str, alert: dict[str, Any], group_status: str, at: datetime | None) -> Reading:
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
        asset_name=_labelled(tags), signature=name(tags.get("alertname")) or "alert", severity=severity,
        original_severity=original, message=message(f"{said}\n{more}" if more and more != said else said),
        tool_source=tool, firing=_fires(text(alert.get("status") or group_status, 16), alert.get("endsAt"), at),
        dedup_key=key, labels=tags,
        links=links([alert.get("generatorURL"), notes.get("runbook_url"), notes.get("dashboard_url")]),
        starts_at=starts_at, warnings=tuple(w for w in (*trouble, warning, late) if w),
    )  # fmt: skip


def _fires(status: str, ends: Any, at: datetime | None) -> bool:
    if status or at is None:
        return status.lower() != "resolved"
    end, _ = instant(ends)  # the zero time is no end
    return end is None or end > at + _DRIFT


def tells_machine(tags: Mapping[str, str]) -> bool:
    """Whether one of the labels that usually name a machine is there."""
    return any(tags.get(key, "").strip() for key in _ASSET_LABELS)


def _labelled(tags: Mapping[str, str]) -> str:
    """The machine behind an alert: the most telling label, without the port of its exporter."""
    # what tells of a cluster's objects is itself one instance somewhere, and not what is unwell
    keys = _OF_KUBERNETES if tags.get("job") == "kube-state-metrics" else ()
    for key in (*keys, *_ASSET_LABELS, *_MORE_LABELS):
        found = tags.get(key, "").strip()
        if found:
            if "://" in found:
                return name(host_in(found))
            host, colon, port = found.rpartition(":")
            return name(host if colon and port.isdigit() and host else found)
    return "unknown"
