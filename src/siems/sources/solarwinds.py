"""SolarWinds Platform (Orion): an alert is triggered or reset, by an action that sends a request with macros."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import flat, is_over, some, whole_key
from siems.vocabulary import Severity

WORDS = {
    "critical": Severity.CRITICAL, "2": Severity.CRITICAL, "serious": Severity.HIGH, "3": Severity.HIGH,
    "warning": Severity.MEDIUM, "1": Severity.MEDIUM, "informational": Severity.LOW, "0": Severity.LOW,
    "notice": Severity.LOW, "4": Severity.LOW,
}  # fmt: skip
_NODE = ("nodename", "nodecaption", "relatednodecaption", "node", "hostname", "host", "caption", "ipaddress")
_NAME = ("alertname", "name", "alertdescription", "description", "alertmessage", "message")


def read(body: bytes, headers: Headers) -> Read:
    doc = flat(document(body, headers))
    node = doc.first(*_NODE)
    thing = doc.first("objectname", "entitycaption", "interfacename", "volumename", "componentname", "displayname")
    asset = node or thing
    name = doc.first(*_NAME).partition("\n")[0]
    action = doc.first("actiontype", "action", "alertstatus", "alertstate", "state", "eventtype", "status").lower()
    if not name or not (asset or action):
        raise InvalidField("this is no alert of SolarWinds: it names neither a node nor what happens to an alert")
    key = _key(doc, asset, thing)
    message = doc.first("alertmessage", "message") or name
    if action.startswith("ack") and key:
        return Read(remarks=(Remark(key, f"acknowledged by {doc.first('acknowledgedby', 'user') or 'someone'}"),))
    reading = alert_of(
        tool="solarwinds",
        asset=asset,
        signature=name,
        word=doc.first("severity", "alertseverity"),
        words=WORDS,
        message="\n".join(dict.fromkeys(filter(None, (message, doc.first("alertdescription", "description"))))),
        # `up` is how the node is, not the alert: the processor of a node that is up can be too busy
        firing=action == "up" or not is_over(action),
        key=key,
        tags=some(doc, "alertid", "alertobjectid", "objecttype", "ipaddress", "site", object=thing),
        urls=[doc.first(field) for field in ("alertdetailsurl", "detailsurl", "url", "acknowledgeurl")],
    )
    return Read((reading,))


def _key(doc: Doc, asset: str, thing: str) -> str | None:
    """The alert on one object. `AlertID` is the alert's definition, which many nodes share."""
    own = doc.first("alertobjectid")
    if own:
        return whole_key(own)
    definition = doc.first("alertid", "alertdefid")
    return whole_key(definition, asset, thing if thing != asset else "") if definition else None


tool = Tool(
    name="solarwinds",
    title="SolarWinds Platform",
    read=read,
    setup=Setup(
        steps=(
            "Settings → All Settings → Manage Alerts, edit an alert (or select several → Assign Action).",
            "Trigger Actions → Add Action → Send a GET or POST Request to a URL. Use HTTP POST. URL:  {url}",
            "Body to POST: the text below. ContentType: application/x-www-form-urlencoded. Press Simulate to try it.",
            "Reset Actions → Add Action: the same, with ActionType=Reset in the body.",
        ),
        snippet_name="Body to POST",
        snippet="ActionType=Trigger&AlertObjectID=${N=Alerting;M=AlertObjectID}&AlertID=${N=Alerting;M=AlertID}"
        "&AlertName=${N=Alerting;M=AlertName}&AlertMessage=${N=Alerting;M=AlertMessage}"
        "&Severity=${N=Alerting;M=Severity}&NodeName=${N=SwisEntity;M=Caption}"
        "&ObjectType=${N=Alerting;M=ObjectType}&AlertDetailsUrl=${N=Alerting;M=AlertDetailsUrl}",
        docs="https://documentation.solarwinds.com/en/success_center/orionplatform/content/core-sending-a-get-or-post-request-to-a-url-sw1085.htm",
    ),
)
