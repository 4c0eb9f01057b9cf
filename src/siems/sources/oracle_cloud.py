"""Oracle Cloud Infrastructure: alarms of Monitoring and events of its services, by way of Notifications."""

from __future__ import annotations

import re

from siems.domain.alert import SEVERITY_WORDS, Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, header
from siems.sources.shapes import some, whole_key
from siems.vocabulary import Severity

# The host is followed by "/", so no user, port or longer name can pretend to be it.
_CONFIRMATION = re.compile(
    r"https://(?:[a-z0-9-]{1,40}\.)?notification\.[a-z0-9-]{1,40}\.(?:oci\.)?"
    r"(?:oraclecloud\.(?:com|eu)|oraclegovcloud\.(?:com|uk))/[\x21-\x7e]{0,400}/confirmation\?[\x21-\x7e]{1,2000}",
    re.ASCII,
)
_NAMES = (
    "resourceDisplayName", "resourceName", "hostname", "hostName", "host", "instanceName", "dbName",
    "containerName", "bucketName", "vmName", "resourceId", "instanceId",
)  # fmt: skip
_WORDS = SEVERITY_WORDS | {"minor": Severity.LOW}


def read(body: bytes, headers: Headers) -> Read:
    """An alarm, an event, or the question whether this endpoint is meant."""
    asked = header(headers, "X-OCI-NS-ConfirmationURL")
    if asked or header(headers, "X-OCI-NS-MessageType") == "SubscriptionConfirmation":
        return _confirmation(asked)
    doc = document(body, headers)
    if doc.first("ConfirmationURL", "confirmationURL"):
        return _confirmation(doc.first("ConfirmationURL", "confirmationURL"))
    if doc.has("alarmMetaData") or (doc.has("severity", "type") and doc.first("dedupeKey", "dedupekey")):
        return _alarm(doc)
    if doc.first("eventType").startswith("com.oraclecloud"):
        return Read((_event(doc),))
    raise InvalidField("this is neither an alarm nor an event of Oracle Cloud")


def _confirmation(url: str) -> Read:
    if not _CONFIRMATION.fullmatch(url):
        return Read(said="Oracle Cloud asks for a subscription to be confirmed, but not at an address of Notifications")
    return Read(said="Oracle Cloud asks for the subscription to be confirmed", confirm=url)


def _alarm(doc: Doc) -> Read:
    """One alarm; a grouped one may stand for several resources, but begins and ends as one."""
    alarm = doc.doc("alarmMetaData.0")
    streams = [one for alarms in doc.docs("alarmMetaData") for one in alarms.docs("dimensions")]
    names = list(dict.fromkeys(filter(None, (one.first(*_NAMES) for one in streams))))
    key = whole_key(doc.first("dedupeKey", "dedupekey") or alarm.first("id"))
    kind, title = doc.first("type").upper(), doc.first("title") or "alarm"
    if kind == "RESET" and key:  # the metric has ceased to come, which is neither good nor bad
        return Read(remarks=(Remark(key, f"{title}: the alarm was reset, its metric is no longer sent"),))
    over = kind == "FIRING_TO_OK" or (not kind and alarm.first("status").upper() == "OK")
    said = alarm.first("alarmSummary") or doc.first("alarmSummary")
    query = alarm.first("query")
    labels = {str(name): streams[0].first(str(name)) for name in streams[0].value} if len(streams) == 1 else {}
    return Read(
        (
            alert_of(
                tool="oracle-cloud", asset=names[0] if len(names) == 1 else alarm.first("namespace") or title,
                signature=title, word=doc.first("severity") or alarm.first("severity"), words=_WORDS, firing=not over,
                message="\n".join(filter(None, (title, doc.first("body"), said, query,
                                                "On: " + ", ".join(names[:20]) if len(names) > 1 else ""))),
                key=key,
                starts=doc.first("timestampEpochMillis", "timestamp") if kind == "OK_TO_FIRING" else None,
                tags={name: value for name, value in labels.items() if value} | some(alarm, "namespace", query=query),
                urls=[alarm.first("alarmUrl")],
            ),
        )
    )  # fmt: skip


def _event(doc: Doc) -> Reading:
    """An event of a service. Of Cloud Guard's problems the end is told as well."""
    kind, data = doc.first("eventType"), doc.doc("data")
    problem = ".cloudguard." in kind.lower()
    word = data.first("additionalDetails.riskLevel") if problem else ""
    what = kind.removeprefix("com.oraclecloud.")
    said = data.doc("additionalDetails").first("problemDescription", "message", "reason")
    return alert_of(
        tool="oracle-cloud",
        asset=data.first("additionalDetails.resourceName" if problem else "resourceName", "resourceName", "resourceId")
        or doc.first("source"),
        signature=(data.first("resourceName") if problem else "") or what, word=word, words=_WORDS,
        severity=None if word else Severity.MEDIUM, message=f"{what}\n{said}",
        firing=not (problem and kind.lower().endswith(("dismissed", "remediated", "resolved"))),
        key=(data.first("resourceId") or None) if problem else None, starts=doc.first("eventTime"),
        tags=some(data, "compartmentName", "resourceId", "availabilityDomain", "additionalDetails.shape",
                  event=kind, source=doc.first("source")),
    )  # fmt: skip


tool = Tool(
    name="oracle-cloud",
    title="Oracle Cloud Infrastructure",
    read=read,
    setup=Setup(
        steps=(
            "In the Oracle Cloud console open Developer Services, Application Integration, Notifications, and choose "
            "Create Topic.",
            "In the topic choose Create Subscription. Protocol: HTTPS (Custom URL).  URL: {url}",
            "siems confirms the subscription; its state turns from Pending to Active.",
            "In each alarm (Observability & Management, Monitoring, Alarm Definitions) choose the topic as destination "
            "and Split notifications per metric stream, so that each resource is an alert of its own.",
        ),
        docs="https://docs.oracle.com/iaas/Content/Notification/Tasks/create-subscription-https.htm",
    ),
)
