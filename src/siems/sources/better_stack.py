"""Better Stack Uptime, its outgoing webhook: incidents that start, are acknowledged and resolve."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import down, joined, site, some
from siems.vocabulary import Severity

_ASIDE = frozenset(
    ["acknowledged", "unacknowledged", "escalated", "reassigned", "assigned", "updated", "commented", "comment_added"]
)


def read(body: bytes, headers: Headers) -> Read:
    """One event of an incident; those of monitors and of people on call are no alerts."""
    doc = document(body, headers)
    if doc.first("event").partition(".")[0] in ("monitor", "heartbeat", "incident") and not doc.doc("data").value:
        return _logged(doc)
    kind, event, incident = doc.first("data.type").lower(), doc.first("event").lower(), doc.doc("data.attributes")
    if kind and "incident" not in kind:
        return Read(said=f"{kind.replace('_', ' ')} {event}: {incident.first('pronounceable_name', 'name', 'url')}")
    key = doc.first("data.id")
    if not incident.value or not (key or incident.first("name", "url")):
        raise InvalidField("it has no incident with attributes in its data")
    if not event:
        state = "resolved" if incident.first("resolved_at") else ""
        event = state or ("acknowledged" if incident.first("acknowledged_at") else "started")
    related = {side: doc.first(f"data.relationships.{side}.data.id") for side in ("monitor", "heartbeat")}
    return _incident(incident, event, key, {name: value for name, value in related.items() if value})


def _logged(doc: Doc) -> Read:
    """The incident log integration: flat, with dots in the names of its events, most of which are no alerts."""
    event = doc.first("event").lower()
    if not event.startswith("incident."):
        return Read(said=doc.first("message") or event)
    incident = Doc({
        "name": doc.first("monitor_name", "heartbeat_name", "incident_name", "name"),
        "url": doc.first("monitor_url", "url"), "cause": doc.first("cause", "message"),
        "started_at": doc.first("started_at", "dt"),
    })  # fmt: skip
    return _incident(incident, event, doc.first("incident_id", "id"), {})


def _incident(incident: Doc, event: str, key: str, related: dict[str, str]) -> Read:
    url, cause = incident.first("url"), incident.first("cause")
    name, who = incident.first("name") or url or "incident", incident.first("acknowledged_by", "resolved_by")
    by = f" by {who}" if who else ""
    event = event.removeprefix("incident").lstrip("._")
    if event in _ASIDE:
        text = f"{event.replace('_', ' ')} in Better Stack{by}"
        return Read(remarks=(Remark(key, text),)) if key else Read(said=f"{name}: {text}")
    # an event of an unknown name is an alert as long as nobody says that the incident is over
    firing, asset = event != "resolved" and not incident.first("resolved_at"), site(url) or name
    return Read(
        (
            alert_of(
                tool="better-stack",
                asset=asset,
                signature=down(name, asset, "uptime"),
                severity=Severity.HIGH,
                message=(f"{name}: {cause}" if cause else f"{name} is down") if firing else f"{name} resolved{by}",
                firing=firing,
                key=key,
                tags=related
                | some(incident, "name", "url", "http_method", "cause", "team_name",
                       regions=joined(incident.at("regions"))),
                urls=[incident.first("origin_url"), incident.first("screenshot_url"), url],
                starts=incident.first("started_at") if firing else None,
            ),
        )
    )  # fmt: skip


tool = Tool(
    name="better-stack",
    title="Better Stack",
    read=read,
    setup=Setup(
        steps=(
            "Integrations → Exporting data → Outgoing webhooks → Add.",
            "Trigger: incident changes. Name: siems. URL:  {url}",
            "Notify when incidents start, are acknowledged and resolve. Save, and send a test.",
        ),
        docs="https://betterstack.com/docs/uptime/webhooks/",
    ),
)
