"""Datadog: webhooks of monitors, with the template below, with anybody's own, and with the default one."""

from __future__ import annotations

import re

from siems.domain.alert import SEVERITY_WORDS, Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import loose, whole_key
from siems.vocabulary import Severity

_WORDS = {
    "p1": Severity.CRITICAL, "p2": Severity.HIGH, "p3": Severity.MEDIUM, "p4": Severity.LOW, "p5": Severity.LOW,
    "error": Severity.HIGH, "warning": Severity.MEDIUM, "success": Severity.LOW, "info": Severity.LOW,
}  # fmt: skip
_SEVERITIES = {
    "sev-0": Severity.CRITICAL, "sev-1": Severity.CRITICAL, "sev-2": Severity.HIGH, "sev-3": Severity.MEDIUM,
    "sev-4": Severity.LOW, "sev-5": Severity.LOW,
}  # fmt: skip
_CASE_TAGS = (("rule_id", "securityruleid"), ("rule_type", "securityruletype"), ("commander", "incidentcommander"))
_TRANSITION = re.compile(
    r"(?:re-?)?(?:triggered|warn(?:ed|ing)?|no data|alert|renotify)(?: from .{1,20}| recovered)?|recovered",
    re.IGNORECASE,
)
_MONITOR = re.compile(r"https?://[^\s()\[\]]{1,100}?/monitors[/#](\d{1,20})[^\s()\[\]]{0,500}")
_OVER = re.compile(r"\bover \*\*([^*\n]{1,500})\*\*")


def read(body: bytes, headers: Headers) -> Read:
    """One alert of a monitor, or an event that somebody sent to the webhook."""
    doc = loose(document(body, headers))
    title = doc.first("alerttitle", "title", "eventtitle", "monitorname", "alertname")
    if not title:
        raise InvalidField("this is no Datadog body: it has neither title nor alert_title")
    marks, scope, monitor = _parted(title)
    if doc.has("incidentpublicid") or doc.has("securitysignalid") or doc.has("securityrulename"):
        return Read((_case(doc, title),))
    if "test" in marks:
        return Read(said=f"test message of Datadog: {monitor}")
    transition = doc.first("alerttransition", "transition").lower() or next(filter(_is_transition, marks), "")
    kind = doc.first("alerttype").lower()
    firing = "recovered" not in transition if transition else kind != "success"
    scope = doc.first("alertscope", "scope") or scope
    said = doc.first("textonlymsg", "body", "eventmsg", "message", "text").replace("%%%", "").strip()
    lines = [line for line in said.splitlines() if not line.startswith(("[![", "[[Monitor", "- - -", "Notify:", "@"))]
    link = _MONITOR.search(said)
    number = doc.first("alertid", "monitorid") or (link[1] if link else "")
    tags = _tags(scope) | _tags(doc.first("tags"))
    over = _OVER.search(said)
    among = [_tags(scope), _tags(over[1] if over else ""), tags]
    host = doc.first("hostname", "host") or next((t["host"] for t in among if "host" in t), "")
    asset = host or next((v for t in among[:2] for v in t.values()), "") or tags.get("service", "")
    word = next((w for w in (doc.first("alertpriority"), doc.first("priority"), *marks) if w.lower() in _WORDS), kind)
    reading = alert_of(
        tool="datadog",
        asset=asset or doc.first("org.name"),
        signature=monitor,
        word=word,
        words=_WORDS,
        severity=None if word else Severity.MEDIUM if "warn" in transition or "data" in transition else Severity.HIGH,
        message="\n".join([title, *lines]),
        firing=firing,
        key=doc.first("alertcyclekey", "aggregkey", "aggregate", "aggregationkey")
        or (whole_key(number, *sorted(part.strip() for part in scope.split(","))) if number else None),
        tags=tags | _named(doc) | ({"monitor": number} if number else {}),
        urls=[*map(doc.first, ("link", "url", "eventlink", "snapshot")), link[0] if link else ""],
        starts=doc.first("date", "dateposix", "lastupdated", "timestamp") if firing else None,
    )
    return Read((reading,))


def _case(doc: Doc, title: str) -> Reading:
    """An incident of Datadog, or a signal of its security rules."""
    incident = doc.first("incidentpublicid")
    state = doc.first("incidentstatus", "securitysignalstatus").lower()
    tags = _tags(doc.first("tags"))
    hosts = (
        doc.first("hostname", "host"),
        tags.get("host", ""),
        *(doc.first(f) for f in ("service", "securityruleid")),
    )
    return alert_of(
        tool="datadog",
        asset=next(filter(None, hosts), "") or tags.get("service", "") or doc.first("org.name") or "Datadog",
        signature=doc.first("incidenttitle", "securityrulename") or title,
        word=(doc.first("incidentseverity") or doc.first("securitysignalseverity", "severity")),
        words=SEVERITY_WORDS | _SEVERITIES,
        message="\n".join(dict.fromkeys(filter(None, (title, doc.first("incidentmsg", "securitysignalmsg", "body"))))),
        firing=state not in ("resolved", "completed", "archived", "closed"),
        key=f"incident-{incident}" if incident else doc.first("securitysignalid"),
        tags=tags | {name: doc.first(path) for name, path in _CASE_TAGS if doc.first(path)},
        urls=[doc.first(path) for path in ("incidenturl", "link", "url", "eventlink")],
    )


def _named(doc: Doc) -> dict[str, str]:
    names = (("metric", "alertmetric"), ("query", "alertquery"), ("event_type", "eventtype"), ("org", "org.name"))
    return {name: doc.first(path) for name, path in names if doc.first(path)}


def _is_transition(mark: str) -> bool:
    return bool(_TRANSITION.fullmatch(mark))


def _parted(title: str) -> tuple[list[str], str, str]:
    """(marks in lower case, scope, the monitor's name) of `[P2] [Triggered on {host:a}] Name`."""
    marks: list[str] = []
    scope, rest = "", title.removeprefix("[Monitor Alert]").strip()
    while rest.startswith("[") and len(marks) < 8:
        mark, bracket, after = rest[1:].partition("]")
        what, on, where = mark.strip().partition(" on {")
        if not bracket or not (_is_transition(what) or what.lower() in _WORDS or what.lower() == "test"):
            break  # a bracket of the monitor's own name
        marks.append(what.lower())
        scope = where.rstrip("}") if on else scope
        rest = after.strip()
    head, colon, after = rest.partition(":")
    if not marks and colon and _is_transition(head.strip()):
        return [head.strip().lower()], scope, after.strip() or rest
    return marks, scope, rest or title


def _tags(said: str) -> dict[str, str]:
    """`env:prod, host:a` as labels; of a name that comes twice the first."""
    found: dict[str, str] = {}
    for part in said.split(",")[:64]:
        key, colon, value = part.strip().strip("{}").partition(":")
        if key and key != "*":
            found.setdefault(key if colon else "tag", value if colon else key)
    return found


tool = Tool(
    name="datadog",
    title="Datadog",
    read=read,
    setup=Setup(
        steps=(
            "In Datadog open Integrations > Webhooks and choose New.",
            "Name: siems.  URL:  {url}",
            "Replace the payload by the one below, leave Encode as form off, and save.",
            "Put @webhook-siems into the notification message of the monitors that siems shall get.",
            "Set each monitor's priority (P1 to P5); it becomes the severity.",
        ),
        snippet_name="Payload",
        snippet="""{
  "alert_title": "$ALERT_TITLE",
  "alert_cycle_key": "$ALERT_CYCLE_KEY",
  "alert_transition": "$ALERT_TRANSITION",
  "alert_priority": "$ALERT_PRIORITY",
  "alert_type": "$ALERT_TYPE",
  "alert_id": "$ALERT_ID",
  "alert_scope": "$ALERT_SCOPE",
  "alert_metric": "$ALERT_METRIC",
  "hostname": "$HOSTNAME",
  "tags": "$TAGS",
  "text_only_msg": "$TEXT_ONLY_MSG",
  "event_type": "$EVENT_TYPE",
  "link": "$LINK",
  "date": "$DATE",
  "org": {"id": "$ORG_ID", "name": "$ORG_NAME"}
}
""",
        docs="https://docs.datadoghq.com/integrations/webhooks/",
    ),
    tenant="org.id",
)
