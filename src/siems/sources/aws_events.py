"""What services of AWS tell, whichever way it comes: by SNS, by EventBridge, or by both."""

from __future__ import annotations

from collections.abc import Callable

from siems.domain.alert import SEVERITY_WORDS, Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, aws_kinds
from siems.sources.aws_names import account_name, arn_name, from_resources, only, topic_name
from siems.sources.envelope import Notice, through_sns
from siems.sources.reading import Doc, alert_of, text
from siems.sources.shapes import some, whole_key
from siems.vocabulary import Severity

LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH

REDACT = ("Token", "SubscribeURL", "UnsubscribeURL", "UnsubscribeUrl")
"""Whoever holds these may subscribe and unsubscribe in our name."""
_TESTS = frozenset(["autoscaling:TEST_NOTIFICATION", "s3:TestEvent"])


def reader(tool: str) -> Callable[[bytes, Headers], Read]:
    """The `read` of a source of AWS: all of them understand all that AWS sends."""

    def read(body: bytes, headers: Headers) -> Read:
        return through_sns(body, headers, lambda notice: _message(tool, notice))

    return read


def _message(tool: str, notice: Notice) -> Read:
    doc = notice.doc
    if notice.attributes.get("EventType", "").endswith("_JOB"):
        return aws_kinds.backup_notice(tool, notice)
    if doc is None:
        return _text(tool, notice)
    if doc.first("detail-type") == "Scheduled Event" or doc.first("Event") in _TESTS:
        return Read(said="a test or a schedule of AWS, with nothing to alert on")
    detail = doc.doc("detail") if doc.doc("detail").value else doc  # rules may send only the detail
    alarm = doc.doc("alarmData") if doc.doc("alarmData").value else detail
    if alarm.first("AlarmName", "alarmName") and (alarm.has("NewStateValue") or alarm.has("state")):
        return aws_kinds.alarm(tool, doc, alarm)
    if detail.at("scanResultDetails") is not None:
        return aws_kinds.scan(tool, doc, detail)
    if isinstance(detail.at("findings"), list):
        return Read(tuple(_finding(tool, doc, one) for one in detail.docs("findings")), many=True)
    if detail.has("type", "severity") and (detail.has("service") or "GuardDuty" in doc.first("detail-type")):
        return aws_kinds.guardduty(tool, doc, detail)
    if detail.first("eventTypeCode"):
        return aws_kinds.health(tool, doc, detail)
    if detail.first("backupJobId", "copyJobId", "restoreJobId"):
        return aws_kinds.backup_job(tool, doc, detail)
    if doc.first("detail-type") or doc.has("source", "detail") or doc.first("source") == "aws.backup":
        return _event(tool, doc, detail)
    if doc.first("Event Message", "Event ID"):
        return _event_notice(tool, notice, doc)
    if notice.through_sns:
        return _own(tool, notice, doc)
    raise InvalidField("this is neither a message of SNS nor an event of EventBridge")


def _finding(tool: str, doc: Doc, one: Doc) -> Reading:
    read = aws_kinds.ocsf_finding if one.has("finding_info") else aws_kinds.hub_finding
    return read(tool, doc, one)


# Events of EventBridge that are of no kind of their own

_GOOD = {
    "ok", "succeeded", "success", "successful", "completed", "complete", "available", "resolved", "closed", "healthy",
    "passed", "compliant", "ready", "normal", "issued",
}  # fmt: skip
# Neither a problem nor the end of one.
_UNDERWAY = {
    "created", "creating", "pending", "starting", "started", "start", "in_progress", "inprogress", "queued",
    "submitted", "runnable", "scheduled", "provisioning", "activating", "deploying", "resumed", "initializing",
    "running", "delayed", "processing", "updating", "info",
}  # fmt: skip
_BAD = {
    "failed": HIGH, "failure": HIGH, "failing": HIGH, "error": HIGH, "timeout": HIGH, "timed_out": HIGH,
    "timedout": HIGH, "faulted": HIGH, "unhealthy": HIGH,
}  # fmt: skip
_CONDITION = (
    "state", "status", "lastStatus", "build-status", "result", "newEvaluationResult.complianceType", "statusCode",
    "eventType", "job-status", "newState", "state.value", "status-details.status", "current-phase",
)  # fmt: skip
_SUBJECT = (
    "instance-id", "instance_id", "instanceId", "EC2InstanceId", "SourceIdentifier", "dbInstanceIdentifier", "jobName",
    "pipeline", "project-name", "functionName", "resource_id", "resourceId", "affectedResource", "AutoScalingGroupName",
    "bucket.name", "bucketName", "requestParameters.bucketName", "clusterName", "group", "hostname", "host",
    "commonName", "CommonName", "stateMachineArn", "taskArn", "resources.0.id", "resourceArn", "volume-id",
    "resourcesAffected.s3Bucket.name", "recoveryPointArn", "backupVaultName", "resource",
    "source",
)  # fmt: skip
_OF = ("eventName", "check-name", "configRuleName", "event", "title", "EventID", "document-name", "insightType")
_WORDS = SEVERITY_WORDS | {"untriaged": MEDIUM}
# Events of RDS carry no state but categories.
_QUIET = frozenset(["notification", "creation", "backup", "configuration change", "restoration", "maintenance"])


def _plainly(state: str) -> str:
    """The last word of states like `REPLICATION_TASK_FAILED` and `UPDATE_COMPLETE`; a rollback is a failure."""
    if state.endswith("_in_progress"):
        return "in_progress"
    word = state.rpartition("_")[2]
    if "rollback" in state:
        return "failed"
    return word if word in ("complete", "failed", "started", "stopped") else state


def _event(tool: str, doc: Doc, detail: Doc) -> Read:
    """An event of any service: whether it is a problem is told by the state in it."""
    kind = doc.first("detail-type") or doc.first("source")
    condition = detail.first(*(path for path in _CONDITION if not isinstance(detail.at(path), (dict, list))))
    state = _plainly(condition.lower().replace(" ", "_"))
    ec2 = kind.startswith("EC2 Instance State-change")
    closed = kind.endswith((" Closed", " Successful")) and not condition
    if state in _UNDERWAY and not (ec2 and state == "running"):
        return Read(said=f"{kind}: {condition}")
    categories = {text(one, 64).lower() for one in detail.value.get("EventCategories") or [] if isinstance(one, str)} \
        if isinstance(detail.at("EventCategories"), list) else set()  # fmt: skip
    severity = _BAD.get(state)
    if categories:
        severity = LOW if categories <= _QUIET else HIGH if categories & {"failure", "low storage"} else MEDIUM
    elif kind.endswith(("Unsuccessful", "Failed")):
        severity = HIGH
    elif kind.endswith("via CloudTrail"):
        severity = LOW
    word = detail.first("severity.description", "insightSeverity") if isinstance(detail.at("severity"), dict) \
        else detail.first("severity", "insightSeverity")  # fmt: skip
    known = word.lower() in _WORDS
    account, region = doc.first("account"), doc.first("region")
    of = detail.first(*_OF)
    told = detail.first(
        "message", "Message", "description", "statusMessage", "stoppedReason", "reason", "cause", "Cause",
        "StatusMessage", "detailMessage", "additional-information", "insightDescription", "errorMessage", "annotation",
    )  # fmt: skip
    head = f"{kind}: {of}" if of else kind
    return only(
        alert_of(
            tool=tool, asset=arn_name(detail.first(*_SUBJECT)).removeprefix("service:") or from_resources(doc)
            or account_name(account, region), signature=head, word=word or condition, words=_WORDS,
            severity=None if known else severity or MEDIUM,
            firing=not (state in _GOOD or closed or (ec2 and state == "running")),
            key=whole_key(detail.first("findingArn", "insightId", "id" if kind.endswith("Finding") else "")),
            message="\n".join(filter(None, (f"{head}: {condition}" if condition else head, told))),
            starts=doc.first("time"),
            tags={str(name): text(value, 255) for name, value in detail.value.items()
                  if isinstance(value, (str, int, float)) and not isinstance(value, bool) and len(str(value)) < 256}
            | some(doc, "source", "replay-name", region=region, account=account),
            urls=[detail.first("insightUrl"), detail.first("logs.deep-link", "additional-information.logs.deep-link")],
        )
    )  # fmt: skip


# Everything else on SNS

_OVER = {"ok", "okay", "resolved", "recovered", "closed", "up", "cleared", "normal", "healthy", "fixed", "success"}


def _event_notice(tool: str, notice: Notice, doc: Doc) -> Read:
    """An event of RDS, DMS or Redshift, with names in plain English."""
    number = doc.first("Event ID", "EventId").strip().rpartition("#")[2]
    said = doc.first("Event Message")
    return only(
        alert_of(
            tool=tool, asset=arn_name(doc.first("SourceId", "Source ID", "SourceARN", "Source ARN"))
            or topic_name(notice), signature=f"{doc.first('Event Source')} {number}".strip() or said,
            word=doc.first("Severity"), severity=None if doc.first("Severity") else MEDIUM,
            message="\n".join(filter(None, (notice.subject, said))), starts=doc.first("Event Time") or notice.at,
            tags=some(doc, "Event Source", "Event Categories", topic=arn_name(notice.topic)),
            urls=[doc.first("Identifier Link"), doc.first("Event ID").strip()],
        )
    )  # fmt: skip


def _own(tool: str, notice: Notice, doc: Doc) -> Read:
    """An object that somebody's own program published: what common names in it say."""
    state = doc.first("status", "state", "alert_status", "alertStatus", "StatusCode")
    title = doc.first("title", "alert", "alertname", "alarm", "check", "signature", "event", "Event", "subject", "name",
                      "notificationType", "eventType", "monitorName", "content.title", "type")  # fmt: skip
    title = title or notice.subject
    word = doc.first("severity", "level", "priority", "alert_level")
    said = doc.first("message", "description", "summary", "text", "body", "reason", "Description", "Cause", "details",
                     "content.description")  # fmt: skip
    return only(
        alert_of(
            tool=tool, asset=arn_name(doc.first(
                "host", "hostname", "asset", "asset_name", "instance", "server", "device", "EC2InstanceId", "resource",
                "AutoScalingGroupName", "resourceId", "service", "source", "accountId",
            )) or topic_name(notice), signature=title or f"message on {topic_name(notice)}",
            word=word, severity=None if word else HIGH if title.endswith("_ERROR") else MEDIUM,
            firing=state.lower() not in _OVER,
            key=doc.first("dedup_key", "alert_id", "alertId", "incident_id", "id", "anomalyId")
            or (None if title else notice.id),
            message="\n".join(filter(None, (notice.subject or title, said or notice.text))), starts=notice.at,
            tags={**notice.attributes, **some(doc, "environment", "region", topic=arn_name(notice.topic))},
            urls=[doc.first("url", "link", "anomalyDetailsLink")],
        )
    )  # fmt: skip


def _text(tool: str, notice: Notice) -> Read:
    """Plain text. Two messages with one subject may be about two things: each is an alert of its own."""
    first = notice.text.strip().partition("\n")[0]
    return only(
        alert_of(
            tool=tool, asset=topic_name(notice), signature=notice.subject or f"message on {topic_name(notice)}",
            severity=MEDIUM, message=f"{notice.subject}\n{notice.text}" if notice.subject != first else notice.text,
            key=notice.id or None, starts=notice.at, tags={**notice.attributes, "topic": arn_name(notice.topic)},
        )
    )  # fmt: skip
