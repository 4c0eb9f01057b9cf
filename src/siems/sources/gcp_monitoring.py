"""Google Cloud Monitoring: incidents of alerting policies, by webhook or Pub/Sub push, and Error Reporting."""

from __future__ import annotations

import binascii
from base64 import b64decode

from siems.domain.alert import SEVERITY_WORDS, Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, an_object, document, parse
from siems.sources.shapes import some, whole_key
from siems.vocabulary import Severity

_WORDS = SEVERITY_WORDS | {"no severity": Severity.MEDIUM}
# Labels of a monitored resource that name it, the most telling first; an id only when there is no name.
_NAMED = (
    "instance_name", "node_name", "pod_name", "container_name", "function_name", "service_name", "database_id",
    "cluster_name", "bucket_name", "queue_id", "topic_id", "subscription_id", "job_name", "job_id", "url_map_name",
    "forwarding_rule_name", "load_balancer_name", "router_id", "gateway_name", "check_id", "module_id", "instance_id",
)  # fmt: skip
_SELF_MADE = ("Log match condition", "Condition", "")
"""Names that the console gives to conditions of every kind, so that they tell nothing."""


def read(body: bytes, headers: Headers) -> Read:
    """An incident that was opened, acknowledged or closed."""
    doc = document(body, headers)
    packed = doc.first("message.data")
    if packed and doc.has("subscription"):
        doc = _unpacked(packed)
    if doc.first("version") == "test":
        return Read(said=f"test message of Google Cloud Monitoring: {doc.first('incident.summary')}")
    incident = doc.doc("incident")
    if not incident.value and doc.has("group_info", "exception_info"):
        return Read((_error(doc),))
    if doc.first("finding.category"):
        return Read((_finding(doc.doc("finding"), doc.doc("resource")),))
    if not incident.first("incident_id", "condition_name", "policy_name", "summary"):
        raise InvalidField("this is no notification of Google Cloud Monitoring: it has no incident")
    key, state = whole_key(incident.first("incident_id")), incident.first("state").lower()
    if state == "acknowledged" and key:
        return Read(remarks=(Remark(key, f"acknowledged in Google Cloud: {incident.first('summary')}"),))
    return Read((_incident(incident, key, firing=state != "closed"),))


def _unpacked(packed: str) -> Doc:
    try:
        return Doc(an_object(parse(b64decode(packed, validate=True))))
    except (binascii.Error, ValueError) as why:
        raise InvalidField("message.data of Pub/Sub is not Base64") from why


def _incident(incident: Doc, key: str | None, firing: bool) -> Reading:
    condition = incident.first("condition_name", "condition.displayName")
    policy = incident.first("policy_name")
    starts = incident.first("started_at")
    labels, own = _plain(incident.doc("resource.labels")), _plain(incident.doc("policy_user_labels"))
    word = incident.first("severity") or own.get("severity") or own.get("priority")
    more = incident.first("documentation.content") or (
        "" if isinstance(incident.at("documentation"), dict) else incident.first("documentation")
    )
    return alert_of(
        tool="gcp-monitoring", asset=_asset(incident, labels),
        signature=policy if condition in _SELF_MADE else condition,
        word=word, words=_WORDS, severity=None if word else Severity.MEDIUM,
        message="\n".join(filter(None, (incident.first("summary", "documentation.subject") or condition, more))),
        firing=firing, key=key, starts=None if starts == "0" else starts,
        tags=labels | own | some(
            incident, "policy_name", "resource_type_display_name", "observed_value", "threshold_value",
            project=incident.first("scoping_project_id"), resource_type=incident.first("resource.type"),
            metric=incident.first("metric.displayName", "metric.type"),
        ),
        urls=[incident.first("url"), *(link.first("url") for link in incident.docs("documentation.links"))],
    )  # fmt: skip


def _asset(incident: Doc, labels: dict[str, str]) -> str:
    name = labels.get("host") or incident.first(
        "metadata.system_labels.name", "resource_display_name", "metric.labels.instance_name"
    )
    if name:
        return name
    name = next((labels[label] for label in _NAMED if labels.get(label)), "")
    if name:
        return name.rpartition(":")[2]  # the instance of a database comes after its project
    name = incident.first("resource_name").partition(" labels {")[0] or incident.first("resource_id")
    return name.rpartition("/")[2] or incident.first("scoping_project_id")


def _plain(doc: Doc) -> dict[str, str]:
    return {str(name): doc.first(str(name)) for name in doc.value if doc.first(str(name))}


def _error(doc: Doc) -> Reading:
    """A new kind of error, or one that came back."""
    event, group = doc.doc("event_info"), doc.doc("group_info")
    project, said = group.first("project_id"), doc.first("exception_info.message", "event_info.log_message")
    return alert_of(
        tool="gcp-monitoring", asset=event.first("service") or project,
        signature=doc.first("exception_info.type") or "error", severity=Severity.MEDIUM,
        message="\n".join(filter(None, (doc.first("subject"), said))),
        key=group.first("detail_link") or None,
        tags=some(event, "version", "request_method", "request_url", "response_status", project=project),
        urls=[group.first("detail_link")],
    )  # fmt: skip


def _finding(finding: Doc, resource: Doc) -> Reading:
    """A finding of Security Command Center, by Pub/Sub."""
    name = resource.first("displayName", "display_name") or finding.first("resourceName").rpartition("/")[2]
    return alert_of(
        tool="gcp-monitoring", asset=name or finding.first("parentDisplayName"), signature=finding.first("category"),
        word=finding.first("severity"), words=SEVERITY_WORDS | {"severity_unspecified": Severity.MEDIUM},
        message="\n".join(filter(None, (finding.first("category"), finding.first("description")))),
        firing=finding.first("state").upper() != "INACTIVE" and finding.first("mute").upper() != "MUTED",
        key=whole_key(finding.first("canonicalName", "name")), starts=finding.first("eventTime"),
        tags=some(finding, "findingClass", "resourceName", project=resource.first("projectDisplayName")),
        urls=[finding.first("externalUri")],
    )  # fmt: skip


tool = Tool(
    name="gcp-monitoring",
    title="Google Cloud Monitoring",
    read=read,
    setup=Setup(
        steps=(
            "In the Google Cloud console open Monitoring, Alerting, Edit notification channels.",
            "Under Webhooks choose Add new. Endpoint URL: {url}  Leave Use HTTP Basic Auth off.",
            "Choose Test Connection, then Save.",
            "In each alerting policy, under Notifications and name, choose the channel, turn on Notify on incident "
            "closure, and set a Policy severity level: without one an incident comes as MEDIUM.",
        ),
        docs="https://cloud.google.com/monitoring/support/notification-options#webhooks",
    ),
    tenant="incident.scoping_project_id",
)
