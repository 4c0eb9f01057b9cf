"""OpenObserve: alerts that a destination sends with a template of its variables."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from siems.errors import InvalidField, UsageError
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, parse, without_port
from siems.sources.shapes import plain, some, whole_key
from siems.vocabulary import Severity

_HOSTS = ("host", "hostname", "host_name", "host.name", "instance", "node", "server", "pod", "kubernetes_pod_name",
          "k8s_pod_name", "kubernetes_host", "service", "service_name", "source")  # fmt: skip

_TEXT = re.compile(
    r"(?:for stream (?P<stream>\S{1,200}) .{0,100})?\balert (?P<alert>\S.{0,200}?)(?: of type \w{1,40})? is active",
    re.IGNORECASE,
)


def read(body: bytes, headers: Headers) -> Read:
    """One alert; there is no message when it is over."""
    doc = document(body, headers)
    alert, told_text = doc.first("alert_name", "name", "alert"), _TEXT.search(doc.first("text", "message"))
    if not alert and told_text:  # the template of its documentation, for chats
        alert = told_text["alert"]
    if not alert:
        raise InvalidField("this is no OpenObserve body: it has no alert_name")
    row = _row(doc.at("rows"))
    stream = doc.first("stream_name") or (told_text["stream"] or "" if told_text else "")
    host = without_port(plain(doc, *_HOSTS) or plain(row, *_HOSTS))
    word = doc.first("severity", "alert_severity", "priority") or plain(row, "severity", "level")
    counted = " ".join(filter(None, map(doc.first, ("alert_count", "alert_operator", "alert_threshold"))))
    told = doc.first("message", "description", "alert_description", "rows", "text")
    values = " ".join(filter(None, [stream and f"in stream {stream}", counted and f"({counted})"]))
    organisation = doc.first("org_name", "organization")
    reading = alert_of(
        tool="openobserve",
        asset=host or stream,
        signature=alert,
        word=word,
        severity=None if word else Severity.MEDIUM,
        message="\n".join(filter(None, [f"{alert} {values}".strip(), told])),
        tags=some(
            doc,
            "org_name",
            "stream_type",
            "stream_name",
            "alert_type",
            "alert_period",
            "alert_operator",
            "alert_threshold",
            "alert_count",
            "alert_agg_value",
        ),
        key=whole_key(organisation, stream, alert, host) if organisation else None,
        urls=[doc.at("alert_url"), doc.at("url")],
        starts=_instant(doc.first("alert_start_time", "alert_trigger_time", "timestamp")),
    )
    return Read((reading,))


def _row(given: Any) -> Doc:
    """The first of the rows that made the alert, when the template renders rows as JSON."""
    if isinstance(given, str) and given.lstrip()[:1] in ("{", "["):
        with suppress(UsageError):
            given = parse(given.encode("utf-8", "replace"))
    first = next(iter(given), None) if isinstance(given, list) else given
    return Doc(first if isinstance(first, dict) else {})


def _instant(said: str) -> str | None:
    """Times are RFC 3339 without a zone, or microseconds since 1970."""
    return said[:13] if said.isdigit() and len(said) == 16 else said or None


tool = Tool(
    name="openobserve",
    title="OpenObserve",
    read=read,
    setup=Setup(
        steps=(
            "In OpenObserve open Management > Templates, choose Add Template, name it siems, type Web Hook, and paste "
            "the body below.",
            "Open Management > Alert Destinations and choose Add Destination; template siems, method POST, URL:  {url}",
            "Choose the destination in the alerts that siems shall get.",
            "OpenObserve never says that a problem is over: resolve its incidents by hand.",
        ),
        snippet_name="Body",
        snippet="""{
  "org_name": "{org_name}",
  "stream_type": "{stream_type}",
  "stream_name": "{stream_name}",
  "alert_name": "{alert_name}",
  "alert_type": "{alert_type}",
  "alert_period": "{alert_period}",
  "alert_operator": "{alert_operator}",
  "alert_threshold": "{alert_threshold}",
  "alert_count": "{alert_count}",
  "alert_agg_value": "{alert_agg_value}",
  "alert_start_time": "{alert_start_time}",
  "alert_end_time": "{alert_end_time}",
  "alert_url": "{alert_url}",
  "severity": "high",
  "host": "{host}"
}
""",
        docs="https://openobserve.ai/docs/user-guide/account-administration/management/templates/",
    ),
)
