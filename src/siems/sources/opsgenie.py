"""Opsgenie and Jira Service Management: their outgoing webhook, or a body written for Opsgenie's Alert API."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, filled
from siems.sources.shapes import joined, site, some
from siems.vocabulary import Severity

_LEVELS = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.LOW)
_WORDS = {f"{letter}{n}": level for n, level in enumerate(_LEVELS, 1) for letter in ("", "p")}
_HOSTS = ("host", "Host", "hostname", "hostName", "instance", "node", "server", "device")


def read(body: bytes, headers: Headers) -> Read:
    """One action on an alert: creating it fires, closing and deleting it recover, all others are remarks."""
    doc = document(body, headers)
    alert, action = doc.doc("alert"), doc.first("action")
    if not alert.value and doc.first("message"):
        alert = doc
    key, name = alert.first("alertId", "id", "alias"), alert.first("message")
    if not key and not name:
        raise InvalidField("it has no alert with an alertId or a message")
    verb = action.lower() or "create"
    if verb == "test":
        return Read(said="test message of Opsgenie")
    if verb not in ("create", "close", "delete"):
        return Read(remarks=(Remark(key or name, _remark(doc, alert, action)),))
    details = alert.doc("details")
    source = alert.first("source")
    return Read(
        (
            alert_of(
                tool="opsgenie",
                asset=alert.first("entity") or details.first(*_HOSTS) or ("" if "@" in source else site(source))
                or doc.first("integrationName") or "Opsgenie",
                signature=name or alert.first("alias") or key,
                word=alert.first("priority") or ("3" if verb == "create" else ""),
                words=_WORDS,
                message="\n".join(filter(None, [name, alert.first("description"), alert.first("note")])),
                firing=verb == "create",
                key=key or None,
                tags={k: filled(v, 1_024) for k, v in list(details.value.items())[:40] if filled(v)}
                | some(alert, "alias", "tinyId", "entity", "source", "priority", tags=joined(alert.at("tags")),
                       teams=joined(alert.at("teams")), integration=doc.first("integrationName")),
                urls=[v for v in details.value.values() if isinstance(v, str)],
                starts=alert.first("createdAt") if verb == "create" else None,
            ),
        )
    )  # fmt: skip


def _remark(doc: Doc, alert: Doc, action: str) -> str:
    """What was done, by whom, with its note."""
    who, note = alert.first("username", "user", "owner"), alert.first("note")
    to = joined(doc.doc("escalationNotify").value) or alert.first(
        "addedTags", "removedTags", "newPriority", "recipient"
    )
    return f"Opsgenie: {action}" + (f" ({to})" if to else "") + (f" by {who}" if who else "") + (note and f": {note}")


tool = Tool(
    name="opsgenie",
    title="Opsgenie",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Integrations → Add integration → Webhook.",
            "Webhook URL:  {url}  Tick Add Alert Description to Payload and Add Alert Details to Payload.",
            "Choose the alert actions: alert is created, acknowledged, closed, deleted, note is added.",
            "Turn on integration.",
        ),
        docs="https://support.atlassian.com/opsgenie/docs/integrate-opsgenie-with-webhook/",
    ),
)
