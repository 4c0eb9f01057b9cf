"""Observium: an alert checker and an entity of a device, or a line of its syslog, by the transport Webhook JSON."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import some, whole_key, zoned
from siems.vocabulary import Severity

WORDS = {
    "critical": Severity.CRITICAL, "crit": Severity.CRITICAL, "warning": Severity.MEDIUM, "warn": Severity.MEDIUM,
    "informational": Severity.LOW, "info": Severity.LOW,
}  # fmt: skip
_TAGS = (
    "ENTITY_NAME", "ENTITY_TYPE", "ENTITY_DESCRIPTION", "DEVICE_LOCATION", "DEVICE_OS", "DEVICE_HARDWARE",
    "DEVICE_TYPE", "DEVICE_GROUP_NAMES", "SYSLOG_PROGRAM", "DURATION",
)  # fmt: skip


def read(body: bytes, headers: Headers) -> Read:
    doc = document(body, headers)
    state = doc.first("ALERT_STATE", "ALERT_STATE_NAME").upper()
    name = doc.first("ALERT_NAME", "ALERT_MESSAGE", "SYSLOG_RULE", "TITLE")
    asset = doc.first("DEVICE_HOSTNAME", "DEVICE_SYSNAME")
    if not name or not (asset or state):
        raise InvalidField("this is no alert of Observium: it needs an ALERT_MESSAGE and a DEVICE_HOSTNAME")
    if state == "TEST" or doc.first("TITLE").upper().startswith("TEST "):
        return Read(said="test message of Observium")
    syslog = state == "SYSLOG" or doc.has("SYSLOG_MESSAGE")
    over = state.startswith("RECOVER") or (not state and doc.first("ALERT_STATUS") == "1")
    entity = doc.first("ENTITY_NAME")
    head = f"{doc.first('ALERT_MESSAGE') or name}: {asset}" + (f" {entity}" if entity not in ("", asset) else "")
    told = doc.first("SYSLOG_MESSAGE", "METRICS")
    reading = alert_of(
        tool="observium",
        asset=asset,
        signature=name,
        word=doc.first("ALERT_SEVERITY"),
        words=WORDS,
        message="\n".join(filter(None, (head, told, doc.first("CONDITIONS") if not syslog else ""))),
        firing=not over,
        # for a line of syslog ALERT_ID is the rule's, which all devices share
        key=None if syslog else whole_key(doc.first("ALERT_ID")),
        tags=some(doc, *_TAGS),
        urls=[doc.first("ALERT_URL"), doc.first("ENTITY_URL"), doc.first("DEVICE_URL")],
        starts=None if over else zoned(doc.at("ALERT_UNIXTIME"), doc.at("ALERT_TIMESTAMP_RFC3339")),
    )
    return Read((reading,))


tool = Tool(
    name="observium",
    title="Observium",
    read=read,
    setup=Setup(
        steps=(
            "Alerts → Contacts → Add Contact. Transport Method: Webhook JSON, Description: siems.",
            "URL:  {url}  Leave the JSON as it is: it holds all that there is to say. Add Contact.",
            "Open the contact, and attach it to your alert checkers.",
        ),
        docs="https://docs.observium.org/alerting_transports/",
    ),
)
