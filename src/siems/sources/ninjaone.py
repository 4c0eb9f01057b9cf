"""NinjaOne: activities of devices; conditions are triggered, acknowledged and reset."""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of
from siems.sources.shapes import documents, some
from siems.vocabulary import Severity

_WORDS = {
    "critical": Severity.CRITICAL,
    "major": Severity.HIGH,
    "moderate": Severity.MEDIUM,
    "minor": Severity.LOW,
    "none": Severity.LOW,
}
_OVER = {"reset", "resolved", "cleared"}
_STATES = _OVER | {"triggered", "acknowledged", "raised", "opened", "active"}
_CALM = ("requested", "started", "completed", "in_process", "submitted", "cancelled", "created", "updated", "deleted",
         "logged_in", "logged_out", "installed", "registered", "approved", "connected", "established",
         "terminated", "enabled", "disabled", "modified", "added", "test")  # fmt: skip
"""Ends of status codes of activities that tell of something done."""


def read(body: bytes, headers: Headers) -> Read:
    docs = documents(body, headers)
    calm = [doc for doc in docs if _is_calm(doc)]
    acks = tuple(_remark(doc) for doc in docs if _state(doc) == "acknowledged")
    alerts = tuple(_reading(doc) for doc in docs if doc not in calm and _state(doc) != "acknowledged")
    said = f"NinjaOne activity without a problem: {_name(calm[0])}" if calm and not alerts and not acks else ""
    return Read(alerts, many=len(docs) > 1, remarks=acks, said=said)


def _state(doc: Doc) -> str:
    """The state of a condition, of whichever field holds it."""
    words = (doc.first(path).lower() for path in ("status", "statusCode", "alertStatus", "eventType"))
    return next((word for word in words if word in _STATES), "")


def _name(doc: Doc) -> str:
    return " ".join(filter(None, [doc.first("activityType", "type"), doc.first("statusCode", "status")]))


def _is_calm(doc: Doc) -> bool:
    """Whether an activity is only news: a job begun or done, a user who logged in."""
    kind, code = doc.first("activityType").upper(), doc.first("statusCode", "status").lower().replace(" ", "_")
    bad = doc.first("severity").lower() in ("critical", "major", "moderate")
    failed = doc.first("activityResult").upper() in ("FAILURE", "UNCOMPLETED")
    return kind != "CONDITION" and not _state(doc) and not bad and not failed and code.endswith(_CALM)


def _remark(doc: Doc) -> Remark:
    who = doc.first("user.name", "userName", "userId")
    return Remark(_key(doc) or "", f"acknowledged in NinjaOne{f' by {who}' if who else ''}: {doc.first('message')}")


def _key(doc: Doc) -> str | None:
    """The series is the same for triggering and reset; what has none is told by device and condition."""
    device = doc.first("deviceId", "device.id")
    return doc.first("seriesUid") or (f"{device}/{_condition(doc)}" if device and _condition(doc) else None)


def _condition(doc: Doc) -> str:
    code = doc.first("statusCode")
    name = doc.first("sourceName", "data.message.params.condition_name", "subject")
    return name or (code if code.lower() not in _STATES else "") or doc.first("sourceConfigUid", "type", "activityType")


def _reading(doc: Doc) -> Reading:
    if not doc.first("activityType", "statusCode", "seriesUid", "deviceId"):
        raise InvalidField("this is no NinjaOne activity: it has no activityType and no deviceId")
    number = doc.first("deviceId", "device.id")
    organization = doc.first("organization.name", "device.organization.name", "device.references.organization.name")
    return alert_of(
        tool="ninjaone",
        asset=doc.first("device.systemName", "device.dnsName", "device.displayName", "deviceName", "systemName")
        or (f"device {number}" if number else organization or "NinjaOne"),
        signature=_condition(doc),
        word=doc.first("severity"),
        words=_WORDS,
        severity=Severity.LOW if doc.at("severity") == "NONE" else None,
        message="\n".join(filter(None, [doc.first("message", "subject") or _name(doc), doc.first("activityResult")])),
        firing=_state(doc) not in _OVER,
        key=_key(doc),
        tags=some(doc, "organizationId", "deviceId", "activityType", "statusCode", "priority", "sourceName",
                  display_name=doc.first("device.displayName"), organization=organization,
                  location=doc.first("location.name", "device.location.name", "device.locationId")),
        starts=doc.first("activityTime", "createTime") or None,
    )  # fmt: skip


tool = Tool(
    name="ninjaone",
    title="NinjaOne",
    read=read,
    tenant="organizationId",
    setup=Setup(
        steps=(
            "Administration > Apps > API: add an app that may  monitoring  and  management,  and sign in with it at"
            " your instance's API page (https://app.ninjarmm.com/apidocs/).",
            "Send the body below with  PUT /v2/webhook.  siems then gets the activities of every organization;"
            " map organizationId to companies, or use one key per client.",
            "Instead, for some conditions only: Administration > General > Notification channels > Add > Webhook with"
            " the URL {url}, then choose that channel in the conditions of a policy.",
        ),
        snippet_name="PUT /v2/webhook",
        snippet="""{
  "url": "{url}",
  "activities": {"CONDITION": ["TRIGGERED", "ACKNOWLEDGED", "RESET"]},
  "expand": ["device", "organization"],
  "headers": []
}
""",
        docs="https://app.ninjarmm.com/apidocs/?links.active=webhooks",
    ),
)
