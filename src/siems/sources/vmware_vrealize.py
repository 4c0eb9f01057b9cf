"""VMware Aria Operations (vRealize): an alert by the REST notification plug-in, or one of Operations for Logs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import flat, is_over, some, whole_key
from siems.vocabulary import Severity

WORDS = {
    "critical": Severity.CRITICAL, "immediate": Severity.HIGH, "warning": Severity.MEDIUM,
    "information": Severity.LOW, "info": Severity.LOW,
}  # fmt: skip
_OVER = ("canceled", "cancelled", "cancel", "inactive")


def read(body: bytes, headers: Headers) -> Read:
    raw = document(body, headers)
    doc = flat(raw)
    if doc.has("hitcount") or doc.has("numhits"):
        return _logs(raw, doc)
    asset = doc.first("resourcename", "objectname", "alertresourcename", "affectedresource", "resourceid", "objectid")
    name = doc.first(
        "alertname", "alertdefinitionname", "alertdefinition", "subtype", "alertsubtype", "type", "alerttype"
    )
    key = doc.first("alertid", "id")
    if not asset or not (name or key):
        raise InvalidField("this is no alert of Aria Operations: it needs a resourceName and an alertId")
    name = _short(name, "ALERT_SUBTYPE_", "ALERT_TYPE_")
    level = _short(doc.first("criticality", "alertcriticality", "severity", "controlstate"), "ALERT_CRITICALITY_LEVEL_")
    status = doc.first("status", "alertstatus", "state").lower()
    over = status in _OVER or is_over(status)
    reading = alert_of(
        tool="vmware-vrealize",
        asset=asset,
        signature=name or "alert",
        word=level,
        words=WORDS,
        message="\n".join(filter(None, (f"{name} on {asset}", doc.first("info", "alertmessage", "description")))),
        firing=not over,
        key=whole_key(key),
        tags=some(doc, "resourcekind", "adapterkind", "resourceid", "health", "risk", "efficiency", "hookname"),
        urls=[doc.first(field) for field in ("url", "alerturl", "link", "alertsummarylink")],
        starts=None if over else raw.at("startDate"),
    )
    return Read((reading,))


def _logs(raw: Doc, doc: Doc) -> Read:
    """A query of Operations for Logs found something; it never says that it is over."""
    name = doc.first("alertname", "name")
    messages = list(islice(raw.docs("messages"), 100))
    host = next(filter(None, (_field(message.docs("fields")) for message in messages)), "")
    said = [message.first("text") for message in messages[:5]]
    reading = alert_of(
        tool="vmware-vrealize",
        asset=host or doc.first("sourceinfo", "source") or "logs",
        signature=name or "log alert",
        word=doc.first("severity", "criticality"),
        words=WORDS,
        message="\n".join(filter(None, (name, doc.first("info", "description"), *said, doc.first("recommendation")))),
        tags=some(doc, "hitcount", "numhits", "hitoperator", "searchperiod", "alerttype"),
        urls=[doc.first("url"), doc.first("resultsurl"), doc.first("editurl")],
    )
    return Read((reading,))


def _field(fields: Iterable[Doc]) -> str:
    """The host that a log line came from."""
    found = {field.first("name"): field.first("content") for field in islice(fields, 100)}
    return found.get("hostname") or found.get("source") or ""


def _short(word: str, *prefixes: str) -> str:
    """`ALERT_SUBTYPE_AVAILABILITY_PROBLEM` → `availability problem`; other words as they are."""
    for prefix in prefixes:
        if word.startswith(prefix):
            return word.removeprefix(prefix).replace("_", " ").lower()
    return word


tool = Tool(
    name="vmware-vrealize",
    title="VMware Aria Operations",
    read=read,
    setup=Setup(
        steps=(
            "Alerts → Outbound Settings → Add. Plugin Type: Rest Notification Plugin (in 8.4 and newer: Webhook "
            "Notification Plugin).",
            "URL:  {url}  Content type: application/json. User name and password stay empty. Press Test, then Save.",
            "Alerts → Notifications → Add: the outbound method is siems, the criteria are yours. Notify also of "
            "updated and canceled alerts. A Webhook plug-in wants a payload template: paste the payload below.",
        ),
        snippet_name="Payload",
        snippet="""{
  "alertId": "${ALERT_ID}",
  "alertName": "${ALERT_DEFINITION}",
  "status": "${STATUS}",
  "criticality": "${CRITICALITY}",
  "resourceName": "${AFFECTED_RESOURCE_NAME}",
  "resourceKind": "${AFFECTED_RESOURCE_KIND}",
  "type": "${ALERT_TYPE}",
  "subType": "${ALERT_SUBTYPE}",
  "info": "${ALERT_IMPACT}",
  "url": "${ALERT_SUMMARY_LINK}"
}
""",
        docs="https://techdocs.broadcom.com/us/en/vmware-cis/aria/aria-operations/8-18/outbound-settings.html",
    ),
)
