"""Comet Backup: a job has ended. A webhook of Comet Server posts the events of its live stream.

https://docs.cometbackup.com/latest/api/api-data-structures tells of StreamableEvent, BackupJobDetail and WebhookOption;
the numbers are its constants SEVT_, JOB_STATUS_ and JOB_CLASSIFICATION_.
"""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import some, whole_key
from siems.vocabulary import Severity

_HELLO, _BEGUN, _ENDED = "4000", "4200", "4201"
_KINDS = {
    "4001": "backup", "4002": "restore", "4003": "retention pass", "4004": "unlock", "4005": "snapshot deletion",
    "4006": "remeasure", "4007": "update", "4008": "import", "4009": "reindex", "4010": "deep verify",
    "4011": "uninstall",
}  # fmt: skip
_FAILURES = {
    "7000": (Severity.HIGH, "timed out"),
    "7001": (Severity.MEDIUM, "ended with warnings"),
    "7002": (Severity.HIGH, "failed"),
    "7003": (Severity.HIGH, "went over its quota"),
    "7004": (Severity.MEDIUM, "missed its schedule"),
    "7005": (Severity.LOW, "was cancelled"),
    "7006": (Severity.LOW, "was skipped, since one was running"),
    "7007": (Severity.HIGH, "was abandoned"),
}


def read(body: bytes, headers: Headers) -> Read:
    doc = document(body, headers)
    event, data = doc.first("Type"), doc.doc("Data")
    if not event:
        raise InvalidField("this is no event of Comet: it has no Type")
    if event == _HELLO:
        return Read(said="test message of Comet: the webhook is registered, or the server has started")
    if event != _ENDED:
        return Read(said=f"{doc.first('TypeString') or f'event {event}'}: {doc.first('Actor') or 'Comet'}")
    if not data.value:
        raise InvalidField("the event has no Data; choose Full as the webhook's level")
    status = data.first("Status")
    if not status.startswith(("5", "7")):
        return Read(said=f"a job of {data.first('Username')} is in state {status}")
    return Read((_job(doc, data, status),))


def _job(doc: Doc, job: Doc, status: str) -> Reading:
    kind = _KINDS.get(job.first("Classification"), "job")
    user, over = job.first("Username") or doc.first("Actor"), status.startswith("5")
    severity, said = _FAILURES.get(status, (Severity.HIGH, f"ended with status {status}"))
    return alert_of(
        tool="comet-backup",
        asset=user,
        signature=f"{kind} job",
        severity=severity,
        message=f"{kind} job of {user} {'has succeeded' if over else said}",
        firing=not over,
        # each protected item of a device is backed up by jobs of its own, into vaults of its own
        key=whole_key(user, *(job.first(name) for name in ("DeviceID", "SourceGUID", "DestinationGUID")), kind),
        tags=some(job, "GUID", "DeviceID", "SourceGUID", "DestinationGUID", "ClientVersion", "Tags", status=status,
                  owner=doc.first("OwnerOrganizationID")),
        starts=job.first("StartTime") if not over else None,
    )  # fmt: skip


tool = Tool(
    name="comet-backup",
    title="Comet Backup",
    read=read,
    tenant="OwnerOrganizationID",
    setup=Setup(
        steps=(
            "Comet Server: Settings > Webhooks: Add a webhook.",
            "URL:  {url}  Level: Full. Events: Job completed. A custom header  X-API-Key: {key}  may take the key out"
            " of the URL.",
            "Save. Comet says hello at once, which siems takes for a test message.",
        ),
        docs="https://docs.cometbackup.com/latest/api/api-data-structures",
    ),
)
