"""ManageEngine OpManager: an alarm, by a notification profile that invokes a webhook."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import flat, is_over, some, whole_key
from siems.vocabulary import Severity

WORDS = {
    "critical": Severity.CRITICAL, "1": Severity.CRITICAL, "service down": Severity.CRITICAL, "4": Severity.CRITICAL,
    "trouble": Severity.HIGH, "2": Severity.HIGH, "attention": Severity.MEDIUM, "3": Severity.MEDIUM,
    "clear": Severity.LOW, "5": Severity.LOW, "info": Severity.LOW, "6": Severity.LOW,
}  # fmt: skip
_CLEAR = "5"
_LINKS = ("url", "link", "rcalinkofthealarm")


def read(body: bytes, headers: Headers) -> Read:
    # operators call the variables what they like: $alarmid is `alarmid`, `Alert_Id`, `Alarm ID`
    doc = flat(document(body, headers), "alert", "alarm")
    asset = doc.first("displayname", "devicename", "assetname", "device", "source", "host", "hostname") or doc.first(
        "deviceipaddress", "ipaddress", "deviceip", "assetipaddress", "entity", "assetentity"
    )
    severity = doc.first("stringseverity", "severity")
    message = doc.first("message", "description")
    if not asset or not (severity or message):
        raise InvalidField("this is no alarm of OpManager: it needs a displayName and a severity or a message")
    name = doc.first("monitormonitorname", "monitorname", "monitor", "eventtype", "type", "category", "code")
    over = is_over(severity) or severity == _CLEAR
    tags = ("category", "eventtype", "ipaddress", "deviceipaddress", "vendor", "devicetype", "entity", "ifname")
    reading = alert_of(
        tool="opmanager",
        asset=asset,
        signature=name or "OpManager alarm",
        word=severity,
        words=WORDS,
        message=message or f"{name} on {asset} is {severity}",
        firing=not over,
        key=whole_key(doc.first("id", "entity", "assetentity")),
        tags=some(doc, *tags, value=doc.first("lastpolledvalue")),
        urls=[doc.first(field) for field in _LINKS],
    )
    return Read((reading,))


tool = Tool(
    name="opmanager",
    title="ManageEngine OpManager",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Notifications → Notification Profiles → Add → Invoke a Webhook.",
            "Hook URL: POST  {url}  Data Type: raw, Payload Type: JSON. Paste the body below.",
            "Choose the criteria: all severities, and Notify when the alarm is cleared.",
            "Choose the devices, name the profile siems and press Save; Test Action tries it.",
        ),
        snippet_name="Body Content",
        snippet="""{
  "alarmid": "$alarmid",
  "entity": "$entity",
  "displayName": "$displayName",
  "ipAddress": "$DeviceField(ipAddress)",
  "stringseverity": "$stringseverity",
  "category": "$category",
  "eventType": "$eventType",
  "monitorName": "$MonitorField(monitorName)",
  "ifName": "$IntfField(ifName)",
  "lastPolledValue": "$lastPolledValue",
  "message": "$message"
}
""",
        docs="https://www.manageengine.com/network-monitoring/help/invoke-webhook.html",
    ),
)
