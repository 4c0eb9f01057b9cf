"""Pulsetic, its webhook: a monitor that went offline or online, or whose certificate runs out."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import down, site, some
from siems.vocabulary import Severity


def read(body: bytes, headers: Headers) -> Read:
    """One change of a monitor."""
    doc = document(body, headers)
    event, monitor = doc.first("alert_type").lower(), doc.doc("monitor")
    url, key = monitor.first("url"), monitor.first("id")
    name = monitor.first("name") or url or key
    if "test" in event:
        return Read(said="test message of Pulsetic")
    if not event or not name:
        raise InvalidField("it has no alert_type, or no monitor")
    if "paused" in event or "maintenance" in event:
        return Read(said=f"{name}: {event.replace('_', ' ')}")
    certificate, soon = "certificate" in event or "ssl" in event, "expires" in event or "expiring" in event
    firing, left = not event.endswith(("online", "renewed", "recovered", "resolved")), doc.first("days_left")
    asset = site(url) or name
    return Read(
        (
            alert_of(
                tool="pulsetic",
                asset=asset,
                signature="certificate expires" if certificate else down(name, asset, "uptime"),
                severity=Severity.LOW if certificate and soon else Severity.HIGH,
                message=f"{name}: {event.replace('_', ' ')}" + (f", {left} days left" if left else ""),
                firing=firing,
                key=f"{key}:certificate" if key and certificate else key,
                tags=some(monitor, "name", "url") | some(doc, "alert_type", "days_left"),
                urls=[f"https://app.pulsetic.com/monitors/{key}/overview" if key.isdigit() else "", url],
            ),
        )
    )


tool = Tool(
    name="pulsetic",
    title="Pulsetic",
    read=read,
    setup=Setup(
        steps=(
            "Integrations → Webhooks → Add webhook.",
            "Webhook URL:  {url}  Save.",
            "Switch it on in the notifications of each monitor.",
        ),
        docs="https://pulsetic.com/docs/",
    ),
)
