"""Tactical RMM: the webhooks of alert templates, whose bodies operators write."""

from __future__ import annotations

import re

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, as_text, document
from siems.sources.shapes import fields, is_over, some

_UNFILLED = re.compile(rb"\{\{ ?alert\.(?:message|id|severity|alert_type|alert_time) ?\}\}")
"""Only the test button leaves these as they are."""
_FAILED = re.compile(r" (?:has a (?P<kind>[\w ]{1,40}) check:?|has task:?) (?P<check>.{1,255}?) that failed\.?$")


def read(body: bytes, headers: Headers) -> Read:
    if _UNFILLED.search(body):
        return Read(said="test message of Tactical RMM")
    doc = fields(document(body, headers))
    message = doc.first("message", "alertmessage", "text", "content", "description", "summary", "title")
    host = doc.first("hostname", "agenthostname", "host", "computername", "device", "agent", "username")
    if not host and ": " in message:  # the example of the documentation: "host: message"
        host, _, message = message.partition(": ")
    host = host or doc.first("agentid")
    if not message and not host:
        raise InvalidField(f"this names neither an agent nor a message: {as_text(body[:100])}")
    event = doc.first("event", "action", "status", "state", "alertstatus")
    return Read((alert_of(
        tool="tacticalrmm",
        asset=host,
        signature=_signature(message, host, doc.first("checkname", "check", "taskname", "readabledesc"),
                             doc.first("alerttype")),
        word=doc.first("severity", "alertseverity", "level"),
        message=message or event,
        firing=not (is_over(event) or "resolve" in event.lower() or doc.first("resolved").lower() == "true"),
        key=doc.first("alertid") or None,
        tags=some(doc, "client", "site", "clientid", "siteid", "agentid", "alerttype", "checkid"),
        urls=[doc.first("url", "link")],
        starts=doc.first("alerttime", "timestamp", "time") or None,
    ),))  # fmt: skip


def _signature(message: str, host: str, check: str, kind: str) -> str:
    """The check, where one is named: Tactical's own sentence is "HOST has a KIND check: CHECK that failed."."""
    if check:
        return check
    if sentence := _FAILED.search(message):
        return sentence["check"].strip()
    if kind.lower() == "availability" or message.rstrip(".").endswith("is overdue"):
        return "agent overdue"
    return message.removeprefix(host).lstrip(" :-") or kind


tool = Tool(
    name="tacticalrmm",
    title="Tactical RMM",
    read=read,
    setup=Setup(
        steps=(
            "Settings > Global Settings > URL Actions > Web Hooks: add one with the URL pattern {url}, method POST,"
            ' request headers {"Content-Type": "application/json"} and the request body below.',
            'Add a second one that is the same but has "event": "resolve".',
            "Settings > Alerts Manager: edit the alert template of your agents; under Failure Settings choose the first"
            " as action, under Resolved Settings the second.",
        ),
        snippet_name="Request body",
        snippet="""{
  "event": "trigger",
  "alert_id": "{{alert.id}}",
  "alert_type": "{{alert.alert_type}}",
  "severity": "{{alert.severity}}",
  "message": "{{alert.message}}",
  "alert_time": "{{alert.alert_time}}",
  "hostname": "{{agent.hostname}}",
  "agent_id": "{{agent.agent_id}}",
  "client": "{{agent.site.client.name}}",
  "site": "{{agent.site.name}}"
}
""",
        docs="https://docs.tacticalrmm.com/functions/webhooks/",
    ),
)
