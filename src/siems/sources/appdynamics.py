"""Splunk AppDynamics: HTTP request templates of policies, by the names that such templates use."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import loose, plain, some
from siems.vocabulary import Severity

_WORDS = {
    "error": Severity.CRITICAL, "critical": Severity.CRITICAL, "warn": Severity.MEDIUM, "warning": Severity.MEDIUM,
    "info": Severity.LOW,
}  # fmt: skip
_OVER = ("policy_close", "policy_canceled", "resolve", "recovered", "closed")
_LEVELS = (("critical", "ERROR"), ("warning", "WARN"))


def read(body: bytes, headers: Headers) -> Read:
    """One event: of a health rule, or any other that a policy sends."""
    doc = _known(document(body, headers))
    # templates made for incident tools keep the event in there
    inner = _known(doc.doc("details") if doc.has("details") else doc.doc("latestevent"))

    def first(*names: str) -> str:
        return next((said for name in names if (said := doc.first(name) or inner.first(name))), "")

    kind = (inner.first("eventtypekey", "eventtype") or doc.first("eventtypekey", "eventtype")).lower()
    # what events of health rules are called differs between start and end; other events are called what they are
    names = ("policyname", "policy", "eventname", "displayname")
    names = names if kind.startswith("policy_") else names[::-1]
    name = first("healthrulename", "incidentname", *names, "description")
    told = first("summary", "summarymessage", "eventmessage", "message", "description")
    if not name and not told:
        raise InvalidField("this is no AppDynamics body: it has neither health_rule_name, event_name nor summary")
    asked = doc.first("eventtype", "alerttransition").lower()  # what a template says by itself: trigger, resolve
    firing = not (kind.startswith(_OVER) or asked.startswith(_OVER))
    level = next((word for text, word in _LEVELS if kind.endswith(text)), "") if kind.startswith("policy_") else ""
    node = first("nodename", "affectedentityname", "servername", "hostname", "host", "machinename")
    where = node or first("tiername", "tier", "businesstransactionname") or plain(doc, "node.name", "tier.name")
    application = first("appname", "applicationname", "application") or plain(inner, "application.name")
    incident = first("incidentid", "incidentkey")
    event = first("eventname", "displayname")
    reading = alert_of(
        tool="appdynamics",
        asset=where or application,
        signature=name or told,
        word=first("severity") if firing else level or first("severity"),
        words=_WORDS,
        severity=None if first("severity") or level else Severity.MEDIUM,
        message="\n".join(dict.fromkeys(filter(None, [event, told, first("eventmessage")]))),
        firing=firing,
        key=incident or None,
        tags={k: v for k, v in (
            ("application", application), ("tier", first("tiername")), ("node", node), ("event_type", kind),
            ("policy", first("policy", "policyname")),
        ) if v} | some(doc, "healthruleid", "eventid"),
        urls=[first("eventdeeplink", "deeplink"), first("clienturl"), first("controllerurl")],
        starts=_instant(first("incidentstarttime", "eventtime", "starttime")) if firing else None,
    )  # fmt: skip
    return Read((reading,))


def _known(doc: Doc) -> Doc:
    """The body without variables that AppDynamics left as they are, since this event has none of them."""
    return loose(Doc({k: v for k, v in doc.value.items() if not (isinstance(v, str) and "${" in v)}))


def _instant(said: str) -> str | datetime | None:
    """`Mon Apr 03 02:04:55 UTC 2023`, as Java writes times; other zones than UTC it names ambiguously."""
    with suppress(ValueError):
        return datetime.strptime(said.replace("GMT", "UTC"), "%a %b %d %H:%M:%S UTC %Y").replace(tzinfo=UTC)
    return said if said[:1].isdigit() else None


tool = Tool(
    name="appdynamics",
    title="Splunk AppDynamics",
    read=read,
    setup=Setup(
        steps=(
            "In AppDynamics open Alert & Respond > HTTP Request Templates and choose New; name it siems.",
            "Request URL: method POST, raw URL:  {url}",
            "Payload: MIME type application/json; paste the template below. Response handling: success on 202.",
            "Tick One Request Per Event, save, and add the template as an action to the policies that siems shall get.",
            "In these policies tick the events Health Rule Violation Started, Continues, Upgraded, Downgraded, Ended "
            "and Canceled.",
        ),
        snippet_name="Payload",
        snippet="""{
  "event_type": "${latestEvent.eventType}",
  "event_name": "${latestEvent.displayName}",
  "event_id": "${latestEvent.id}",
  "event_time": "${latestEvent.eventTime}",
  "severity": "${latestEvent.severity}",
  "summary": "${latestEvent.summaryMessage}",
  "policy": "${policy.name}",
  "app_name": "${latestEvent.application.name}",
  "tier_name": "${latestEvent.tier.name}",
  "node_name": "${latestEvent.node.name}",
  "health_rule_id": "${latestEvent.healthRule.id}",
  "health_rule_name": "${latestEvent.healthRule.name}",
  "incident_id": "${latestEvent.incident.id}",
  "incident_name": "${latestEvent.incident.name}",
  "event_deep_link": "${latestEvent.deepLink}",
  "controller_url": "${controllerUrl}"
}
""",
        docs="https://docs.appdynamics.com/appd/24.x/latest/en/appdynamics-essentials/alert-and-respond/actions/"
        "http-request-actions-and-templates",
    ),
)
