"""CrowdStrike Falcon: detections and incidents, posted by a Fusion SOAR workflow or as the event stream has them."""

from __future__ import annotations

from siems.domain.alert import SEVERITY_WORDS
from siems.domain.signature import Scheme
from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import fields, some
from siems.vocabulary import Severity

_OVER = {"closed", "resolved", "resolve", "false_positive", "ignored"}
_SEEN = {"acknowledge", "acknowledged"}
_BANDS = ((80, Severity.CRITICAL), (60, Severity.HIGH), (40, Severity.MEDIUM), (0, Severity.LOW))
"""The scale of Falcon's numbers up to 100."""


def read(body: bytes, headers: Headers) -> Read:
    doc = fields(document(body, headers))
    host = doc.first("hostname", "computername", "host", "sensorhostname", "endpointhostname", "sourceendpointhostname",
                     "deviceshostname", "localip")  # fmt: skip
    kind = doc.first("eventtype", "triggername", "trigger")
    name = doc.first("detectname", "displayname", "title", "incidentname", "rulename", "detectionname", "scenario",
                     "name", "technique", "objective", "workflowname")  # fmt: skip
    number = doc.first("compositeid", "detectionid", "detectid", "incidentid", "alertid", "id")
    if not (host or name or number):
        raise InvalidField("this names neither a host nor a detection", hint="use the body of the setup steps")
    if "audit" in kind.lower() or kind == "NewEndpointDetectedEvent":
        return Read(said=f"CrowdStrike event: {kind}")
    status = doc.first("status", "eventstatus", "statename") or (kind if kind in _OVER | _SEEN else "")
    if status.lower() in _SEEN and number:
        return Read(remarks=(Remark(number, f"{name or 'detection'} acknowledged in CrowdStrike"),))
    word = doc.first("severityname", "severity", "maxseverityname", "urgency", "severitydisplayname", "maxseverity")
    return Read((alert_of(
        tool="crowdstrike",
        asset=host or doc.first("username", "user", "cloudinstance", "sensorid", "aid"),
        signature=name or kind or "detection",
        word=word,
        words=SEVERITY_WORDS,
        severity=_severity(word, doc),
        message="\n".join(filter(None, [
            f"{name or kind}{f' on {host}' if host else ''}", doc.first("description", "detectdescription"),
            doc.first("commandline", "cmdline"), doc.first("comment"),
        ])),
        firing=status.lower().replace(" ", "_") not in _OVER,
        key=number or None,
        tags=some(doc, "tactic", "technique", "filename", "filepath", "username", "localip", "sha256string", "sha256",
                  "status", "assignedto", "customerid", "cid", "platform", "workflowname"),
        urls=[doc.first(path) for path in ("falconhostlink", "link", "url", "referenceurl", "detectionurl")],
        starts=doc.first("timestamp", "createdtimestamp", "processstarttime", "eventcreationtime", "starttime") or None,
    ),))  # fmt: skip


def _severity(word: str, doc: Doc) -> Severity | None:
    """Of a number: up to 5 in the event stream's summaries, up to 100 everywhere else."""
    if not word.isascii() or not word.isdigit():
        return None
    number = int(word[:4])
    if number <= 5 and doc.first("detectname"):
        number *= 20
    return next(severity for least, severity in _BANDS if number >= least)


tool = Tool(
    name="crowdstrike",
    title="CrowdStrike Falcon",
    read=read,
    tenant="cid",
    signing=Scheme(
        header="X-Cs-Primary-Signature",
        base64=True,
        time_header="X-Cs-Delivery-Timestamp",
        joint="",
        time_last=True,
    ),
    setup=Setup(
        steps=(
            "CrowdStrike Store > All apps > Webhook > Configure: add a configuration named siems with the URL {url}"
            " and the HMAC secret key {secret}; leave the signature header name as it is.",
            "Fusion SOAR > Workflows > Create workflow with the trigger  Alert > EPP Detection  (or Incident),"
            " action  Call webhook: siems;  under Data to include choose custom JSON and paste the text below and put"
            " the variables of the list in place of the names in < >.",
            "Add a second workflow with the trigger  Audit event > Alert > Status changed,  the condition"
            " Status is closed, and the same action.",
        ),
        snippet_name="Custom JSON",
        snippet="""{
  "id": "<Detection ID>",
  "title": "<Detection name>",
  "status": "<Status>",
  "severity": "<Severity>",
  "hostname": "<Hostname>",
  "description": "<Description>",
  "tactic": "<Tactic>",
  "technique": "<Technique>",
  "filename": "<File name>",
  "cid": "<CID>",
  "link": "<Detection URL>",
  "timestamp": "<Observed time>"
}
""",
        docs="https://marketplace.crowdstrike.com/listings/webhook",
    ),
)
