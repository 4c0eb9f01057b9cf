"""SentinelOne: threats, STAR alerts and unified alerts, in the shapes of its API, posted by Hyperautomation."""

from __future__ import annotations

from siems.domain.alert import SEVERITY_WORDS, Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of
from siems.sources.shapes import documents, some
from siems.vocabulary import Severity

_WORDS = SEVERITY_WORDS | {
    "malicious": Severity.CRITICAL,
    "suspicious": Severity.HIGH,
    "n/a": Severity.MEDIUM,
}
_OVER = {"resolved", "closed"}
_FALSE = {"false_positive", "false_positive_benign", "benign"}
_PARTS = ("", "data", "threat", "alert")


def read(body: bytes, headers: Headers) -> Read:
    docs = documents(body, headers)
    docs = [inner for doc in docs for inner in (tuple(doc.docs("data")) or (doc,))][:1_000]
    return Read(tuple(map(_reading, docs)), many=len(docs) > 1)


def _reading(doc: Doc) -> Reading:
    # the parts of a threat and of an alert bear other names; what is flat is read as well
    doc = next((d for d in (doc.doc(part) if part else doc for part in _PARTS) if _known(d)), doc)
    if not _known(doc):
        raise InvalidField("this is no SentinelOne threat or alert", hint="post the whole threat or alert object")
    about = doc.doc("threatInfo")
    host = doc.first("agentRealtimeInfo.agentComputerName", "agentDetectionInfo.agentComputerName",
                     "agentDetectionInfo.name", "agentRealtimeInfo.name", "assets.0.name", "asset.name",
                     "agentComputerName", "computerName", "endpointName", "hostname", "host")  # fmt: skip
    name = doc.first("threatInfo.threatName", "ruleInfo.name", "threatName", "alertName", "ruleName", "name", "title")
    status = doc.first("threatInfo.incidentStatus", "alertInfo.incidentStatus", "incidentStatus", "status")
    verdict = doc.first("threatInfo.analystVerdict", "alertInfo.analystVerdict", "analystVerdict")
    done = doc.first(
        "threatInfo.mitigationStatusDescription", "threatInfo.mitigationStatus", "mitigationStatus.0.status"
    )
    kind = doc.first("threatInfo.classification", "classification", "alertInfo.eventType", "category")
    return alert_of(
        tool="sentinelone",
        asset=host or doc.first("agentDetectionInfo.agentIpV4", "agentDetectionInfo.accountName", "siteName"),
        signature=f"{kind}: {name}" if kind and name else name or kind or "threat",
        word=doc.first("threatInfo.confidenceLevel", "ruleInfo.severity", "confidenceLevel", "severity")
        or "n/a",
        words=_WORDS,
        message="\n".join(filter(None, [
            f"{name}{f' on {host}' if host else ''}",
            ", ".join(filter(None, [kind, done, status, verdict])),
            about.first("filePath") or doc.first("sourceProcessInfo.filePath", "description", "filePath"),
            about.first("maliciousProcessArguments") or doc.first("sourceProcessInfo.commandline"),
        ])),
        firing=not ({status.lower()} & _OVER or {verdict.lower()} & _FALSE),
        key=doc.first("threatInfo.threatId", "alertInfo.alertId", "id", "threatId", "alertId") or None,
        tags=some(doc, "threatInfo.sha1", "threatInfo.sha256", "threatInfo.storyline", "threatInfo.engines.0",
                  "agentDetectionInfo.siteId", "agentDetectionInfo.groupName", "agentDetectionInfo.agentIpV4",
                  "agentRealtimeInfo.agentOsName", "threatInfo.processUser",
                  siteName=doc.first("agentDetectionInfo.siteName", "agentRealtimeInfo.siteName", "siteName"),
                  accountName=doc.first("agentDetectionInfo.accountName", "accountName"),
                  status=status, mitigation=done, verdict=verdict),
        urls=[doc.first(path) for path in ("threatUrl", "alertUrl", "url", "link")],
        starts=doc.first("threatInfo.identifiedAt", "threatInfo.createdAt", "alertInfo.createdAt", "detectedAt",
                         "createdAt", "identifiedAt") or None,
    )  # fmt: skip


def _known(doc: Doc) -> bool:
    return bool(doc.first("threatInfo.threatName", "threatInfo.threatId", "alertInfo.alertId", "ruleInfo.name",
                          "threatName", "alertName", "threatId", "alertId", "detectedAt", "analystVerdict",
                          "confidenceLevel", "agentComputerName"))  # fmt: skip


tool = Tool(
    name="sentinelone",
    title="SentinelOne",
    read=read,
    tenant="agentDetectionInfo.siteId",
    setup=Setup(
        steps=(
            "Hyperautomation > New workflow with the trigger  Singularity Response Trigger > Alert:  created, and"
            " status changed.",
            "Add the action  HTTP Request:  POST to {url} with the header Content-Type: application/json and, as body,"
            " the whole alert or threat object that the trigger gives.",
            "Activate the workflow.",
        ),
        docs="https://www.sentinelone.com/platform/singularity-hyperautomation/",
    ),
)
