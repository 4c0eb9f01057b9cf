"""Hyperping, its webhook integration: a check that went down or up, with the pings that saw it."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import down, site, some
from siems.vocabulary import Severity


def read(body: bytes, headers: Headers) -> Read:
    """One outage that begins or ends."""
    doc = document(body, headers)
    event, check = doc.first("event").lower(), doc.doc("check")
    url, name = check.first("url"), check.first("name", "monitorName", "url", "monitorUuid")
    if not event or not name:
        raise InvalidField("it has no event, or no check")
    if "test" in event:
        return Read(said="test message of Hyperping")
    firing, asset = event != "check.up", site(url) or name
    pings = [(ping.first("location"), ping.first("statusMessage", "status")) for ping in doc.docs("pings")]
    seen = "; ".join(f"{place}: {status}" for place, status in pings if place)
    return Read(
        (
            alert_of(
                tool="hyperping",
                asset=asset,
                signature=down(name, asset, "HTTP"),
                severity=Severity.LOW if "ssl" in event or "cert" in event else Severity.HIGH,
                message=f"{name} is {'down' if firing else 'up again'}"
                + (f" (status {check.first('status')})" if check.first("status") else "")
                + (f"\n{seen}" if seen and firing else ""),
                firing=firing,
                # older bodies have no id; then host and path identify the check
                key=check.first("monitorUuid", "uuid", "id"),
                tags=some(check, "url", "status", "name") | some(doc, "event"),
                urls=url,
                starts=check.first("date") if firing else None,
            ),
        )
    )


tool = Tool(
    name="hyperping",
    title="Hyperping",
    read=read,
    setup=Setup(
        steps=(
            "Integrations → Webhooks → Connect.",
            "Webhook URL:  {url}  Save.",
            "Choose which monitors send to it. A monitor of a page that answers 404 tests it.",
        ),
        docs="https://hyperping.com/docs/integrations/webhooks",
    ),
)
