"""Datto RMM: webhooks of monitors, whose bodies operators write with variables like [alert_uid]."""

from __future__ import annotations

import re

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import fields, is_over, some
from siems.vocabulary import Severity

_WORDS = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "information": Severity.LOW,
    "informational": Severity.LOW,
}
_UNFILLED = re.compile(r"\[(?:alert|device|site|last|platform)_?\w{0,40}\]")
_PRIORITY = re.compile(r"\*{0,2}Priority:?\*{0,2}:? {0,3}(\w{3,16})", re.IGNORECASE)


def read(body: bytes, headers: Headers) -> Read:
    sent = document(body, headers)
    doc, card = fields(sent), sent.doc("attachments.0")  # the latter of bodies made for a chat
    host = _given(doc, "devicehostname", "hostname", "host", "device", "devicename", "computername")
    message = card.first("text") or _given(
        doc, "alertmessageen", "alertmessage", "message", "msg", "text", "summary", "description", "title"
    )
    number = _given(doc, "alertuid", "alertid", "uid")
    kind = _given(doc, "alertcategory", "category", "alerttype", "type", "monitortype", "monitor")
    if not kind and not _UNFILLED.search(card.first("title")):
        kind = card.first("title").removesuffix(" Alert")
    if not (host or number or kind):
        if _UNFILLED.search(str(doc.value)):
            return Read(said="test message of Datto RMM: no variable is filled in")
        if not message:
            raise InvalidField("this names neither a device nor an alert", hint="use the body of the setup steps")
    priority = _PRIORITY.search(message)
    state = _given(doc, "status", "alertstatus", "state", "event", "action")
    over = is_over(state) or "resol" in state.lower() or doc.first("resolved").lower() == "true"
    return Read((alert_of(
        tool="datto-rmm",
        asset=host or _given(doc, "deviceuid", "deviceid"),
        signature=kind or "monitor alert",
        word=_given(doc, "alertpriority", "priority", "severity") or (priority[1] if priority else ""),
        words=_WORDS,
        message=message or kind,
        firing=not over,
        key=number or None,
        tags=some(doc, "sitename", "siteid", "siteuid", "site", "deviceid", "deviceuid", "deviceip", "ipaddress",
                  "deviceos", "lastuser", "devicedescription", "platform"),
        urls=[doc.first(path) for path in ("titlelink", "alerturl", "deviceurl", "url", "link")],
        starts=_given(doc, "timestamp", "alerttime", "time", "ts") or None,
    ),))  # fmt: skip


def _given(doc: Doc, *names: str) -> str:
    """The first of several fields that is filled in: a variable that Datto did not know stays as it was written."""
    return next((said for name in names if (said := doc.first(name)) and not _UNFILLED.search(said)), "")


_BODY = """{
  "status": "%s",
  "alert_uid": "[alert_uid]",
  "alert_type": "[alert_type]",
  "alert_category": "[alert_category]",
  "alert_priority": "[alert_priority]",
  "alert_message": "[alert_message]",
  "device_hostname": "[device_hostname]",
  "device_id": "[device_id]",
  "device_ip": "[device_ip]",
  "site_name": "[site_name]",
  "site_id": "[site_id]",
  "platform": "[platform]"
}
"""

tool = Tool(
    name="datto-rmm",
    title="Datto RMM",
    read=read,
    tenant="site_id",
    setup=Setup(
        steps=(
            "For all monitors: Setup > Integrations > Global Webhooks. For one: the Response section of a monitor"
            " in Policies > Monitoring, Send a webhook.",
            "Enter the URL {url}, the header Content-Type: application/json, and the body below.",
            'Turn on the webhook for resolved alerts as well, with the same body but "status": "resolved".',
        ),
        snippet_name="Webhook body",
        snippet=_BODY % "triggered",
        docs="https://rmm.datto.com/help/en/Content/3NEWUI/Monitors/Webhooks.htm",
    ),
)
