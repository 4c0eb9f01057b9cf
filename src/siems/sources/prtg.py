"""PRTG Network Monitor: a sensor changes its status, told by an Execute HTTP Action with a payload of placeholders."""

from __future__ import annotations

import re

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, text
from siems.sources.shapes import flat, some, whole_key
from siems.vocabulary import Severity

WORDS = {
    "down (partial)": Severity.MEDIUM, "down": Severity.HIGH, "error": Severity.HIGH, "warning": Severity.MEDIUM,
    "unusual": Severity.LOW, "unknown": Severity.MEDIUM, "threshold": Severity.MEDIUM,
    "fehler": Severity.HIGH, "warnung": Severity.MEDIUM, "ungewöhnlich": Severity.LOW,
}  # fmt: skip

_ENDED = re.compile(r" (?:ended|beendet|cleared|(?:not|no longer|nicht mehr) )")


def read(body: bytes, headers: Headers) -> Read:
    raw = document(body, headers)
    doc = flat(raw)
    status = text(doc.at("status"), 200).strip() or doc.first("laststatus")
    if not status and text(raw.at("status"), 200).strip().startswith("%"):
        return Read(said="test message of PRTG: its placeholders are not filled in")
    sensor = doc.first("sensor", "sensorname", "name", "shortname")
    asset = doc.first("device", "devicename", "host", "hostname") or sensor or doc.first("group", "probe")
    if not status or not asset:
        raise InvalidField("this is no notification of PRTG: it needs a status and a device or sensor")
    key = whole_key(doc.first("sensorid", "objectid", "id"))
    before, now = _change(status)
    message = doc.first("message", "lastmessage", "down")
    told = f"{sensor} on {asset}" if sensor and sensor != asset else asset
    if (now or before).startswith(("paused", "down (ack")) or now == "unknown":
        note = f"{told} is {status}: {message}".removesuffix(": ")
        return Read(remarks=(Remark(key, note),)) if key else Read(said=f"PRTG says {note}")
    word = now or next((known for known in WORDS if before.startswith(known)), before)
    reading = alert_of(
        tool="prtg",
        asset=asset,
        signature=sensor or "sensor",
        word=word,
        words=WORDS,
        severity=Severity.MEDIUM if word == "unknown" else None,
        message=f"{told} is {status}: {message}".removesuffix(": "),
        firing=not (word in ("up", "ok") or (not now and _ENDED.search(before))),
        # a limit that a channel exceeds is one problem, the state of its sensor another
        key=whole_key(key, "threshold") if key and before.startswith("threshold") else key,
        tags=some(doc, "host", "group", "probe", "priority", "tags", "location", "sitename", status=status),
        urls=_urls(doc),
    )
    return Read((reading,))


def _change(status: str) -> tuple[str, str]:
    """(the status, what it has become or ""): `Down ended (now: Up)`; other languages put the colon there too."""
    before, paren, rest = status.lower().partition(" (")
    if paren and ": " in rest and rest.endswith(")"):
        return before, rest[:-1].partition(": ")[2].strip()
    return status.lower(), ""


def _urls(doc: Doc) -> list[str]:
    return [doc.first(name) for name in ("linksensor", "sensorurl", "linkdevice", "deviceurl", "url", "link")]


tool = Tool(
    name="prtg",
    title="PRTG Network Monitor",
    read=read,
    setup=Setup(
        steps=(
            "Setup → Account Settings → Notification Templates → Add Notification Template.",
            "Switch on Execute HTTP Action. URL:  {url}  HTTP Method: POST. Paste the payload below.",
            "Save, and press the bell (Send test notification) of the template to try it.",
            "Devices → Root → Notification Triggers → Add State Trigger: when a sensor is Down (and one more for "
            "Warning) perform siems; when the condition clears after a notification was triggered, perform siems too.",
        ),
        snippet_name="Payload",
        snippet="sensorid=%sensorid&status=%status&device=%device&host=%host&sensor=%sensor&message=%message"
        "&priority=%priority&group=%group&probe=%probe&linksensor=%linksensor&sitename=%sitename",
        docs="https://www.paessler.com/manuals/prtg/notification_templates_settings#http",
    ),
)
