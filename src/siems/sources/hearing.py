"""Listening to a tool: whatever it says becomes alerts, or a stated non-alert, and never gets lost."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from siems.domain.alert import Reading
from siems.errors import InvalidField, UsageError
from siems.sources import Headers, Read, Tool
from siems.sources.reading import Doc, alert_of, as_text, document

_ASSET = ("host", "hostname", "host_name", "asset", "asset_name", "device", "deviceName", "monitor", "server",
          "resource", "instance", "service", "check", "name", "alertname")  # fmt: skip
_SAID = ("message", "title", "summary", "description", "text", "subject", "body", "content", "msg", "details")


def hear(tool: Tool, body: bytes, headers: Headers) -> Read:
    """What a body says. A native body that its source does not know makes an alert that shows it as it is.

    Raises UsageError and InvalidField for the generic contract, whose sender can mend it, and for an empty body.
    """
    try:
        return tool.read(body, headers)
    except (UsageError, InvalidField) as unknown:
        if not tool.native or not body.strip():
            raise
        return Read((unknown_body(tool, body, headers, unknown.message),))


def unknown_body(tool: Tool, body: bytes, headers: Headers, why: str) -> Reading:
    """An alert of a body in an unknown form: what looks like a machine and a text is taken for it."""
    try:
        doc = document(body, headers)
    except (UsageError, InvalidField):
        doc = Doc({})
    said = doc.first(*_SAID)
    signature = f"unknown {tool.name} message"
    if _unrendered(body):
        signature = f"unrendered {tool.name} template"
        why = "its placeholders were not filled in; look at the template in the tool"
    return alert_of(
        tool=tool.name,
        asset=doc.first(*_ASSET),
        signature=signature,
        word=doc.first("severity", "level", "priority", "alert_level"),
        message=f"{said}\n{as_text(body)}" if said else as_text(body),
        key=doc.first("dedup_key", "id", "alert_id", "incident_id", "event_id") or None,
        warnings=(f"not in a form that siems knows of {tool.title}: {why}",),
    )


_MARKS = re.compile(rb"\$\{[^}\"]{1,99}\}|\{\{[^}\"]{0,99}\}\}|\$[A-Z_]{3,40}|\"\{[a-z_.]{3,40}\}\"|%[a-z_]{3,40}%")
_STRINGS = re.compile(rb'"\s*:\s*"[^"]')


def _unrendered(body: bytes) -> bool:
    """Whether the body is mostly a template as an operator wrote it: placeholders where values should be."""
    head = body[:65_536]
    marks = len(_MARKS.findall(head))
    return marks >= 3 and marks * 2 >= len(_STRINGS.findall(head))


def redacted(body: bytes, fields: tuple[str, ...]) -> bytes:
    """The body without the values of secret fields, wherever they are in it."""
    if not fields:
        return body
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return urlencode([(k, "[redacted]" if k in fields else v) for k, v in pairs]).encode()
    _blank(value, frozenset(fields))
    return msgspec.json.encode(value)


def _blank(value: Any, fields: frozenset[str]) -> None:
    """Without calling itself: a body may be as deep as its sender likes."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            for key in one:
                if key in fields:
                    one[key] = "[redacted]"
                else:
                    left.append(one[key])
        elif isinstance(one, list):
            left.extend(one)
