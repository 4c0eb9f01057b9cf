"""Freshping, its webhook: a check whose state changed."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import down, site, some
from siems.vocabulary import Severity


def read(body: bytes, headers: Headers) -> Read:
    """One change of state."""
    doc = document(body, headers)
    data = doc.doc("webhook_event_data")
    name, state = data.first("check_name", "application_name", "check_id"), data.first("check_state_name")
    if not name or not state:
        raise InvalidField("it has no check, or no check_state_name in its webhook_event_data")
    if data.first("application_name") == "Webhook test":
        return Read(said="test message of Freshping")
    if state.lower() in ("paused", "maintenance", "under maintenance"):
        return Read(said=f"{name} is {state.lower()}")
    firing, url, code = (
        state.lower() not in ("available", "up"),
        data.first("request_url"),
        data.first("http_status_code"),
    )
    asset = site(url) or name
    slow = "degrad" in state.lower() or "slow" in state.lower()
    took = data.first("response_time")
    return Read(
        (
            alert_of(
                tool="freshping",
                asset=asset,
                signature=down(name, asset, "HTTP"),
                severity=Severity.MEDIUM if slow else Severity.HIGH,
                message=f"{name}: {state}"
                + (f", status code {code}" if code else "")
                + (f", answered in {took} ms" if took else ""),
                firing=firing,
                key=data.first("check_id"),
                tags=some(data, "check_name", "application_name", "request_url", "http_status_code")
                | some(doc, "organization_name", "organization_id"),
                urls=url,
                starts=data.first("request_start_time") or doc.first("webhook_event_created_on") if firing else None,
            ),
        )
    )


tool = Tool(
    name="freshping",
    title="Freshping",
    read=read,
    tenant="organization_id",
    setup=Setup(
        steps=(
            "Settings → Integrations → Webhooks → Create Webhook.",
            "Name: siems. Callback URL:  {url}  Event type: Alert.",
            "Choose the checks, press Test webhook, then Save.",
        ),
        docs="https://support.freshping.io/",
    ),
)
