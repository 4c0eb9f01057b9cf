"""Listening to a tool: whatever it says becomes alerts, or a stated non-alert, and never gets lost."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from siems.domain.alert import Reading
from siems.errors import InvalidField, UsageError
from siems.sources import Headers, Read, Tool
from siems.sources.reading import Doc, alert_of, as_text, document, parse
from siems.sources.shapes import MAX_DOCUMENTS, fields, is_over, whole_key
from siems.sources.subjects import FIRING, OVER, Said, about, said_in

_ASSET = ("host", "hostname", "hostdisplayname", "asset", "assetname", "device", "devicename", "node", "nodename",
          "computername", "computer", "machine", "agentname", "monitor", "monitorname", "server", "servername",
          "vmname", "resource", "resourcename", "entity", "entityname", "instance", "target", "service", "servicename",
          "check", "checkname", "name", "alertname")  # fmt: skip
_PROBLEM = ("alertname", "rulename", "rule", "problemname", "problem", "triggername", "conditionname", "condition",
            "alarmname", "eventname", "signature")  # fmt: skip
_TITLE = ("title", "subject", "summary")
_SAID = ("message", "title", "summary", "description", "text", "subject", "body", "content", "msg", "details")
_WORD = ("severity", "level", "priority", "alertlevel", "alertseverity", "urgency", "criticality")
_STATE = ("status", "state", "alertstatus", "alertstate", "currentstate", "newstate", "transition", "action",
          "eventtype", "event")  # fmt: skip
_KEY = ("dedupkey", "dedupekey", "alertid", "incidentid", "incidentkey", "problemid")
_MESSAGE_KEY = ("id", "eventid")
_UNKNOWN = "not in a form that siems knows of"


def hear(tool: Tool, body: bytes, headers: Headers, at: datetime | None = None) -> Read:
    """What a body says that came `at` a time, if that is known. A native body that its source does not know makes an
    alert that shows it as it is.

    Raises UsageError and InvalidField for the generic contract, whose sender can mend it, and for an empty body.
    """
    try:
        return _read(tool, body, headers, at)
    except (UsageError, InvalidField) as unknown:
        if not tool.native or not body.strip():
            raise
        parts = _parts(body)
        if parts:
            return _together([_one(tool, part, headers, at) for part in parts])
        return Read((unknown_body(tool, body, headers, unknown.message),))


def is_unknown(reading: Reading) -> bool:
    """Whether a reading was made of a body in an unknown form; a template that was never filled in is known as that."""
    return not reading.signature.startswith("unrendered ") and any(
        warning.startswith(_UNKNOWN) for warning in reading.warnings
    )


def _read(tool: Tool, body: bytes, headers: Headers, at: datetime | None) -> Read:
    if at is None or tool.read_at is None:
        return tool.read(body, headers)
    return tool.read_at(body, headers, at)


def _one(tool: Tool, body: bytes, headers: Headers, at: datetime | None) -> Read:
    try:
        return _read(tool, body, headers, at)
    except (UsageError, InvalidField) as unknown:
        return Read((unknown_body(tool, body, headers, unknown.message),))


def _parts(body: bytes) -> list[bytes]:
    """The objects of a body that is a list of them, or has one on each line; of any other body nothing."""
    stripped = body.strip(b"\xef\xbb\xbf \t\r\n")
    lines = [line for line in stripped.splitlines() if line.strip()]
    try:
        if stripped.startswith(b"["):
            items = parse(stripped)
        elif 1 < len(lines) <= MAX_DOCUMENTS and all(line.lstrip().startswith(b"{") for line in lines):
            items = [parse(line) for line in lines]
        else:
            return []
    except UsageError:
        return []
    whole = 0 < len(items) <= MAX_DOCUMENTS and all(isinstance(item, dict) and item for item in items)
    return [msgspec.json.encode(item) for item in items] if whole else []


def _together(reads: list[Read]) -> Read:
    readings = tuple(reading for read in reads for reading in read.readings)
    said = dict.fromkeys(read.said for read in reads if read.said)
    return Read(
        readings,
        many=True,
        warnings=tuple(warning for read in reads for warning in read.warnings),
        remarks=tuple(remark for read in reads for remark in read.remarks),
        changes=tuple(change for read in reads for change in read.changes),
        said="" if readings else "; ".join(list(said)[:10]),
    )


def unknown_body(tool: Tool, body: bytes, headers: Headers, why: str) -> Reading:
    """An alert of a body in an unknown form: what looks like a machine, a problem, a state and a text is taken for it.

    It counts as firing unless it says clearly that it is over: a problem taken for a recovery pages nobody.
    """
    try:
        doc = fields(document(body, headers))
    except (UsageError, InvalidField):
        doc = Doc({})
    said = doc.first(*_SAID)
    subject = said_in(re.sub(r"^[^\w\[({*]+", "", (doc.first(*_TITLE) or said).partition("\n")[0])[:500])
    asset = doc.first(*_ASSET) or subject.asset
    signature, named = f"unknown {tool.name} message", ""
    if _unrendered(body):
        signature = f"unrendered {tool.name} template"
        why = "its placeholders were not filled in; look at the template in the tool"
    else:
        named = next((name for name in map(doc.first, _PROBLEM) if name and name != asset), "")
        titled = subject.tool or doc.first(*_TITLE)
        named = named or (about(subject.about, asset) if titled else "")
    word = doc.first(*_WORD)
    return alert_of(
        tool=tool.name,
        asset=asset,
        signature=named or signature,
        word=word,
        severity=None if word else subject.level,
        message=f"{said}\n{as_text(body)}" if said else as_text(body),
        firing=not _is_over(doc, subject),
        key=whole_key(doc.first(*_KEY)) or (None if named else whole_key(doc.first(*_MESSAGE_KEY))),
        warnings=(f"{_UNKNOWN} {tool.title}: {why}",),
    )


def _is_over(doc: Doc, subject: Said) -> bool:
    """Whether a state in it says so, or its title; a title that tells of a problem counts for more than a state, which
    may be that of the request."""
    state = re.sub(r"^\W+|\W+$", "", doc.first(*_STATE))
    if subject.state == FIRING and subject.level is not None:
        return False
    return is_over(state) if state else subject.state == OVER


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
