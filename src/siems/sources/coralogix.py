"""Coralogix: generic outbound webhooks, whose details are a list of keys and values."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, filled
from siems.sources.shapes import loose, some
from siems.vocabulary import Severity

_WORDS = {
    "p1": Severity.CRITICAL, "p2": Severity.HIGH, "p3": Severity.MEDIUM, "p4": Severity.LOW, "p5": Severity.LOW,
    "critical": Severity.CRITICAL, "error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW,
    "low": Severity.LOW,
}  # fmt: skip
_HOSTS = ("host", "hostname", "host.name", "instance", "node", "pod", "computer", "server", "service", "container")


def read(body: bytes, headers: Headers) -> Read:
    """One alert, triggered or resolved."""
    doc = loose(document(body, headers))
    fields = _fields(doc)
    title = _said(doc.first("name", "alertname", "title"))
    if not title:
        raise InvalidField("this is no Coralogix body: it has no name of an alert")
    action = (doc.first("alertaction", "action", "status") or fields.first("alertaction")).lower()
    if action in ("test", "testing"):
        return Read(said=f"test message of Coralogix: {title}")
    key = fields.first("dedupkey") or doc.first("dedupkey", "alertuniqueidentifier", "alertid")
    key = key or fields.first("alertuniqueidentifier")
    if action in ("acknowledge", "acknowledged") and key:
        return Read(remarks=(Remark(key, f"acknowledged in Coralogix: {title}"),))
    groups = {
        fields.first(f"groupbyfield{n}"): fields.first(f"groupbyvalue{n}")
        for n in ("", *"123") if fields.first(f"groupbyvalue{n}")
    }  # fmt: skip
    asset = (
        next((value for name, value in groups.items() if name.lower().endswith(_HOSTS)), "")
        or fields.first("computer") or next(iter(groups.values()), "") or fields.first("ipaddress")
        or _said(doc.first("service")) or fields.first("subsystem", "application", "team")
    )  # fmt: skip
    resolved = action.startswith("resolve") or action in ("closed", "close", "ok")
    description, text = doc.first("description", "alertdescription"), fields.first("text", "log")
    reading = alert_of(
        tool="coralogix",
        asset=asset,
        signature=title,
        word=fields.first("priority", "opsgeniepriority")
        or doc.first("priority", "alert_severity")
        or fields.first("severity"),
        words=_WORDS,
        message="\n".join(dict.fromkeys(filter(None, [title, description, text]))),
        firing=not resolved,
        key=key or None,
        tags=groups
        | some(
            fields,
            "team",
            "application",
            "subsystem",
            "severity",
            "hitcount",
            "companyid",
            "category",
            "metalabels",
            "ipaddress",
            threshold=doc.first("threshold"),
        ),
        urls=[doc.at("alerturl"), doc.at("logurl")],
        starts=(fields.first("timestampiso", "timestampms") or None) if not resolved else None,
    )
    return Read((reading,))


def _said(text: str) -> str:
    """The text, unless it stands for something that Coralogix did not know."""
    return "" if text.startswith(("*insert", "Multiple ", "$")) else text


def _fields(doc: Doc) -> Doc:
    """The details by name; an object of them is taken as well."""
    given = doc.at("fields")
    if isinstance(given, dict):
        pairs = [*given.items()]
    else:
        pairs = [(item.first("key"), item.at("value")) for item in doc.docs("fields")]
    found: dict[str, str] = {}
    for name, value in pairs[:256]:
        told = _said(filled(value))
        if name and told:
            found.setdefault(str(name), told)
    return loose(Doc(found))


tool = Tool(
    name="coralogix",
    title="Coralogix",
    read=read,
    setup=Setup(
        steps=(
            "In Coralogix open Integrations > Outbound Webhooks > Generic Webhook and choose Add new.",
            "Name: siems.  Method: POST.  URL:  {url}",
            "Leave the message body as it is proposed (name, alert_action and the list fields), test it, and save.",
            "In each alert definition choose siems under Notifications and switch on Notify when resolved.",
        ),
        docs="https://coralogix.com/docs/user-guides/alerting/outbound-webhooks/"
        "generic-outbound-webhooks-alert-webhooks/",
    ),
)
