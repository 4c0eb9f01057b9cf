"""Axiom: the custom webhook notifier of match, threshold and anomaly monitors."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import loose, plain, some, whole_key
from siems.vocabulary import Severity

_HOSTS = ("host", "hostname", "host.name", "host_name", "instance", "server", "node", "pod", "k8s.pod.name",
          "kubernetes.pod_name", "resource.host.name", "resource.service.name", "service.name", "service",
          "source")  # fmt: skip


def read(body: bytes, headers: Headers) -> Read:
    """One notification: a monitor that opened or closed."""
    doc = loose(document(body, headers))
    event = loose(doc.doc("event")) if doc.doc("event").value else doc
    title = event.first("title", "name", "monitorname")
    monitor = event.first("monitorid", "id")
    action = doc.first("action", "status").lower()
    if not title and not monitor:
        raise InvalidField("this is no Axiom body: it has no event with a title or a monitorID")
    if action == "test":
        return Read(said=f"test message of Axiom: {title}")
    # "Triggered: Disk full" and "Resolved: Disk full" are of one monitor
    state, colon, name = title.partition(": ")
    known = bool(colon) and state.lower() in ("triggered", "resolved", "open", "closed", "alert")
    firing = action not in ("closed", "resolved", "close") if action else state.lower() not in ("resolved", "closed")
    matched, group = event.doc("matchedevent"), _group(event)
    told = [title, event.first("description"), event.first("body"), group]
    host = plain(matched, *_HOSTS)
    word = plain(event, "severity", "priority") or plain(matched, "severity", "level")
    reading = alert_of(
        tool="axiom",
        asset=host or plain(event.doc("groupvalues"), *_HOSTS) or group or name or title,
        signature=(name if known else title) or "monitor",
        word=word,
        severity=None if word else Severity.MEDIUM,
        message="\n".join(dict.fromkeys(filter(None, told))),
        firing=firing,
        key=whole_key(monitor, group or host) if monitor else None,  # with a host it is a match, which never closes
        tags=_plain(matched) | some(event, "value", "monitorid", group=group),
        urls=[event.at("url"), event.at("monitorurl")],
        starts=_instant(event.first("timestamp", "queryendtime")) if firing else None,
    )
    return Read((reading,))


def _group(event: Doc) -> str:
    """What a monitor that notifies by group was grouped by."""
    given = event.at("groupvalues") or event.at("groupvalue") or event.at("group")
    values = list(given.values()) if isinstance(given, dict) else given if isinstance(given, list) else [given]
    return ", ".join(text for text in (plain(Doc({"value": value}), "value") for value in values[:16]) if text)


def _plain(matched: Doc) -> dict[str, str]:
    columns = ((str(name), plain(matched, str(name))) for name in list(matched.value)[:64])
    return {name: value for name, value in columns if value and not name.startswith("_")}


def _instant(said: str) -> str | None:
    """`2026-02-15 14:59:03.26 +0000 UTC`, as Go writes times, in a form that others read."""
    parts = said.split(" ")
    return f"{parts[0]}T{parts[1]}{parts[2]}" if len(parts) >= 3 else said or None


tool = Tool(
    name="axiom",
    title="Axiom",
    read=read,
    setup=Setup(
        steps=(
            "In Axiom open Monitors > Manage notifiers and choose New notifier.",
            "Name: siems.  Type: Custom webhook.  Webhook URL:  {url}",
            "Leave the template as it is proposed, and choose Create.",
            "Add the notifier to the monitors that siems shall get.",
            "Only threshold monitors say when they are over; incidents of match monitors are resolved by hand.",
        ),
        docs="https://axiom.co/docs/monitor-data/custom-webhook-notifier",
    ),
)
