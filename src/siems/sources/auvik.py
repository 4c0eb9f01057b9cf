"""Auvik: an alert on a network entity is triggered or cleared."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import is_over, some, whole_key
from siems.vocabulary import Severity

# The numbers run down: 1 is the worst.
WORDS = {
    "1": Severity.CRITICAL, "emergency": Severity.CRITICAL, "2": Severity.HIGH, "critical": Severity.HIGH,
    "3": Severity.MEDIUM, "warning": Severity.MEDIUM,
    "4": Severity.LOW, "info": Severity.LOW, "informational": Severity.LOW,
}  # fmt: skip
_CLEARED = "1"


def read(body: bytes, headers: Headers) -> Read:
    doc = document(body, headers)
    name = doc.first("alertName", "subject")
    asset = doc.first("entityName", "deviceName", "companyName")
    if not name or not (asset or doc.has("alertStatus")):
        raise InvalidField("this is no alert of Auvik: it has no alertName")
    if name.lower() in ("test", "test alert", "test notification", "test webhook"):
        return Read(said="test message of Auvik")
    over = is_over(doc.first("alertStatusString")) or doc.first("alertStatus") == _CLEARED
    tags = ("companyName", "companyId", "entityType", "entityId", "alertId", "alertSeverityString")
    reading = alert_of(
        tool="auvik",
        asset=asset,
        signature=name,
        word=doc.first("alertSeverity", "alertSeverityString"),
        words=WORDS,
        message="\n".join(filter(None, (f"{name} on {asset or 'the network'}", doc.first("alertDescription")))),
        firing=not over,
        key=whole_key(doc.first("correlationId", "alertId")),
        tags=some(doc, *tags),
        urls=[doc.first("link")],
        starts=None if over else doc.at("date"),
    )
    return Read((reading,))


tool = Tool(
    name="auvik",
    title="Auvik",
    read=read,
    tenant="companyId",
    setup=Setup(
        steps=(
            "Manage → Integrations → Add Integration → Webhook.",
            "Name: siems, Webhook URL:  {url}  Press Test Connection, then Save.",
            "Manage → Alerts → Notification Channels → Add Notification Channel: with this integration.",
            "Add the channel to your alert definitions, and let it be notified when an alert is cleared as well.",
        ),
        docs="https://support.auvik.com/hc/en-us/articles/360031007111",
    ),
)
