"""N-able N-central: notifications as XML over HTTP, or in a JSON body with the same names."""

from __future__ import annotations

import re
from html import unescape

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, as_text, document
from siems.sources.shapes import fields, some
from siems.vocabulary import Severity

_ELEMENT = re.compile(r"<(\w{1,64})(?:\s[^<>]{0,200})?>([^<]*)</\1>")
_WORDS = {
    "failed": Severity.HIGH,
    "failure": Severity.HIGH,
    "disconnected": Severity.HIGH,
    "critical": Severity.CRITICAL,
    "warning": Severity.MEDIUM,
    "stale": Severity.MEDIUM,
    "no data": Severity.MEDIUM,
    "misconfigured": Severity.MEDIUM,
    "normal": Severity.LOW,
}


def read(body: bytes, headers: Headers) -> Read:
    doc = _document(body, headers)
    device = doc.first("devicename", "device", "host", "hostname")
    service = doc.first("affectedservice", "servicename", "service", "taskname")
    state = doc.first("qualitativenewstate", "qualitativenewstatus", "newstate", "new", "status", "state")
    if not device and not service:
        raise InvalidField("this is no N-central notification: it names neither a device nor a service")
    old = doc.first("qualitativeoldstate", "oldstate", "old")
    task = doc.first("taskident", "task")
    what = f"{service} {task}".strip() if task.lower() != service.lower() else service
    moved = f"{old} -> {state}" if old else state
    return Read((alert_of(
        tool="n-able",
        asset=device or doc.first("deviceuri", "uri"),
        signature=what or "service state",
        word=state,
        words=_WORDS,
        message="\n".join(filter(None, [
            f"{what or 'service'} on {device}: {moved}", doc.first("customername", "customer"),
            doc.first("quantitativenewstate", "details", "description", "message"),
        ])),
        firing=state.lower() not in ("normal", "ok", "resolved", "returned to normal"),
        # the id of a notification is another one each time
        key="/".join([doc.first("customername", "customer"), device, what]),
        tags=some(doc, "customername", "externalcustomerid", "serviceorganizationname", "deviceuri", "probeuri",
                  "activeprofile", "notificationtriggername", "activenotificationtriggerid"),
        urls=[doc.first("remotecontrollink"), _server(doc.first("ncentraluri"))],
        starts=doc.first("timeofstatechange", "time") or None,
    ),))  # fmt: skip


def _document(body: bytes, headers: Headers) -> Doc:
    text = as_text(body).lstrip("\ufeff \t\r\n")
    if not text.startswith("<"):
        return fields(document(body, headers))
    text = text.replace("<![CDATA[", "").replace("]]>", "")
    return fields(Doc({name: unescape(said) for name, said in _ELEMENT.findall(text)}))


def _server(uri: str) -> str:
    return uri if not uri or "://" in uri else f"https://{uri}"


tool = Tool(
    name="n-able",
    title="N-able N-central",
    read=read,
    setup=Setup(
        steps=(
            "Administration > User Management > Users: add a user  siems;  in User Details > Notification Method add"
            " Third Party Integration - HTTP  with the URL {url}",
            "Administration > Defaults > Notification Templates: keep all keywords of the HTTP - XML template.",
            "Configuration > Monitoring > Notifications: add the user as a recipient of your profiles and select"
            " Send return to normal.",
        ),
        docs="https://developer.n-able.com/n-central/docs/notification-acknowledgment-using-xml",
    ),
)
