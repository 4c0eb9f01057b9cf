"""Dynatrace: problem notifications with its placeholders, vulnerabilities, and problems that a workflow sends."""

from __future__ import annotations

from contextlib import suppress

from siems.errors import InvalidField, UsageError
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, parse
from siems.sources.shapes import loose, plain, some
from siems.vocabulary import Severity

_WORDS = {
    "availability": Severity.CRITICAL, "monitoring_unavailable": Severity.HIGH, "error": Severity.HIGH,
    "performance": Severity.MEDIUM, "slowdown": Severity.MEDIUM, "resource": Severity.MEDIUM,
    "resource_contention": Severity.MEDIUM, "custom": Severity.LOW, "custom_alert": Severity.LOW,
    "info": Severity.LOW, "critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MEDIUM,
    "low": Severity.LOW,
}  # fmt: skip
_OVER = ("RESOLVED", "CLOSED", "MERGED")
_TEST = "Dynatrace problem notification test run"


def read(body: bytes, headers: Headers) -> Read:
    """One problem: opened, or over (also by being merged into another that stays open)."""
    doc = document(body, headers)
    if doc.has("specversion") and doc.doc("data").value:  # a CloudEvent around it
        doc = doc.doc("data")
    doc = loose(doc)
    title = doc.first("problemtitle", "title", "eventname", "name")
    key = doc.first("pid", "securityproblemid", "eventid", "problemid", "displayid")
    if not title or not (key or doc.has("state")):
        raise InvalidField("this is no Dynatrace body: it has no ProblemTitle, or neither PID nor State")
    if title.startswith(_TEST):
        return Read(said="test message of Dynatrace")
    details = _details(doc)
    state = doc.first("state", "eventstatus", "status", "problemstatus").upper()
    involved = [*doc.docs("impactedentities"), *doc.docs("affectedentities")]
    entities = [name for name in (plain(entity, "name", "entity", "entityId.id") for entity in involved) if name]
    impacted = plain(doc, "namesofimpactedentities", "impactedentity", "affectedentities")
    asset = next(
        filter(None, [
            *entities[:1],
            plain(details, "rankedEvents.0.entityName", "rankedImpacts.0.entityName", "impactedEntities.0.name",
                  "affectedEntities.0.name"),
            plain(doc, "affectedentitynames", "affectedentityids", "dtentityhost", "hostname", "host"),
            impacted,
        ]),
        "",
    )  # fmt: skip
    severity = doc.first("problemseverity", "severity", "severitylevel", "eventcategory") or details.first(
        "severityLevel"
    )
    text = doc.first("problemdetailstext", "problemdetailsmarkdown", "description", "eventdescription")
    said = [f"{title}: {impacted or ', '.join(entities)}".rstrip(": "), text]
    reading = alert_of(
        tool="dynatrace",
        asset=asset,
        signature=title,
        word=severity,
        words=_WORDS,
        message="\n".join(dict.fromkeys(filter(None, said))),
        firing=state not in _OVER,
        key=key or None,
        tags=some(
            doc,
            "problemid",
            "displayid",
            "problemimpact",
            "tags",
            "cvssscore",
            entities=", ".join(entities),
            event=details.first("rankedEvents.0.eventType"),
        ),
        urls=[doc.first("problemurl"), doc.first("securityproblemurl"), doc.first("url")],
        starts=details.at("startTime") or doc.first("eventstart", "firstseen", "starttime") or None,
    )
    return Read((reading,))


def _details(doc: Doc) -> Doc:
    """The problem's details, an object or JSON in a string, in either version."""
    for path in ("problemdetailsjsonv2", "problemdetailsjson", "problemdetails"):
        value = doc.at(path)
        if isinstance(value, str) and value.lstrip().startswith("{"):
            with suppress(UsageError):
                value = parse(value.encode("utf-8", "replace"))
        if isinstance(value, dict):
            return Doc(value)
    return Doc({})


tool = Tool(
    name="dynatrace",
    title="Dynatrace",
    read=read,
    setup=Setup(
        steps=(
            "In Dynatrace open Settings > Integration > Problem notifications and choose Add notification.",
            "Notification type: Custom integration.  Webhook URL:  {url}",
            "Switch on Call webhook if problem is closed, and paste the payload below as Custom payload.",
            "Choose the alerting profile of the problems that siems shall get, send a test notification, and save.",
        ),
        snippet_name="Custom payload",
        snippet="""{
  "State": "{State}",
  "PID": "{PID}",
  "ProblemID": "{ProblemID}",
  "ProblemTitle": "{ProblemTitle}",
  "ProblemImpact": "{ProblemImpact}",
  "ProblemSeverity": "{ProblemSeverity}",
  "ProblemURL": "{ProblemURL}",
  "ImpactedEntity": "{ImpactedEntity}",
  "ImpactedEntities": {ImpactedEntities},
  "ProblemDetailsJSON": {ProblemDetailsJSON},
  "Tags": "{Tags}"
}
""",
        docs="https://docs.dynatrace.com/docs/analyze-explore-automate/notifications-and-alerting/"
        "problem-notifications/webhook-integration",
    ),
)
