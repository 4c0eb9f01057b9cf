"""UniFi: webhooks of the Alarm Manager of Network and of Protect."""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import some
from siems.vocabulary import Severity

_STATES = {
    "online": "Offline",
    "connected": "Disconnected",
    "reconnected": "Disconnected",
    "up": "Down",
    "reachable": "Unreachable",
    "restored": "Lost",
    "recovered": "Lost",
}
"""Last words of events that tell of an end, and what was before."""
_BANDS = ((9, Severity.CRITICAL), (7, Severity.HIGH), (4, Severity.MEDIUM), (0, Severity.LOW))
"""The scale of the Common Event Format, which Network follows."""


def read(body: bytes, headers: Headers) -> Read:
    doc = document(body, headers)
    if doc.has("alarm") and doc.doc("alarm").value:
        found = _protect(doc)
    elif events := tuple(doc.docs("events")):
        found = tuple(map(_event, events))
    elif doc.first("name", "message", "text"):
        found = (_network(doc),)
    else:
        raise InvalidField("this is no webhook of UniFi's Alarm Manager")
    return Read(found, many=len(found) > 1)


def _fault(name: str) -> tuple[str, bool]:
    """What is wrong, called the same when it is over, and whether it is."""
    rest, _, last = name.rpartition(" ")
    before = _STATES.get(last.lower())
    return (f"{rest} {before}".strip(), True) if before else (name, False)


def _network(doc: Doc) -> Reading:
    about = doc.doc("parameters")
    name = doc.first("name", "alarm_name", "title") or "UniFi notification"
    fault, over = _fault(name)
    level = doc.first("severity")
    return alert_of(
        tool="unifi",
        asset=about.first("UNIFIdeviceName", "UNIFIclientAlias", "UNIFIclientHostname", "UNIFIhost", "UNIFIdeviceMac",
                          "UNIFIclientMac")
        or doc.first("device", "host", "site", "app"),
        signature=fault,
        word=level,
        severity=_severity(level),
        message=f"{name}\n{doc.first('message', 'text')}".strip(),
        firing=not over,
        tags=some(about, "UNIFIcategory", "UNIFIsubCategory", "UNIFIhost", "UNIFIdeviceModel", "UNIFIdeviceIp",
                  "UNIFIdeviceMac", "UNIFIclientMac", "UNIFIclientIp", "UNIFIwanName", "UNIFIwanIsp", "UNIFIrisk",
                  "UNIFIipsSignature", "UNIFIwifiName", "src", "dst", app=doc.first("app")),
        urls=[doc.first("url", "link")],
        starts=about.first("UNIFIutcTime") or doc.first("timestamp") or None,
    )  # fmt: skip


def _severity(level: str) -> Severity | None:
    if not level.isascii() or not level.isdigit():
        return None  # a word, or nothing
    return next(severity for least, severity in _BANDS if int(level[:3]) >= least)


def _protect(doc: Doc) -> tuple[Reading, ...]:
    alarm = doc.doc("alarm")
    rule = alarm.first("name") or "Protect alarm"
    triggers = list(alarm.docs("triggers")) or [Doc({})]
    return tuple(
        alert_of(
            tool="unifi",
            asset=trigger.first("deviceName", "device") or alarm.first("sources.0.device"),
            signature=rule,
            severity=Severity.MEDIUM,
            message=f"{rule}: {trigger.first('key') or 'alarm'} at {trigger.first('device') or 'a device'}",
            tags=some(trigger, "key", "eventId", "device", "value"),
            urls=[alarm.first("eventLocalLink")],
            starts=trigger.first("timestamp") or doc.first("timestamp") or None,
        )
        for trigger in triggers[:100]
    )


def _event(event: Doc) -> Reading:
    """An event of Network before 9.4, which says little more than what it is."""
    kind = event.first("id", "alert_key").removeprefix("event.").replace("_", " ") or "UniFi event"
    fault, over = _fault(kind)
    site = event.first("scope.device_name", "scope.site_name", "scope.site_id", "scope.device_mac")
    return alert_of(
        tool="unifi", asset=site or "UniFi", signature=fault, message=f"{kind} ({event.first('alert_key')})",
        severity=Severity.MEDIUM, firing=not over, tags=some(event, "alert_key", "alert_id", "scope.site_id"),
    )  # fmt: skip


tool = Tool(
    name="unifi",
    title="UniFi",
    read=read,
    setup=Setup(
        steps=(
            "In UniFi Network (9.3 or later), and likewise in Protect: Alarm Manager > Create Alarm.",
            "Choose the triggers, in pairs where there are two (Device Offline and Device Online), and the scope.",
            "As action choose  Webhook > Custom Webhook,  method POST, and enter {url}",
        ),
        docs="https://help.ui.com/hc/en-us/articles/27721287753239",
    ),
)
