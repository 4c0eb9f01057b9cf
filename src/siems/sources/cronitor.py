"""Cronitor, its webhook integration: a job, heartbeat or site that broke a rule or recovered."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import some
from siems.vocabulary import Severity


def read(body: bytes, headers: Headers) -> Read:
    """One alert or recovery."""
    doc = document(body, headers)
    name, event = doc.first("monitor", "name", "id"), doc.first("type").lower()
    if not name or not (event or doc.first("rule", "description")):
        raise InvalidField("it has no monitor, or not what happened to it")
    if event == "test":
        return Read(said="test message of Cronitor")
    key, place = doc.first("id", "key"), doc.first("environment")
    rule, said = doc.first("rule"), doc.first("description")
    firing = event != "recovery"
    return Read(
        (
            alert_of(
                tool="cronitor",
                asset=name,
                signature=rule or "check failing",
                severity=Severity.HIGH,
                message=f"{name}: {event or 'alert'}" + (f"\n{said}" if said else ""),
                firing=firing,
                # one monitor reports apart for each environment
                key=f"{key}:{place}" if key and place else key,
                tags=some(doc, "rule", "environment", "group"),
                urls=[doc.first("issue_url"), doc.first("monitor_url")],
            ),
        )
    )


tool = Tool(
    name="cronitor",
    title="Cronitor",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Integrations → Webhooks → Create Integration.",
            "Name: siems. URL:  {url}  Create Integration.",
            "Add it to the Notification Lists of the monitors that siems shall hear of.",
        ),
        docs="https://cronitor.io/docs/using-webhooks",
    ),
)
