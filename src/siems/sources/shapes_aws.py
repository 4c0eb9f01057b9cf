"""What services of AWS tell, whichever way it comes: by SNS, by EventBridge, or by both."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from siems.domain.alert import SEVERITY_WORDS, Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark
from siems.sources.reading import Doc, alert_of, filled, text
from siems.sources.shapes import Notice, some, through_sns, whole_key
from siems.vocabulary import Severity

LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL

REDACT = ("Token", "SubscribeURL", "UnsubscribeURL", "UnsubscribeUrl")
"""Whoever holds these may subscribe and unsubscribe in our name."""


def reader(tool: str) -> Callable[[bytes, Headers], Read]:
    """The `read` of a source of AWS: all of them understand all that AWS sends."""

    def read(body: bytes, headers: Headers) -> Read:
        return through_sns(body, headers, lambda notice: _message(tool, notice))

    return read


def _message(tool: str, notice: Notice) -> Read:
    doc = notice.doc
    if notice.attributes.get("EventType", "").endswith("_JOB"):
        return _backup_notice(tool, notice)
    if doc is None:
        return _text(tool, notice)
    if doc.first("detail-type") == "Scheduled Event" or doc.first("Event") in _TESTS:
        return Read(said="a test or a schedule of AWS, with nothing to alert on")
    detail = doc.doc("detail") if doc.doc("detail").value else doc  # rules may send only the detail
    alarm = doc.doc("alarmData") if doc.doc("alarmData").value else detail
    if alarm.first("AlarmName", "alarmName") and (alarm.has("NewStateValue") or alarm.has("state")):
        return _alarm(tool, doc, alarm)
    if detail.at("scanResultDetails") is not None:
        return _scan(tool, doc, detail)
    if isinstance(detail.at("findings"), list):
        return Read(tuple(_hub_finding(tool, doc, one) for one in detail.docs("findings")), many=True)
    if detail.has("type", "severity") and (detail.has("service") or "GuardDuty" in doc.first("detail-type")):
        return _guardduty(tool, doc, detail)
    if detail.first("eventTypeCode"):
        return _health(tool, doc, detail)
    if doc.first("source") == "aws.backup" or detail.first("backupJobId", "copyJobId", "restoreJobId"):
        return _backup_event(tool, doc, detail)
    if doc.first("detail-type") or doc.has("source", "detail"):
        return _event(tool, doc, detail)
    if doc.first("Event Message", "Event ID"):
        return _event_notice(tool, notice, doc)
    if notice.through_sns:
        return _own(tool, notice, doc)
    raise InvalidField("this is neither a message of SNS nor an event of EventBridge")


_TESTS = frozenset(["autoscaling:TEST_NOTIFICATION", "s3:TestEvent"])


# CloudWatch

_STATES = {"alarm": HIGH, "insufficient_data": LOW, "ok": LOW}
_ASKED = re.compile(r"\bseverity\s{0,3}[:=]\s{0,3}(\w{2,16})", re.IGNORECASE)
# A dimension that names what is ill, the most telling first; a load balancer before its target groups.
_DIMENSIONS = (
    "host", "Host", "hostname", "HostName", "ComputerName", "InstanceName", "InstanceId", "DBInstanceIdentifier",
    "DBClusterIdentifier", "FunctionName", "ServiceName", "ClusterName", "LoadBalancer", "LoadBalancerName",
    "TargetGroup", "BucketName", "QueueName", "TopicName", "TableName", "CacheClusterId", "ClusterIdentifier",
    "AutoScalingGroupName", "DomainName", "ApiName", "VolumeId", "FileSystemId", "NatGatewayId", "VpnId",
    "StateMachineArn", "ReplicationInstanceIdentifier", "DistributionId", "HealthCheckId",
)  # fmt: skip


def _alarm(tool: str, doc: Doc, alarm: Doc) -> Read:
    """An alarm: as SNS sends it, as EventBridge does, and as the action of an alarm calls a function."""
    name = alarm.first("AlarmName", "alarmName")
    arn = alarm.first("AlarmArn") or doc.first("alarmArn", "resources.0")
    region = _region(arn) or doc.first("region") or alarm.first("Region")
    account = alarm.first("AWSAccountId") or doc.first("account", "accountId")
    key = arn or ":".join((account, region, name))
    part_of = alarm.first("alarmContributor.id", "AlarmContributorId")
    key = f"{key}/{part_of}" if part_of else key
    if doc.first("detail-type") == "CloudWatch Alarm Configuration Change":
        done = doc.first("detail.operation") or "update"
        return Read(
            remarks=(Remark(whole_key(key) or name, f"the alarm {name} itself was changed in CloudWatch: {done}"),)
        )
    state = alarm.first("NewStateValue", "state.value").upper()
    about = alarm.first("AlarmDescription", "configuration.description")
    why = alarm.first("NewStateReason", "state.reason")
    metrics = list(_metrics(alarm))
    dimensions = {key: value for metric in metrics for key, value in _dimensions(metric).items()}
    dimensions |= _plain(alarm.at("alarmContributor.attributes")) | _plain(alarm.at("AlarmContributorAttributes"))
    first = next((metric for metric in metrics if metric.first("MetricName", "name")), Doc({}))
    asked = _ASKED.search(about)
    wanted = SEVERITY_WORDS.get(asked[1].lower()) if asked and state == "ALARM" else None
    return _one(
        alert_of(
            tool=tool, asset=_ill(dimensions) or _account(account, region) or name, signature=name,
            word=state, words=_STATES, severity=wanted, firing=state != "OK", key=whole_key(key),
            message="\n".join(part for part in (about or name, f"{state}: {why}" if why else state) if part),
            starts=None if state == "OK" else alarm.first("StateChangeTime", "state.timestamp") or doc.first("time"),
            tags=dimensions | some(alarm, "OldStateValue", "AlarmRule", "state.actionsSuppressedBy") | some(
                first, metric=first.first("MetricName", "name"), namespace=first.first("Namespace", "namespace")
            ) | some(doc, "replay-name", region=region, account=account),
            urls=_console(arn, region, f"cloudwatch/home?region={{}}#alarmsV2:alarm/{quote(name, safe='')}"),
        )
    )  # fmt: skip


def _metrics(alarm: Doc) -> list[Doc]:
    """The metrics of an alarm, whichever shape it has; expressions over metrics have none of their own."""
    if alarm.has("Trigger.MetricName"):
        return [alarm.doc("Trigger")]
    return [
        *(metric.doc("MetricStat.Metric") for metric in alarm.docs("Trigger.Metrics")),
        *(metric.doc("metricStat.metric") for metric in alarm.docs("configuration.metrics")),
    ]


def _dimensions(metric: Doc) -> dict[str, str]:
    for path in ("Dimensions", "dimensions"):
        if isinstance(metric.at(path), list):
            return _plain({one.first("name", "Name"): one.first("value", "Value") for one in metric.docs(path)})
    return _plain(metric.at("dimensions"))


def _plain(value: Any) -> dict[str, str]:
    given = value.items() if isinstance(value, dict) else ()
    return {str(name): filled(said) for name, said in given if name and filled(said)}


def _ill(dimensions: Mapping[str, str]) -> str:
    """What the dimensions say is ill; "" when they tell of nothing in particular."""
    for name in _DIMENSIONS:
        if dimensions.get(name):
            said = dimensions[name]
            balanced = name in ("LoadBalancer", "TargetGroup") and said.count("/") > 1
            return said.split("/")[-2] if balanced else arn_name(said)  # app/web/50dc6c495c0c9188
    return next((arn_name(said) for said in dimensions.values() if said), "")


# GuardDuty and Security Hub

_INVOLVED = (
    "resource.instanceDetails.instanceId", "resource.s3BucketDetails.0.name", "resource.rdsDbInstanceDetails"
    ".dbInstanceIdentifier", "resource.lambdaDetails.functionName", "resource.eksClusterDetails.name",
    "resource.ecsClusterDetails.name", "resource.containerDetails.name", "resource.accessKeyDetails.userName",
)  # fmt: skip


def _guardduty(tool: str, doc: Doc, finding: Doc) -> Read:
    title, kind = finding.first("title"), finding.first("type")
    more = finding.doc("service.additionalInfo")
    if (
        title.startswith("[SAMPLE]")
        or more.first("sample") == "true"
        or '"sample":true' in more.first("value").replace(" ", "")
    ):
        return Read(said=f"sample finding of GuardDuty: {title or kind}")
    account = finding.first("accountId") or doc.first("account")
    region = finding.first("region") or doc.first("region")
    named = [tag.first("value") for tag in finding.docs("resource.instanceDetails.tags") if tag.first("key") == "Name"]
    word = finding.first("severity")
    return _one(
        alert_of(
            tool=tool, asset=next(filter(None, named), "") or finding.first(*_INVOLVED) or _account(account, region),
            signature=kind, word=word, severity=_scale(word),
            message="\n".join(part for part in (title, finding.first("description")) if part),
            firing=finding.first("service.archived") != "true",
            key=finding.first("id") or finding.first("arn"), starts=finding.first("service.eventFirstSeen"),
            tags=some(finding, "resource.resourceType", "resource.instanceDetails.instanceId", "service.count",
                      "service.action.actionType", "resource.accessKeyDetails.userName", region=region,
                      account=account),
            urls=_console("", region, f"guardduty/home?region={{}}#/findings?fId={quote(finding.first('id'))}"),
        )
    )  # fmt: skip


def _scale(word: str) -> Severity:
    """GuardDuty counts from 0.1 to 10."""
    try:
        number = float(word)
    except ValueError:
        return SEVERITY_WORDS.get(word.lower(), MEDIUM)
    return CRITICAL if number >= 9 else HIGH if number >= 7 else LOW if number < 4 else MEDIUM


def _scan(tool: str, doc: Doc, detail: Doc) -> Read:
    """A malware scan of an object, a recovery point or a volume."""
    found = detail.first("scanResultDetails.scanResultStatus", "scanResultDetails.scanResult") or "UNKNOWN"
    where, what = detail.first("s3ObjectDetails.bucketName"), detail.first("s3ObjectDetails.objectKey")
    asset = where or arn_name(detail.first("resourceArn")) or _from_resources(doc) or doc.first("account")
    if found in ("NO_THREATS_FOUND", "CLEAN"):
        return Read(said=f"a scan found no malware in {asset} {what}".rstrip())
    threats = ", ".join(filter(None, (one.first("name") for one in detail.docs("scanResultDetails.threats"))))
    version = detail.first("s3ObjectDetails.versionId", "s3ObjectDetails.eTag")
    bad = found in ("THREATS_FOUND", "INFECTED")
    return _one(
        alert_of(
            tool=tool, asset=asset, signature="malware found" if bad else "malware scan incomplete",
            word=found, severity=HIGH if bad else LOW,
            message=f"{found}: {threats or 'no threat named'}, in {asset} {what}".rstrip(),
            key=whole_key(f"{where}/{what}", version) if where and what else None, starts=doc.first("time"),
            tags=some(detail, "scanStatus", "resourceType", "s3ObjectDetails.objectKey", threats=threats)
            | some(doc, "region", "account"),
        )
    )  # fmt: skip


def _hub_finding(tool: str, doc: Doc, finding: Doc) -> Reading:
    """A finding of Security Hub, in its own format (ASFF)."""
    over = (
        finding.first("RecordState") == "ARCHIVED"
        or finding.first("Workflow.Status") in ("RESOLVED", "SUPPRESSED")
        or finding.first("Compliance.Status") == "PASSED"
    )
    account, region = finding.first("AwsAccountId") or doc.first("account"), doc.first("region")
    asset = arn_name(finding.first("Resources.0.Id"))
    return alert_of(
        tool=tool, asset=_account(account, region) if asset.startswith("AWS::::") else asset,
        signature=finding.first("Title"), word=finding.first("Severity.Label"), firing=not over,
        words=SEVERITY_WORDS | {"informational": LOW},
        message="\n".join(filter(None, (finding.first("Title"), finding.first("Description")))),
        key=finding.first("Id") or None, starts=finding.first("FirstObservedAt", "CreatedAt"),
        tags=some(finding, "ProductName", "Types.0", "Compliance.Status", "Resources.0.Type", region=region,
                  account=account),
        urls=[finding.first("Remediation.Recommendation.Url"), finding.first("SourceUrl")],
    )  # fmt: skip


# Health

_CATEGORIES = {"issue": HIGH, "investigation": HIGH, "scheduledchange": MEDIUM, "accountnotification": LOW}


def _health(tool: str, doc: Doc, detail: Doc) -> Read:
    arn, service = detail.first("eventArn"), detail.first("service")
    region = detail.first("eventRegion") or doc.first("region")
    account = detail.first("affectedAccount") or doc.first("account")
    entities = list(filter(None, (one.first("entityValue") for one in detail.docs("affectedEntities"))))
    said = detail.first("eventDescription.0.latestDescription")
    what = f"{detail.first('eventTypeCategory') or 'event'} of {service or 'AWS'} in {region or 'all regions'}"
    return _one(
        alert_of(
            tool=tool, asset=arn_name(entities[0]) if len(entities) == 1 else f"{service or 'AWS'} {region}".strip(),
            signature=detail.first("eventTypeCode"), word=detail.first("eventTypeCategory"), words=_CATEGORIES,
            firing=detail.first("statusCode").lower() != "closed", key=arn or None,
            message="\n".join(filter(None, (what, said, "Affected: " + ", ".join(entities[:20]) if entities else ""))),
            starts=_instant(detail.first("startTime") or doc.first("time")),
            tags=some(detail, "eventScopeCode", "statusCode", "endTime", service=service, region=region,
                      account=account),
            urls=f"https://health.aws.amazon.com/health/home#/account/event-log?eventID={quote(arn)}" if arn else (),
        )
    )  # fmt: skip


# Backup

_JOBS = {"failed": HIGH, "expired": HIGH, "aborted": MEDIUM, "partial": MEDIUM, "completed": LOW}
_PART = re.compile(r"Resource ARN ?: ?(arn:[^\s.]{1,500}(?:\.[^\s.]{1,100}){0,5})")


def _backup_notice(tool: str, notice: Notice) -> Read:
    """A job, in words and with its state in the attributes of the message."""
    given = notice.attributes
    resource = _PART.search(notice.text)
    kind = given["EventType"].removesuffix("_JOB").lower()
    return _job(
        tool, kind, given.get("State", ""), resource[1] if resource else "", given.get("Id", ""), notice.text,
        given.get("StartTime", ""), {"account": given.get("AccountId", ""), "topic": arn_name(notice.topic)},
    )  # fmt: skip


def _backup_event(tool: str, doc: Doc, detail: Doc) -> Read:
    kind = doc.first("detail-type").partition(" Job")[0].lower()
    if not detail.first("backupJobId", "copyJobId", "restoreJobId"):
        return _event(tool, doc, detail)  # a vault, a plan, a recovery point
    kind = kind if kind in ("backup", "copy", "restore") else next(
        name for name in ("backup", "copy", "restore") if detail.first(f"{name}JobId")
    )  # fmt: skip
    about = detail.first("statusMessage", "messageCategory")
    tags = some(doc, "region", "account") | some(detail, "resourceType", "backupVaultName", "messageCategory")
    return _job(
        tool, kind, detail.first("state", "status"), detail.first("resourceArn", "createdResourceArn"),
        detail.first(f"{kind}JobId"), about, detail.first("creationDate") or doc.first("time"), tags,
    )  # fmt: skip


def _job(
    tool: str, kind: str, state: str, resource: str, job: str, said: str, starts: str, tags: dict[str, str]
) -> Read:
    """The next job that succeeds ends the alert of one that failed, since it is about the resource and not the job."""
    if state.lower() in ("created", "pending", "running", "aborting"):
        return Read(said=f"a {kind} job is {state.lower()}")
    done = state.lower() == "completed"
    if done and not resource:
        return Read(said=f"a {kind} job has completed, of what AWS does not say")
    return _one(
        alert_of(
            tool=tool, asset=arn_name(resource) or _account(tags.get("account", ""), ""),
            signature=f"{kind} job failed", word=state, words=_JOBS, firing=not done,
            key=None if resource else f"{kind} {job}",
            message=f"{kind} job {state.lower()}: {said or resource or job}", starts=None if done else starts,
            tags={name: value for name, value in (tags | {"job": job, "resource": resource}).items() if value},
        )
    )  # fmt: skip


# Everything else on EventBridge

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
    "resourcesAffected.s3Bucket.name", "recoveryPointArn", "backupVaultName", "source",
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
    return _one(
        alert_of(
            tool=tool, asset=arn_name(detail.first(*_SUBJECT)).removeprefix("service:") or _from_resources(doc)
            or _account(account, region), signature=head, word=word or condition, words=_WORDS,
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


def _event_notice(tool: str, notice: Notice, doc: Doc) -> Read:
    """An event of RDS, DMS or Redshift, with names in plain English."""
    number = doc.first("Event ID", "EventId").strip().rpartition("#")[2]
    said = doc.first("Event Message")
    return _one(
        alert_of(
            tool=tool, asset=arn_name(doc.first("SourceId", "Source ID", "SourceARN", "Source ARN"))
            or _topic(notice), signature=f"{doc.first('Event Source')} {number}".strip() or said,
            word=doc.first("Severity"), severity=None if doc.first("Severity") else MEDIUM,
            message="\n".join(filter(None, (notice.subject, said))), starts=doc.first("Event Time") or notice.at,
            tags=some(doc, "Event Source", "Event Categories", topic=arn_name(notice.topic)),
            urls=[doc.first("Identifier Link"), doc.first("Event ID").strip()],
        )
    )  # fmt: skip


_OVER = {"ok", "okay", "resolved", "recovered", "closed", "up", "cleared", "normal", "healthy", "fixed", "success"}


def _own(tool: str, notice: Notice, doc: Doc) -> Read:
    """An object that somebody's own program published: what common names in it say."""
    state = doc.first("status", "state", "alert_status", "alertStatus", "StatusCode")
    title = doc.first("title", "alert", "alertname", "alarm", "check", "signature", "event", "Event", "subject", "name",
                      "notificationType", "eventType", "monitorName", "content.title", "type")  # fmt: skip
    title = title or notice.subject
    word = doc.first("severity", "level", "priority", "alert_level")
    said = doc.first("message", "description", "summary", "text", "body", "reason", "Description", "Cause", "details",
                     "content.description")  # fmt: skip
    return _one(
        alert_of(
            tool=tool, asset=arn_name(doc.first(
                "host", "hostname", "asset", "asset_name", "instance", "server", "device", "EC2InstanceId", "resource",
                "AutoScalingGroupName", "resourceId", "service", "source", "accountId",
            )) or _topic(notice), signature=title or f"message on {_topic(notice)}",
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
    return _one(
        alert_of(
            tool=tool, asset=_topic(notice), signature=notice.subject or f"message on {_topic(notice)}",
            severity=MEDIUM, message=f"{notice.subject}\n{notice.text}" if notice.subject != first else notice.text,
            key=notice.id or None, starts=notice.at, tags={**notice.attributes, "topic": arn_name(notice.topic)},
        )
    )  # fmt: skip


# What all of them need


def arn_name(arn: str) -> str:
    """The name of a resource by its ARN: `arn:aws:rds:eu-west-1:1234:db:shop` → `shop`; anything else as it is."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return arn
    resource = parts[5].removesuffix(":*")
    if parts[2] in ("elasticloadbalancing", "cloudformation") and resource.count("/") > 1:  # the last is but a number
        return resource.split("/")[-2]
    if "/" in resource and not resource.startswith("log-group:"):
        return resource.rstrip("/").rpartition("/")[2]
    return resource.partition(":")[2] or resource


def _region(arn: str) -> str:
    parts = arn.split(":", 4)
    return parts[3] if len(parts) == 5 else ""


def _account(account: str, region: str) -> str:
    return f"AWS account {account}" if account else f"AWS {region}".strip()


def _topic(notice: Notice) -> str:
    return arn_name(notice.topic) or "SNS"


def _from_resources(doc: Doc) -> str:
    return arn_name(doc.first("resources.0"))


def _console(arn: str, region: str, path: str) -> tuple[str, ...]:
    """A page of the console, for regions named as in an ARN; China and GovCloud have consoles of their own."""
    if not re.fullmatch(r"[a-z]{2}(-[a-z]{2,12}){1,3}-\d", region):
        return ()
    host = "console.aws.amazon.com"
    if region.startswith("cn-"):
        host = "console.amazonaws.cn"
    elif region.startswith("us-gov-"):
        host = "console.amazonaws-us-gov.com"
    return (f"https://{region}.{host}/{path.format(region)}",)


def _instant(said: str) -> Any:
    """Health writes times as mail does: `Wed, 02 Apr 2031 01:00:00 GMT`."""
    if "," not in said:
        return said
    try:
        return parsedate_to_datetime(said).isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _one(reading: Reading) -> Read:
    return Read((reading,))
