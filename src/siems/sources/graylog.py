"""Graylog: HTTP notifications of event definitions (3 and later) and alarm callbacks of streams (2)."""

from __future__ import annotations

import re

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, without_port
from siems.sources.shapes import plain, some, whole_key
from siems.vocabulary import Severity

_WORDS = {
    "4": Severity.CRITICAL, "critical": Severity.CRITICAL, "3": Severity.HIGH, "high": Severity.HIGH,
    "2": Severity.MEDIUM, "normal": Severity.MEDIUM, "medium": Severity.MEDIUM, "1": Severity.LOW, "low": Severity.LOW,
}  # fmt: skip
_HOSTS = ("host", "hostname", "host_hostname", "source", "gl2_source_host", "server", "device", "instance",
          "source_host", "dest_host", "host_ip", "source_ip", "src_ip", "winlogbeat_host_name")  # fmt: skip
_SOURCE = re.compile(r"\bsource:\"?([\w.-]{1,255})")


def read(body: bytes, headers: Headers) -> Read:
    """One event, or one stream whose condition is met."""
    doc = document(body, headers)
    if doc.has("check_result") or doc.has("stream.title"):
        return _stream(doc)
    event = doc.doc("event")
    title = doc.first("event_definition_title", "event_title") or event.first("message")
    if not title:
        raise InvalidField("this is no Graylog body: it has neither event_definition_title nor check_result")
    kind = doc.first("event_definition_type") or event.first("event_definition_type")
    if kind == "test-dummy-v1" or event.first("id") == "TEST_NOTIFICATION_ID":
        return Read(said="test message of Graylog")
    fields, groups = event.doc("fields"), event.doc("group_by_fields")
    backlog = next(doc.docs("backlog"), Doc({}))
    by_key = event.first("key")
    # whatever the event was grouped by tells what is ill; its own source is only the Graylog that noticed
    asset = (
        plain(groups, *_HOSTS) or plain(fields, *_HOSTS) or by_key or next(iter(_values(groups)), "")
        or plain(backlog, "fields.host", "fields.hostname", "source", "fields.source")
        or "".join(_SOURCE.findall(event.first("replay_info.query"))[:1]) or event.first("source")
    )  # fmt: skip
    definition = doc.first("event_definition_id") or event.first("event_definition_id")
    group = by_key or "|".join(_values(groups))
    told = [event.first("message"), doc.first("event_definition_description"), backlog.first("message")]
    reading = alert_of(
        tool="graylog",
        asset=without_port(asset),
        signature=title,
        word=event.first("priority"),
        words=_WORDS,
        message="\n".join(dict.fromkeys(text for text in (title, *told) if text.strip(". "))),
        key=whole_key(definition, group) if definition and group else None,
        tags={**fields.value, **groups.value} | some(doc, "job_definition_title", type=kind),
        urls=[plain(doc, "event_url", "url"), *(v for v in fields.value.values() if isinstance(v, str))],
        starts=event.first("timerange_start", "timestamp") or None,
    )
    return Read((reading,))


def _values(doc: Doc) -> list[str]:
    return [value for value in (plain(doc, str(name)) for name in doc.value) if value]


def _stream(doc: Doc) -> Read:
    result, stream = doc.doc("check_result"), doc.doc("stream")
    condition = result.doc("triggered_condition")
    said = result.first("result_description", "description")
    if condition.first("type").lower() == "dummy" or said.startswith("Dummy alert"):
        return Read(said="test message of a stream of Graylog")
    first = next(result.docs("matching_messages"), Doc({}))
    name = condition.first("title") or condition.first("type", "type_string").replace("_", " ").lower()
    ids = [stream.first("id"), condition.first("id")]
    reading = alert_of(
        tool="graylog",
        asset=without_port(plain(first, "source", "fields.host", "fields.hostname") or stream.first("title")),
        signature=": ".join(filter(None, [stream.first("title"), name])) or "stream alert",
        severity=Severity.MEDIUM,
        message="\n".join(filter(None, [said, first.first("message")])),
        key=whole_key(*ids) if all(ids) else None,
        tags=some(stream, "title", "description") | some(condition, "type"),
        urls=[doc.at("stream_url")],
        starts=result.first("triggered_at") or None,
    )
    return Read((reading,))


tool = Tool(
    name="graylog",
    title="Graylog",
    read=read,
    setup=Setup(
        steps=(
            "In Graylog open System > Configurations > URL Allowlist and add:  {url}",
            "Open Alerts > Notifications and choose Create Notification; type: HTTP Notification.",
            "Enter as URL the same address, execute the test notification, and create it.",
            "In each event definition add this notification, and under Fields a custom field host with the value "
            "${source.source}, best as key, so that every machine gets an alert of its own.",
            "Graylog never says that a problem is over: resolve its incidents by hand.",
        ),
        docs="https://go2docs.graylog.org/current/interacting_with_your_log_data/notifications.html",
    ),
)
