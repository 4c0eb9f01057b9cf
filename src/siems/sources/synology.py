"""Synology DSM: system notifications by a custom webhook, which are one sentence each."""

from __future__ import annotations

import re

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import fields, some
from siems.vocabulary import Severity

_PREFIX = re.compile(r"^\[([^\]\n]{1,64})\]\s*")
_ON = re.compile(r" on (?!(?:the|a|an|your|this) )(\S{1,64}?),? (?:has|have|is|was|were|are|failed|completed)\b")
_FROM = re.compile(r"\bFrom ([\w.-]{1,64})\s*$")
_VERB = re.compile(r",? (?:has|have|had|is|was|were|are|failed|fails|cannot|could|will|entered|exceeds?|completed)\b")
_OVER = ("restored", "repaired", "recovered", "back to normal", "is normal", "was normal", "completed", "success",
         "resumed", "reconnected", "is connected", "been fixed", "is healthy", "returned to")  # fmt: skip
_HIGH = ("crash", "fail", "degraded", "error", "critical", "abnormal", "lost", "unplugged", "power outage", "offline",
         "ransom", "overheat", "shut down due", "unavailable", "disconnected", "read-only")  # fmt: skip
_LOW = ("update", "new version", "signed in", "logged in", "scheduled", "beta")


def read(body: bytes, headers: Headers) -> Read:
    doc = fields(document(body, headers))
    text = doc.first("text", "message", "content", "body", "description", "desktop")
    if not text:
        raise InvalidField("this is no notification of DSM: it has no text", hint="use the body of the setup steps")
    if "test message" in text.lower() or "test notification" in text.lower():
        return Read(said="test message of Synology DSM")
    prefix, lead = _PREFIX.match(text), doc.first("prefix").partition("|")[0].strip(" []")
    said = text[prefix.end() :] if prefix else text
    on, end = _ON.search(said[:1_000]), _FROM.search(said[-200:])
    host = doc.first("hostname", "host", "device", "nas", "server") or (
        on[1] if on else end[1] if end else prefix[1] if prefix else lead
    )
    words = said.lower()
    over = any(sign in words for sign in _OVER) and not any(
        sign in words for sign in ("unsuccess", "not completed", "cannot be repaired", "fail")
    )
    word = doc.first("severity", "level").lower()
    high, low = any(sign in words for sign in _HIGH), any(sign in words for sign in _LOW)
    level = Severity.HIGH if high else Severity.LOW if low or over else Severity.MEDIUM
    return Read((alert_of(
        tool="synology",
        asset=host or "Synology NAS",
        signature=doc.first("event", "eventname", "title", "subject") or _about(said, on[1] if on else host),
        word=word,
        severity=None if word else level,
        message=text,
        firing=not over,
        tags=some(doc, "category", "type"),
        urls=[doc.first("url", "link")],
        starts=doc.first("timestamp", "datetime", "time") or None,
    ),))  # fmt: skip


def _about(said: str, host: str) -> str:
    """What a sentence is about, which its opposite is about as well: what stands before the verb."""
    first = said.strip().partition("\n")[0][:400]
    verb = _VERB.search(first)
    subject = first[: verb.start()] if verb else first
    return " ".join(subject.replace(f" on {host}" if host else "\n", " ").split()).strip(" .:,") or "DSM notification"


tool = Tool(
    name="synology",
    title="Synology DSM",
    read=read,
    setup=Setup(
        steps=(
            "Control Panel > Notification > Webhooks > Add: provider Custom, rule All; name siems and the URL {url}",
            "HTTP method POST, header  Content-Type: application/json,  body below, with the name of your NAS.",
            "Press Send Test Message; siems answers that it was a test.",
        ),
        snippet_name="HTTP body",
        snippet='{"hostname": "the name of your NAS", "text": "@@TEXT@@"}\n',
        docs="https://kb.synology.com/en-global/DSM/help/DSM/AdminCenter/system_notification_webhook",
    ),
)
