"""Kinds of AWS's messages that are read in a way of their own: alarms, findings, health events, backup jobs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from siems.domain.alert import SEVERITY_WORDS, Reading
from siems.sources import Read, Remark
from siems.sources.aws_names import account_name, arn_name, console, from_resources, ill, instant_of, only, region_of
from siems.sources.envelope import Notice
from siems.sources.reading import Doc, alert_of, filled
from siems.sources.shapes import some, whole_key
from siems.vocabulary import Severity

LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL

# CloudWatch

_STATES = {"alarm": HIGH, "insufficient_data": LOW, "ok": LOW}
_ASKED = re.compile(r"\bseverity\s{0,3}[:=]\s{0,3}(\w{2,16})", re.IGNORECASE)


def alarm(tool: str, doc: Doc, alarm: Doc) -> Read:
    """An alarm: as SNS sends it, as EventBridge does, and as the action of an alarm calls a function."""
    name = alarm.first("AlarmName", "alarmName")
    arn = alarm.first("AlarmArn") or doc.first("alarmArn", "resources.0")
    region = region_of(arn) or doc.first("region") or alarm.first("Region")
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
    return only(
        alert_of(
            tool=tool, asset=ill(dimensions) or account_name(account, region) or name, signature=name,
            word=state, words=_STATES, severity=wanted, firing=state != "OK", key=whole_key(key),
            message="\n".join(part for part in (about or name, f"{state}: {why}" if why else state) if part),
            starts=None if state == "OK" else alarm.first("StateChangeTime", "state.timestamp") or doc.first("time"),
            tags=dimensions | some(alarm, "OldStateValue", "AlarmRule", "state.actionsSuppressedBy") | some(
                first, metric=first.first("MetricName", "name"), namespace=first.first("Namespace", "namespace")
            ) | some(doc, "replay-name", region=region, account=account),
            urls=console(arn, region, f"cloudwatch/home?region={{}}#alarmsV2:alarm/{quote(name, safe='')}"),
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


# GuardDuty and Security Hub

_INVOLVED = (
    "resource.instanceDetails.instanceId", "resource.s3BucketDetails.0.name", "resource.rdsDbInstanceDetails"
    ".dbInstanceIdentifier", "resource.lambdaDetails.functionName", "resource.eksClusterDetails.name",
    "resource.ecsClusterDetails.name", "resource.containerDetails.name", "resource.accessKeyDetails.userName",
)  # fmt: skip


def guardduty(tool: str, doc: Doc, finding: Doc) -> Read:
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
    return only(
        alert_of(
            tool=tool,
            asset=next(filter(None, named), "") or finding.first(*_INVOLVED) or account_name(account, region),
            signature=kind, word=word, severity=_scale(word),
            message="\n".join(part for part in (title, finding.first("description")) if part),
            firing=finding.first("service.archived") != "true",
            key=finding.first("id") or finding.first("arn"), starts=finding.first("service.eventFirstSeen"),
            tags=some(finding, "resource.resourceType", "resource.instanceDetails.instanceId", "service.count",
                      "service.action.actionType", "resource.accessKeyDetails.userName", region=region,
                      account=account),
            urls=console("", region, f"guardduty/home?region={{}}#/findings?fId={quote(finding.first('id'))}"),
        )
    )  # fmt: skip


def _scale(word: str) -> Severity:
    """GuardDuty counts from 0.1 to 10."""
    try:
        number = float(word)
    except ValueError:
        return SEVERITY_WORDS.get(word.lower(), MEDIUM)
    return CRITICAL if number >= 9 else HIGH if number >= 7 else LOW if number < 4 else MEDIUM


def scan(tool: str, doc: Doc, detail: Doc) -> Read:
    """A malware scan of an object, a recovery point or a volume."""
    found = detail.first("scanResultDetails.scanResultStatus", "scanResultDetails.scanResult") or "UNKNOWN"
    where, what = detail.first("s3ObjectDetails.bucketName"), detail.first("s3ObjectDetails.objectKey")
    asset = where or arn_name(detail.first("resourceArn")) or from_resources(doc) or doc.first("account")
    if found in ("NO_THREATS_FOUND", "CLEAN"):
        return Read(said=f"a scan found no malware in {asset} {what}".rstrip())
    threats = ", ".join(filter(None, (one.first("name") for one in detail.docs("scanResultDetails.threats"))))
    version = detail.first("s3ObjectDetails.versionId", "s3ObjectDetails.eTag")
    bad = found in ("THREATS_FOUND", "INFECTED")
    return only(
        alert_of(
            tool=tool, asset=asset, signature="malware found" if bad else "malware scan incomplete",
            word=found, severity=HIGH if bad else LOW,
            message=f"{found}: {threats or 'no threat named'}, in {asset} {what}".rstrip(),
            key=whole_key(f"{where}/{what}", version) if where and what else None, starts=doc.first("time"),
            tags=some(detail, "scanStatus", "resourceType", "s3ObjectDetails.objectKey", threats=threats)
            | some(doc, "region", "account"),
        )
    )  # fmt: skip


def hub_finding(tool: str, doc: Doc, finding: Doc) -> Reading:
    """A finding of Security Hub, in its own format (ASFF)."""
    over = (
        finding.first("RecordState") == "ARCHIVED"
        or finding.first("Workflow.Status") in ("RESOLVED", "SUPPRESSED")
        or finding.first("Compliance.Status") == "PASSED"
    )
    account, region = finding.first("AwsAccountId") or doc.first("account"), doc.first("region")
    asset = arn_name(finding.first("Resources.0.Id"))
    return alert_of(
        tool=tool, asset=account_name(account, region) if asset.startswith("AWS::::") else asset,
        signature=finding.first("Title"), word=finding.first("Severity.Label"), firing=not over,
        words=SEVERITY_WORDS | {"informational": LOW},
        message="\n".join(filter(None, (finding.first("Title"), finding.first("Description")))),
        key=finding.first("Id") or None, starts=finding.first("FirstObservedAt", "CreatedAt"),
        tags=some(finding, "ProductName", "Types.0", "Compliance.Status", "Resources.0.Type", region=region,
                  account=account),
        urls=[finding.first("Remediation.Recommendation.Url"), finding.first("SourceUrl")],
    )  # fmt: skip


def ocsf_finding(tool: str, doc: Doc, finding: Doc) -> Reading:
    """A finding of Security Hub since 2025, in the Open Cybersecurity Schema."""
    status = finding.first("status").lower()
    over = status in ("resolved", "suppressed", "archived", "closed") or (
        finding.first("compliance.status").lower() in ("pass", "passed")
    )
    account = finding.first("cloud.account.uid") or doc.first("account")
    region = finding.first("cloud.region") or doc.first("region")
    asset = finding.first("resources.0.name") or arn_name(finding.first("resources.0.uid"))
    return alert_of(
        tool=tool, asset=account_name(account, region) if not asset or asset.startswith("AWS::::") else asset,
        signature=finding.first("finding_info.title", "message"), word=finding.first("severity"), firing=not over,
        words=SEVERITY_WORDS | {"informational": LOW, "unknown": MEDIUM, "other": MEDIUM},
        message="\n".join(filter(None, (finding.first("finding_info.title"), finding.first("finding_info.desc")))),
        key=finding.first("finding_info.uid") or None, starts=finding.first("finding_info.created_time_dt", "time_dt"),
        tags=some(finding, "class_name", "status", "metadata.product.name", "resources.0.type", region=region,
                  account=account),
        urls=[finding.first("remediation.references.0"), finding.first("finding_info.src_url")],
    )  # fmt: skip


# Health

_CATEGORIES = {"issue": HIGH, "investigation": HIGH, "scheduledchange": MEDIUM, "accountnotification": LOW}


def health(tool: str, doc: Doc, detail: Doc) -> Read:
    arn, service = detail.first("eventArn"), detail.first("service")
    region = detail.first("eventRegion") or doc.first("region")
    account = detail.first("affectedAccount") or doc.first("account")
    entities = list(filter(None, (one.first("entityValue") for one in detail.docs("affectedEntities"))))
    said = detail.first("eventDescription.0.latestDescription")
    what = f"{detail.first('eventTypeCategory') or 'event'} of {service or 'AWS'} in {region or 'all regions'}"
    return only(
        alert_of(
            tool=tool, asset=arn_name(entities[0]) if len(entities) == 1 else f"{service or 'AWS'} {region}".strip(),
            signature=detail.first("eventTypeCode"), word=detail.first("eventTypeCategory"), words=_CATEGORIES,
            firing=detail.first("statusCode").lower() != "closed", key=arn or None,
            message="\n".join(filter(None, (what, said, "Affected: " + ", ".join(entities[:20]) if entities else ""))),
            starts=instant_of(detail.first("startTime") or doc.first("time")),
            tags=some(detail, "eventScopeCode", "statusCode", "endTime", service=service, region=region,
                      account=account),
            urls=f"https://health.aws.amazon.com/health/home#/account/event-log?eventID={quote(arn)}" if arn else (),
        )
    )  # fmt: skip


# Backup

_JOBS = {"failed": HIGH, "expired": HIGH, "aborted": MEDIUM, "partial": MEDIUM, "completed": LOW}
_PART = re.compile(r"Resource ARN ?: ?(arn:[^\s.]{1,500}(?:\.[^\s.]{1,100}){0,5})")


def backup_notice(tool: str, notice: Notice) -> Read:
    """A job, in words and with its state in the attributes of the message."""
    given = notice.attributes
    resource = _PART.search(notice.text)
    kind = given["EventType"].removesuffix("_JOB").lower()
    return _job(
        tool, kind, given.get("State", ""), resource[1] if resource else "", given.get("Id", ""), notice.text,
        given.get("StartTime", ""), {"account": given.get("AccountId", ""), "topic": arn_name(notice.topic)},
    )  # fmt: skip


def backup_job(tool: str, doc: Doc, detail: Doc) -> Read:
    kind = doc.first("detail-type").partition(" Job")[0].lower()
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
    return only(
        alert_of(
            tool=tool, asset=arn_name(resource) or account_name(tags.get("account", ""), ""),
            signature=f"{kind} job failed", word=state, words=_JOBS, firing=not done,
            key=None if resource else f"{kind} {job}",
            message=f"{kind} job {state.lower()}: {said or resource or job}", starts=None if done else starts,
            tags={name: value for name, value in (tags | {"job": job, "resource": resource}).items() if value},
        )
    )  # fmt: skip
