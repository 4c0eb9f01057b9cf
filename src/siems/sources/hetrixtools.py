"""HetrixTools, its webhook: uptime, use of a server's resources, or a list of blacklist changes."""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, filled
from siems.sources.shapes import documents, down, site, some
from siems.vocabulary import Severity


def read(body: bytes, headers: Headers) -> Read:
    """One message, or the list of a round of blacklist checks."""
    docs = documents(body, headers)
    states = [doc.first("monitor_status").lower() for doc in docs]
    if len(docs) == 1 and states[0] in ("maintenance", "paused", "unknown"):
        return Read(said=f"{docs[0].first('monitor_name', 'monitor_id')}: {states[0]}")
    return Read(tuple(map(_reading, docs)), many=body.lstrip()[:1] == b"[")


def _reading(doc: Doc) -> Reading:
    if doc.first("monitor_id", "monitor_name") and doc.first("monitor_status"):
        return _uptime(doc)
    if doc.doc("resource_usage").value:
        return _usage(doc)
    if doc.first("monitor") and doc.has("blacklisted_now"):
        return _blacklist(doc)
    raise InvalidField("it tells of neither uptime, resource usage nor blacklists")


def _uptime(doc: Doc) -> Reading:
    name, target, state = (
        doc.first("monitor_name", "monitor_id"),
        doc.first("monitor_target"),
        doc.first("monitor_status"),
    )
    asset, firing = site(target) or name, state.lower() not in ("online", "up")
    errors = [f"{place}: {filled(why, 255)}" for place, why in list(doc.doc("monitor_errors").value.items())[:30]]
    return alert_of(
        tool="hetrixtools",
        asset=asset,
        signature=down(name, asset, doc.first("monitor_type")),
        severity=Severity.HIGH,
        message="\n".join([f"{name} is {state}", *(errors if firing else ())]),
        firing=firing,
        key=doc.first("monitor_id"),
        tags=some(doc, "monitor_name", "monitor_target", "monitor_type", "monitor_category"),
        urls=target,
        starts=doc.first("timestamp") if firing else None,
    )


def _usage(doc: Doc) -> Reading:
    usage, name, monitor = doc.doc("resource_usage"), doc.first("monitor_name", "monitor_id"), doc.first("monitor_id")
    kind = usage.first("resource_type") or "resource"
    average, minutes = usage.first("average_usage"), usage.first("average_minutes")
    return alert_of(
        tool="hetrixtools",
        asset=name,
        signature=f"{kind} usage",
        severity=Severity.MEDIUM,
        message=f"{name}: {kind} usage is {usage.first('current_usage')}%"
        + (f", {average}% on average over {minutes} min" if average and minutes else ""),
        key=f"{monitor}:{kind}" if monitor else None,
        tags=some(doc, "monitor_name", "monitor_category", "resource_usage.resource_type"),
        starts=doc.first("timestamp"),
    )


def _blacklist(doc: Doc) -> Reading:
    lists = [entry.first("rbl") for entry in doc.docs("blacklisted_on")]
    now, before = doc.first("blacklisted_now"), doc.first("blacklisted_before")
    return alert_of(
        tool="hetrixtools",
        asset=doc.first("monitor"),
        signature="on mail blacklists",
        severity=Severity.MEDIUM,
        message=f"{doc.first('monitor')} is on {now} blacklists (before: {before or 0})"
        + (f"\n{', '.join(filter(None, lists))}" if lists else ""),
        firing=now != "0",
        tags=some(doc, "label", "blacklisted_now", "blacklisted_before"),
        urls=[doc.first("links.report_link"), doc.first("links.whitelabel_report_link")],
    )


tool = Tool(
    name="hetrixtools",
    title="HetrixTools",
    read=read,
    setup=Setup(
        steps=(
            "Contacts → Contact Lists → edit the list.",
            "Webhook: tick it and enter the Webhook URL  {url}  (the Authentication Token may stay empty).",
            "Save, and press Test Webhook. Choose the contact list in your monitors.",
        ),
        docs="https://docs.hetrixtools.com/uptime-monitoring-webhook-notifications/",
    ),
)
