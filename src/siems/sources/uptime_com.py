"""Uptime.com, its custom postback: an alert raised or cleared of one service."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import down, joined, site, some
from siems.vocabulary import Severity


def read(body: bytes, headers: Headers) -> Read:
    """One alert that is raised or cleared."""
    doc = document(body, headers)
    event, data = doc.first("event").lower(), doc.doc("data")
    service = data.doc("service")
    name = service.first("display_name", "name", "short_name", "id")
    if "test" in event:
        return Read(said="test message of Uptime.com")
    if not event or not name:
        raise InvalidField("it has no event, or no service in its data")
    if "paused" in event or "maintenance" in event:
        return Read(said=f"{name}: {event}")
    # the state of the alert stays CRITICAL in the message that clears it
    firing, state = event != "alert_cleared", data.first("alert.state")
    kind = service.first("monitoring_service_type_display", "monitoring_service_type")
    address = service.first("msp_address") or data.first("device.address", "device.display_name")
    asset = site(address) or data.first("device.name", "device.display_name") or name
    said = data.first("alert.short_output", "alert.output")
    return Read(
        (
            alert_of(
                tool="uptime-com",
                asset=asset,
                signature=down(name, asset, kind),
                word=state,
                severity=None if state not in ("", "OK") else Severity.HIGH,
                message=f"{name} is {'down' if firing else 'up again'}" + (f"\n{said}" if said and firing else ""),
                firing=firing,
                key=service.first("id"),
                tags=some(
                    data, service=name, account=data.first("account.name"), type=kind, tags=joined(service.at("tags")),
                    locations=joined(data.at("locations")), notes=service.first("msp_notes"),
                ),
                urls=[data.first("links.alert_details"), data.first("links.real_time_analysis")],
                starts=data.first("alert.created_at", "date") if firing else None,
            ),
        )
    )  # fmt: skip


tool = Tool(
    name="uptime-com",
    title="Uptime.com",
    read=read,
    setup=Setup(
        steps=(
            "Notifications → Integrations → New Profile. Provider type: Custom Postback URL (Webhook).",
            "URL to Post to:  {url}  Use legacy payload: off. Save, and press Test.",
            "Add the integration to the contacts of your checks.",
        ),
        docs="https://uptime.com/integrations",
    ),
)
