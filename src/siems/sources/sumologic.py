"""Sumo Logic: webhook connections of monitors and scheduled searches, with a payload of their variables."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from siems.errors import InvalidField, UsageError
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, parse, without_port
from siems.sources.shapes import loose, plain, some, whole_key
from siems.vocabulary import Severity

_WORDS = {
    "critical": Severity.CRITICAL, "warning": Severity.MEDIUM, "missingdata": Severity.MEDIUM, "high": Severity.HIGH,
    "medium": Severity.MEDIUM, "low": Severity.LOW, "info": Severity.LOW, "normal": Severity.LOW,
}  # fmt: skip
_HOSTS = ("host", "_sourcehost", "hostname", "host_name", "instance", "node", "server", "pod", "device", "service",
          "_sourcename", "_sourcecategory", "cluster", "namespace")  # fmt: skip


def read(body: bytes, headers: Headers) -> Read:
    """One trigger of a monitor, or its recovery."""
    doc = loose(document(body, headers))
    title = doc.first("name", "monitorname", "searchname", "alertname", "title")
    if not title:
        raise InvalidField("this is no Sumo Logic body: it has no name")
    trigger = doc.first("triggertype", "severity", "status", "state").replace(" ", "")
    resolved = trigger.lower().startswith("resolved") or doc.first("alertstatus").lower() == "resolved"
    rows = _rows(doc.at("resultsjson"))
    group = doc.first("alertgroup", "group")
    among = loose(Doc(rows[0])) if rows else Doc({})
    # "host=web-1, env=prod"; what is in the group is the same when it is over, the results are not
    grouped = Doc({k.strip().lower(): v.strip() for k, _, v in (part.partition("=") for part in group.split(",")[:32])})
    asset = plain(grouped, *_HOSTS) or doc.first("host", "hostname") or plain(among, *(h.strip("_") for h in _HOSTS))
    number = doc.first("monitorid", "id")
    level = trigger.lower().removeprefix("resolved") if trigger else ""
    told = [title, doc.first("description"), doc.first("triggercondition"), doc.first("triggervalue", "alertvalue")]
    reading = alert_of(
        tool="sumologic",
        asset=without_port(asset) or (group if "=" not in group else "") or next(iter(_values(grouped)), "") or title,
        signature=title,
        word=level,
        words=_WORDS,
        severity=None if level else Severity.MEDIUM,
        message="\n".join(dict.fromkeys(filter(None, told))),
        firing=not resolved,
        key=whole_key(number, group) if number else None,
        tags=some(
            doc,
            "monitortype",
            "detectionmethod",
            "triggertype",
            "triggertimerange",
            "numqueryresults",
            "query",
            "triggervalue",
            group=group,
        ),
        urls=[doc.at("alertresponseurl"), doc.at("queryurl"), doc.at("sourceurl"), doc.at("playbook")],
        starts=(doc.first("triggertimestart", "triggertime") or None) if not resolved else None,
    )
    return Read((reading,))


def _values(doc: Doc) -> list[str]:
    return [value for value in (plain(doc, name) for name in doc.value) if value]


def _rows(given: Any) -> list[dict[str, Any]]:
    """The results: a list, or one in a string."""
    if isinstance(given, str) and given.lstrip().startswith("["):
        with suppress(UsageError):
            given = parse(given.encode("utf-8", "replace"))
    return [row for row in given[:16] if isinstance(row, dict)] if isinstance(given, list) else []


tool = Tool(
    name="sumologic",
    title="Sumo Logic",
    read=read,
    setup=Setup(
        steps=(
            "In Sumo Logic open Manage Data > Monitoring > Connections and choose + > Webhook.",
            "Name: siems.  URL:  {url}",
            "Paste the payload below as Alert Payload and as Recovery Payload, and save.",
            "In each monitor add under Notifications the connection siems for Critical, Warning and Missing Data, and "
            "tick Recovery.",
            "Group the monitor's alerts by host, so that every machine gets an alert of its own.",
        ),
        snippet_name="Alert Payload",
        snippet="""{
  "id": "{{Id}}",
  "name": "{{Name}}",
  "description": "{{Description}}",
  "triggerType": "{{TriggerType}}",
  "alertGroup": "{{AlertGroup}}",
  "triggerCondition": "{{TriggerCondition}}",
  "triggerValue": "{{TriggerValue}}",
  "triggerTimeStart": "{{TriggerTimeStart}}",
  "monitorType": "{{MonitorType}}",
  "detectionMethod": "{{DetectionMethod}}",
  "query": "{{Query}}",
  "queryURL": "{{QueryURL}}",
  "alertResponseUrl": "{{AlertResponseUrl}}",
  "resultsJson": "{{ResultsJson}}"
}
""",
        docs="https://www.sumologic.com/help/docs/alerts/monitors/alert-variables/",
    ),
)
