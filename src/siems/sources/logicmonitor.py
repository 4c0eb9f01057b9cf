"""LogicMonitor: an alert, by a Custom HTTP Delivery with a payload of tokens."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, host_in
from siems.sources.shapes import flat, is_over, some, whole_key, zoned
from siems.vocabulary import Severity

WORDS = {
    "critical": Severity.CRITICAL, "error": Severity.HIGH, "warning": Severity.MEDIUM, "warn": Severity.MEDIUM,
    "4": Severity.CRITICAL, "3": Severity.HIGH, "2": Severity.MEDIUM,
}  # fmt: skip
_COMMENT = ("ackcomment", "comment", "message", "eventmsg")  # the token ##MESSAGE## tells who acknowledged it, and why
_SEVERITY = ("level", "alertlevel", "severity", "alertseverity", "levelstr")


def read(body: bytes, headers: Headers) -> Read:
    doc = flat(document(body, headers))
    asset = doc.first("host", "hostname", "device", "devicename", "system", "website", "websitename", "hostgroup")
    asset = asset or host_in(doc.first("serviceurl", "websiteurl")) or doc.first("service", "agent", "collector")
    name = _wrong(doc)
    status = doc.first("alertstatus", "status", "state").lower()
    if status == "test":
        return Read(said="test message of LogicMonitor")
    if not (name or status) or not asset:
        raise InvalidField("this is no alert of LogicMonitor: it names neither a data source nor a status")
    key = whole_key(doc.first("internalid", "alertid", "id"))
    message = doc.first("message", "eventmsg", "alertmessage", "eventlogmsg", "batchdesc", "description")
    if status.startswith("ack") and key:
        who = doc.first("ackuser", "acknowledgedby")
        note = ": ".join(filter(None, (f"acknowledged by {who}" if who else "acknowledged", doc.first(*_COMMENT))))
        return Read(remarks=(Remark(key, note),))
    over = is_over(status)
    reading = alert_of(
        tool="logicmonitor",
        asset=asset,
        signature=name or "alert",
        word=doc.first(*_SEVERITY),
        words=WORDS,
        message="\n".join(filter(None, (f"{name} on {asset}", message, _values(doc)))),
        firing=not over,
        key=key,
        tags=some(doc, "alertid", "alerttype", "group", "hostips", "instance", "datasource", "datapoint", "agent"),
        urls=[doc.first(field) for field in ("alerturl", "alertdetailurl", "url", "hosturl", "serviceurl")],
        starts=None if over else zoned(doc.at("startepoch"), doc.at("start"), doc.at("date")),
    )
    return Read((reading,))


def _wrong(doc: Doc) -> str:
    """The data source (with its instance, as LogicMonitor names it) and the data point; or the source of the event."""
    source = doc.first("datasource", "eventsource", "logsource", "batchjob", "dsname", "alerttype", "service")
    return " ".join(filter(None, (source, doc.first("datapoint"))))


def _values(doc: Doc) -> str:
    value, threshold = doc.first("value"), doc.first("threshold")
    return f"value {value}, threshold {threshold}" if value and threshold else ""


tool = Tool(
    name="logicmonitor",
    title="LogicMonitor",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Integrations → Add → Custom HTTP Delivery.",
            "Use same URL and data for the various alert activity. Switch on New alerts, Acknowledged, Cleared and "
            "Escalated/De-escalated.",
            "HTTP Method: HTTP Post, URL:  {url}  Alert Data: Raw, Format: JSON. Paste the data below. "
            "Press Test Alert Delivery, then Save.",
            "Settings → Alert Settings → Escalation Chains: add the integration as a recipient, and use the chain in "
            "an alert rule.",
        ),
        snippet_name="Alert Data",
        snippet="""{
  "alertid": "##ALERTID##",
  "internalid": "##INTERNALID##",
  "alertstatus": "##ALERTSTATUS##",
  "alerttype": "##ALERTTYPE##",
  "level": "##LEVEL##",
  "host": "##HOSTNAME##",
  "hostips": "##HOSTIPS##",
  "group": "##GROUP##",
  "service": "##WEBSITE##",
  "agent": "##AGENT_DESCRIPTION##",
  "datasource": "##DATASOURCE##",
  "datapoint": "##DATAPOINT##",
  "instance": "##INSTANCE##",
  "value": "##VALUE##",
  "threshold": "##THRESHOLD##",
  "eventsource": "##EVENTSOURCE##",
  "message": "##MESSAGE##",
  "startepoch": "##STARTEPOCH##",
  "alerturl": "##ALERTDETAILURL##"
}
""",
        docs="https://www.logicmonitor.com/support/custom-http-delivery",
    ),
)
