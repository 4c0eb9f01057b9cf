"""Honeycomb, its webhook recipient: a trigger or an SLO's burn alert that fires or resolves."""

from __future__ import annotations

from siems.domain.signature import Scheme
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, filled
from siems.sources.shapes import joined, some
from siems.vocabulary import Severity

_OVER = frozenset(["ok", "resolved", "cleared", "not_triggered"])


def read(body: bytes, headers: Headers) -> Read:
    """One trigger or burn alert, in the default body or in a template with like names."""
    doc = document(body, headers)
    alert = doc.doc("alert") if doc.doc("alert").value else doc
    name, state = alert.first("name", "slo_name", "slo.name"), alert.first("status") or doc.first("status")
    if not name or not state:
        raise InvalidField("it has no name, or no status")
    if "true" in (alert.first("is_test", "isTest", "test"), doc.first("is_test", "isTest", "test")):
        return Read(said="test message of Honeycomb")
    url, firing = alert.first("trigger_url", "slo_url", "url"), state.lower() not in _OVER
    dataset = joined(alert.at("datasets") or alert.first("dataset")) or _after(url, "datasets")
    groups = [_group(group) for group in alert.docs("result_groups_triggered")][:20]
    word = alert.first("severity") or doc.first("severity")
    asset = dataset or alert.first("environment") or _after(url, "environments") or name
    return Read(
        (
            alert_of(
                tool="honeycomb",
                asset=asset,
                signature=name,
                word=word,
                severity=None if word else Severity.MEDIUM,
                message="\n".join(
                    filter(None, [alert.first("summary") or f"{name}: {state}", alert.first("description"), *groups])
                ),
                firing=firing,
                key=alert.first("id") or None,
                tags=some(alert, "operator", "threshold", "environment", dataset=dataset, groups="; ".join(groups)),
                urls=[url, alert.first("result_url")],
                starts=alert.first("timestamp", "triggered_at") if firing else None,
            ),
        )
    )


def _group(group: Doc) -> str:
    """`host=web-1: 5`, one of the groups that are over the threshold."""
    names, result = group.doc("Group").value, filled(group.at("Result"))
    return ", ".join(f"{name}={filled(value, 255)}" for name, value in names.items()) + (result and f": {result}")


def _after(url: str, part: str) -> str:
    """The part of a path that follows another."""
    parts = url.partition("?")[0].split("/")
    return parts[parts.index(part) + 1] if part in parts[:-1] else ""


tool = Tool(
    name="honeycomb",
    title="Honeycomb",
    read=read,
    signing=Scheme(kind="header", header="X-Honeycomb-Webhook-Token"),
    redact=("shared_secret",),
    setup=Setup(
        steps=(
            "Team Settings → Integrations → Trigger & SLO recipients → Add Integration → Webhook.",
            "Name: siems. Webhook URL:  {url}",
            "Shared Secret:  {secret}",
            "Press Test, then add the recipient to your triggers and burn alerts.",
        ),
        docs="https://docs.honeycomb.io/integrations/webhooks",
    ),
)
