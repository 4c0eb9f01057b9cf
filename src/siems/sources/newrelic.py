"""New Relic: issues that a workflow sends, and incidents of the older notification channels."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import joined, plain, some
from siems.vocabulary import Severity

_WORDS = {
    "critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MEDIUM, "warning": Severity.MEDIUM,
    "low": Severity.LOW, "info": Severity.LOW,
}  # fmt: skip


def read(body: bytes, headers: Headers) -> Read:
    """One issue, or one incident of the older channels."""
    doc = document(body, headers)
    condition = plain(doc, "alertConditionNames", "condition_name", "conditionName", "accumulations.conditionName")
    title = plain(doc, "title", "details", "annotations.title", "issueTitle", "name", "description")
    state = doc.first("state", "current_state", "issueState", "status", "event_type").lower()
    if not (condition or title) or not (state or doc.has("issueUrl")):
        raise InvalidField("this is no New Relic body: it has no state, or neither a condition nor a title")
    if doc.first("policy_name").startswith("New Relic Alert - Test") or doc.first("targets.0.product") == "TESTING":
        return Read(said="test message of New Relic")
    incident = doc.first("incident_id")
    own = f"{doc.first('account_id')}:{incident}" if incident else None
    key = doc.first("id", "issueId", "issue_id") or own
    if "acknowledged" in state or "acknowledged" in doc.first("trigger").lower():
        who = doc.first("owner", "acknowledgedBy", "acknowledged_by")
        note = f"acknowledged in New Relic{f' by {who}' if who else ''}: {title or condition}"
        return Read(remarks=(Remark(key, note),)) if key else Read(said=note)
    firing = not state.endswith(("closed", "close", "resolved", "deactivated"))
    policy = plain(doc, "alertPolicyNames", "policy_name", "policyName")
    asset = plain(
        doc, "impactedEntities", "entitiesData.names", "entitiesData.entities.0.name", "entities.0.name", "entities",
        "targets.0.name", "entity.name", "entity", "targetName", "hostname", "host", "service",
    ) or policy  # fmt: skip
    several = joined(doc.at("impactedEntities"))
    said = [title, doc.first("details", "violationDescription", "annotations.description.0", "description")]
    if several != asset and several:
        said.append(f"Impacted: {several}")
    reading = alert_of(
        tool="newrelic",
        asset=asset,
        signature=condition or title,
        word=doc.first("priority", "severity", "issuePriority"),
        words=_WORDS,
        message="\n".join(dict.fromkeys(filter(None, said))),
        firing=firing,
        key=key,
        tags=some(
            doc, "workflowName", "trigger", "totalIncidents", "account_name", "account_id", "nrAccountId",
            "condition_id", "targets.0.type", "targets.0.product",
            policy=policy, sources=joined(doc.at("sources")), entities=several,
        ),
        urls=[plain(doc, path) for path in (
            "issueUrl", "incident_url", "issuePageUrl", "violationChartUrl", "violation_chart_url", "runbookUrl",
            "runbook_url", "policy_url",
        )],
        starts=plain(doc, "activatedAt", "createdAt", "startsAt", "timestamp") if firing else None,
    )  # fmt: skip
    return Read((reading,))


tool = Tool(
    name="newrelic",
    title="New Relic",
    read=read,
    setup=Setup(
        steps=(
            "In New Relic open Alerts > Destinations, choose Webhook, name it siems and enter as Endpoint URL:  {url}",
            "Open Alerts > Workflows and choose Add a workflow; filter for the issues that siems shall get.",
            "Under Notify add the channel Webhook with the destination siems, and paste the template below.",
            "In the workflow's notification settings leave Activated, Priority changed and Closed switched on.",
            "Activate the workflow.",
        ),
        snippet_name="Payload template",
        snippet="""{
  "id": {{ json issueId }},
  "issueUrl": {{ json issuePageUrl }},
  "title": {{ json annotations.title.[0] }},
  "description": {{ json annotations.description.[0] }},
  "priority": {{ json priority }},
  "impactedEntities": {{json entitiesData.names}},
  "totalIncidents": {{json totalIncidents}},
  "state": {{ json state }},
  "trigger": {{ json triggerEvent }},
  "isCorrelated": {{ json isCorrelated }},
  "createdAt": {{ createdAt }},
  "updatedAt": {{ updatedAt }},
  "sources": {{ json accumulations.source }},
  "alertPolicyNames": {{ json accumulations.policyName }},
  "alertConditionNames": {{ json accumulations.conditionName }},
  "nrAccountId": {{ json nrAccountId }},
  "workflowName": {{ json workflowName }}
}
""",
        docs="https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook",
    ),
    tenant="nrAccountId",
)
