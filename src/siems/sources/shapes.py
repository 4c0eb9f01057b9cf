"""Shapes that several tools send alike."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec

from siems.domain.alert import Reading, severity_from
from siems.domain.sns import confirmable
from siems.errors import InvalidField, UsageError
from siems.sources import Headers, Read, Remark
from siems.sources.reading import (
    Doc,
    alert_of,
    an_object,
    as_text,
    document,
    filled,
    header,
    host_in,
    instant,
    labels,
    links,
    message,
    name,
    parse,
    text,
    without_port,
)
from siems.vocabulary import Severity

MAX_DOCUMENTS = 1_000
_ASSET_LABELS = ("instance", "host", "hostname", "node", "nodename", "pod", "device", "target", "service", "job")


def documents(body: bytes, headers: Mapping[str, str]) -> list[Doc]:
    """The objects of a body that is a list of them, or the one object that it is."""
    stripped = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not stripped.startswith(b"["):
        return [document(body, headers)]
    items = parse(stripped)
    found = [Doc(item) for item in items if isinstance(item, Mapping)]
    if not 0 < len(found) == len(items) <= MAX_DOCUMENTS:
        raise InvalidField(f"a list holds 1 to {MAX_DOCUMENTS} objects and nothing else")
    return found


def loose(doc: Doc) -> Doc:
    """The same with names in lower case and without signs: `monitorID`, `monitor_id` and `MONITOR_ID` are one."""
    return Doc({"".join(c for c in str(name).lower() if c.isalnum()): value for name, value in doc.value.items()})


def some(doc: Doc, *paths: str, **named: str) -> dict[str, str]:
    """Labels of what is there at the paths, named by the last step of each; `named` are further ones as they are."""
    found = {path.rpartition(".")[2]: doc.first(path) for path in paths} | named
    return {name: value for name, value in found.items() if value}


def joined(value: object) -> str:
    """A list of plain words, or of objects with a name, as one text."""
    items = value if isinstance(value, list) else [value]
    words = [_named(item) if isinstance(item, Mapping) else text(item, 255).strip() for item in items]
    return ", ".join(filter(None, words))


def _named(item: Mapping[str, object]) -> str:
    return ": ".join(filter(None, (text(item.get(key), 255).strip() for key in ("name", "value"))))


def site(address: str) -> str:
    """The host that a check looks at, of an address with or without scheme, port and path; "" when it has none."""
    if "://" not in address:
        if address.count(":") > 1 and "/" not in address:  # a bare address of IPv6
            return address.strip()
        address = f"any://{address.strip()}"
    host = without_port(host_in(address))
    return "" if "://" in host else host


def down(name: str, asset: str, kind: str = "") -> str:
    """What is wrong when a check fails: its name, or its kind and path when the name only repeats the host."""
    plain = name.partition("://")[2] or name
    if plain.lower().startswith(asset.lower()) and asset:
        rest = plain[len(asset) :].partition("?")[0]
        if not rest or rest[0] in ":/":
            path = rest[rest.find("/") :].rstrip("/") if "/" in rest else ""
            return f"{kind} check down".strip() + (f": {path}" if path else "")
    return f"{name} down" if name else f"{kind} check down".strip()


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that came by SNS, without its envelope."""

    text: str
    doc: Doc | None
    """The message as an object, when it is one."""
    subject: str = ""
    topic: str = ""
    """The topic's ARN."""
    id: str = ""
    at: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    through_sns: bool = True
    """False when the body came as it is, so that it need not be a message of SNS at all."""


def through_sns(body: bytes, headers: Headers, read: Callable[[Notice], Read]) -> Read:
    """What `read` finds in the messages of a body: in an envelope of SNS, in several as AWS Lambda gets them, or in
    the body itself (raw delivery, EventBridge). Handshakes are answered here."""
    raw = {name: header(headers, f"x-amz-sns-{name}") for name in ("rawdelivery", "topic-arn", "message-id")}
    if any(raw.values()) and body.strip() and body.lstrip()[:1] != b"{":  # raw delivery of plain text
        return read(Notice(as_text(body), None, topic=raw["topic-arn"], id=raw["message-id"]))
    docs = documents(body, headers)
    records = [record.doc("Sns") for doc in docs for record in doc.docs("Records") if record.has("Sns.Message")]
    reads = [_opened(doc, body, raw, read) for doc in records or docs]
    if len(reads) == 1 and not records:
        return reads[0]
    readings = tuple(reading for one in reads for reading in one.readings)
    remarks = tuple(remark for one in reads for remark in one.remarks)
    said = "" if readings or remarks else "; ".join(one.said for one in reads if one.said)
    return Read(readings, many=True, remarks=remarks, said=said)


def _opened(doc: Doc, body: bytes, raw: Mapping[str, str], read: Callable[[Notice], Read]) -> Read:
    kind = doc.first("Type")
    if doc.has("TopicArn") and kind in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        return _handshake(doc, kind)
    if doc.has("TopicArn", "Message"):
        return read(_notice(doc))
    came = any(raw.values())
    return read(Notice(as_text(body), doc, topic=raw["topic-arn"], id=raw["message-id"], through_sns=came))


def _handshake(doc: Doc, kind: str) -> Read:
    topic, url = doc.first("TopicArn"), doc.first("SubscribeURL")
    if kind == "UnsubscribeConfirmation":
        return Read(said=f"unsubscribed from {topic}: nothing more will come of it")
    if not confirmable(url):
        return Read(said=f"SNS asks for a subscription to {topic} to be confirmed, but not at an address of SNS")
    return Read(said=f"SNS asks for the subscription to {topic} to be confirmed", confirm=url)


def _notice(envelope: Doc) -> Notice:
    said = envelope.at("Message")
    if isinstance(said, str):
        with suppress(UsageError):  # text that only looks like JSON stays text
            said = parse(said.encode("utf-8", "replace")) if said.lstrip()[:1] == "{" else said
    given = envelope.at("MessageAttributes")
    attributes = {
        name: Doc(value).first("Value")
        for name, value in (given.items() if isinstance(given, dict) else ())
        if isinstance(value, dict)
    }
    return Notice(
        envelope.first("Message"), Doc(said) if isinstance(said, dict) else None, envelope.first("Subject"),
        envelope.first("TopicArn"), envelope.first("MessageId"), envelope.first("Timestamp"), attributes,
    )  # fmt: skip


def plain(doc: Doc, *paths: str) -> str:
    """The first of several paths that holds a plain value, as text; of a list its first item."""
    for path in paths:
        value = doc.at(path)
        if isinstance(value, list):
            value = next(iter(value), None)
        said = "" if isinstance(value, (dict, list)) else filled(value)
        if said:
            return said
    return ""


def group(body: Any, *, tool: str, title: str, hint: str) -> Read:
    """A group of alerts as Alertmanager sends it, each with labels, annotations and a status of its own."""
    value = an_object(body)
    alerts = value.get("alerts")
    if not isinstance(alerts, list):
        raise InvalidField(f"this is no {title} body: it has no list of alerts", hint=hint)
    if len(alerts) > MAX_DOCUMENTS:
        raise InvalidField(f"a group holds at most {MAX_DOCUMENTS} alerts", hint="set max_alerts in webhook_config")
    warnings = []
    truncated = value.get("truncatedAlerts")
    if isinstance(truncated, int) and truncated > 0:
        warnings.append(f"{title} left {truncated} alerts out; raise max_alerts")
    status = text(value.get("status"), 16)
    readings = tuple(_grouped(tool, an_object(item, "an alert"), status) for item in alerts)
    return Read(readings, many=True, warnings=tuple(warnings))


def _grouped(tool: str, alert: dict[str, Any], group_status: str) -> Reading:
    tags, trouble = labels(alert.get("labels"))
    notes, _ = labels(alert.get("annotations"))
    word = next((tags[key] for key in ("severity", "priority", "level") if tags.get(key)), None)
    severity, original, warning = severity_from(word)
    starts_at, late = instant(alert.get("startsAt"))
    said = notes.get("summary") or notes.get("description") or notes.get("message") or notes.get("title") or ""
    more = notes.get("description", "") if notes.get("summary") else ""
    own = alert.get("fingerprint")
    key = text(own, 255) if own not in (None, "") else blake2b(
        msgspec.json.encode(sorted(tags.items())), digest_size=8
    ).hexdigest()  # fmt: skip
    return Reading(
        asset_name=_labelled(tags), signature=name(tags.get("alertname")) or "alert", severity=severity,
        original_severity=original, message=message(f"{said}\n{more}" if more and more != said else said),
        tool_source=tool, firing=text(alert.get("status") or group_status, 16).lower() != "resolved",
        dedup_key=key, labels=tags,
        links=links([alert.get("generatorURL"), notes.get("runbook_url"), notes.get("dashboard_url")]),
        starts_at=starts_at, warnings=tuple(w for w in (*trouble, warning, late) if w),
    )  # fmt: skip


def _labelled(tags: Mapping[str, str]) -> str:
    """The machine behind an alert: the most telling label, without the port of its exporter."""
    for key in _ASSET_LABELS:
        found = tags.get(key, "").strip()
        if found:
            host, colon, port = found.rpartition(":")
            return name(host if colon and port.isdigit() and host else found)
    return "unknown"


OVER = frozenset([
    "resolved", "resolve", "ok", "okay", "normal", "closed", "close", "cleared", "clear", "reset", "recovered",
    "recovery", "success", "successful", "succeeded", "restored", "healed", "healthy", "fixed", "up", "green",
])  # fmt: skip
"""Words by which operators' templates say that something is over."""
_PAIR = frozenset(["title", "name", "value", "short", "inline", "type"])


def is_over(*words: str) -> bool:
    """Whether the first of several words that says something says that it is over."""
    return next((word for word in words if word), "").strip().lower() in OVER


def fields(doc: Doc, limit: int = 2_000) -> Doc:
    """All that says something in an object, by the last part of its name in small letters and digits: what is in
    `data.Host Name` is `hostname`. What is higher up or comes first wins. Pairs of a title and a value, as messages
    for chats have them, count as fields. For bodies that operators write themselves.
    """
    found: dict[str, str] = {}
    waiting: deque[tuple[str, Any]] = deque([("", doc.value)])
    while waiting and limit:
        limit -= 1
        field_, value = waiting.popleft()
        if isinstance(value, Mapping):
            title = value.get("title") or value.get("name")
            if isinstance(title, str) and "value" in value and value.keys() <= _PAIR:
                waiting.append((title, value["value"]))
            else:
                waiting.extend((str(key), item) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend((field_, item) for item in value)
        elif said := filled(value):
            found.setdefault("".join(c for c in field_.rpartition(".")[2].lower() if c.isalnum()), said)
    return Doc(found)


def whole_key(*parts: str) -> str | None:
    """One key made of several parts; of what is too long to be kept whole a hash, so that no two become one."""
    key = "|".join(part for part in parts if part)
    if not key:
        return None
    return key if len(key) <= 255 else blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


_MACRO = re.compile(
    r"\$[A-Za-z][\w.:@]*\$|\$\{[^{}]*\}|##[\w.]+##|%[A-Za-z][\w.]*|\$[A-Za-z]\w*(\([\w .]*\))?", re.ASCII
)
_ZONED = re.compile(r"\d{9,13}(\.\d+)?|.+\d(Z|[+-]\d\d:?\d\d)", re.ASCII)


def flat(doc: Doc, *prefixes: str, depth: int = 3) -> Doc:
    """All of an object at one level, named by whole paths in small letters and digits: `host.display_name`,
    `HOSTDISPLAYNAME` and `NOTIFY_HostDisplayName` (without the prefix `notify`) are one. Macros that nobody filled in
    are left out. For bodies that operators' scripts make of macros."""
    found: dict[str, Any] = {}

    def put(path: str, value: Mapping[str, Any], left: int) -> None:
        for key, item in value.items():
            name_ = path + "".join(c for c in str(key).lower() if c.isalnum())
            for prefix in prefixes:
                name_ = name_.removeprefix(prefix) or name_
            if isinstance(item, Mapping) and left:
                put(name_, item, left - 1)
            elif not (isinstance(item, str) and _MACRO.fullmatch(item.strip())):
                found.setdefault(name_, item)

    put("", doc.value, depth)
    return Doc(found)


def zoned(*values: Any) -> str | None:
    """The first of several times that says which zone it is in: seconds since 1970, or with an offset. A local time of
    a monitor's somewhere is no time to reckon with."""
    for value in values:
        said = filled(value, 64)
        if _ZONED.fullmatch(said) and instant(said)[0]:
            return said
    return None


_SERVICE_STATES = ("ok", "warning", "critical", "unknown")
_HOST_STATES = ("up", "down", "unreachable")
_STATE_WORDS = {"warn": "warning", "crit": "critical", "unkn": "unknown", "unreach": "unreachable"}
_STATE_FIELDS = (
    "checkresultstate", "currentstate", "statename", "statusname", "state", "severity", "status", "stateid", "statusid",
    "checkresultexitstatus",
)  # fmt: skip
_STATE_SEVERITY = {
    "down": Severity.CRITICAL, "critical": Severity.CRITICAL, "unreachable": Severity.HIGH,
    "warning": Severity.MEDIUM, "unknown": Severity.MEDIUM,
}  # fmt: skip
_STATE_TAGS = (
    "hostaddress", "address", "hostalias", "hostgroupnames", "hostgroupname", "hostgroups", "servicegroupnames",
    "servicegroups", "checkcommand", "servicecheckcommand", "site", "omdsite", "poller", "statetype", "environment",
)  # fmt: skip
_NO_KIND = ("host", "service", "notification", "state", "statechange", "checkresult")


def host_or_service(tool: str, title: str, doc: Doc, *prefixes: str) -> Read:
    """A notification of Nagios or one of its heirs: the state of a host or of a service on it, by the macros that the
    notifying script put in. The script may call them what it likes."""
    doc = flat(doc, *prefixes)
    host = doc.first("hostname", "host", "hostdisplayname", "hostalias", "hostaddress", "address", "hostip")
    services = ("servicedesc", "servicedescription", "servicename", "service", "servicedisplayname")
    service = "" if doc.first("what", "checktype", "objecttype", "type").lower() == "host" else doc.first(*services)
    kind = "".join(c for c in doc.first("notificationtype", "type", "eventtype").lower() if c.isalnum())
    kind = "" if kind in _NO_KIND else kind
    state = _state(doc, bool(service))
    if not host:
        raise InvalidField(f"this is no notification of {title}: it names no host")
    if not state and not kind:
        raise InvalidField(f"this is no notification of {title}: it has neither a state nor a type")
    key = whole_key(f"{host}!{service}" if service else host) or host
    who = doc.first("notificationauthor", "author", "ackauthor", "serviceackauthor", "hostackauthor", "username")
    why = doc.first("notificationcomment", "comment", "ackcomment", "serviceackcomment", "hostackcomment")
    note = ": ".join(filter(None, (f"{kind} by {who}" if who else kind, why)))
    fine = state in ("ok", "up")
    if kind.startswith("ack") or (kind == "custom" and fine):
        return Read(remarks=(Remark(key, note),))
    if kind.startswith("downtime") or kind in ("mute", "unmute", "test"):
        return Read(said=f"{title} says {note} for {key}")
    flapping = kind.startswith("flapping")
    if flapping:
        over = not kind.endswith("start")
    else:
        over = kind.startswith("recover") or (fine and kind != "problem")
    output = doc.first(
        "serviceoutput" if service else "hostoutput", "checkresultoutput", "pluginoutput", "output", "message"
    )
    more = doc.first("longserviceoutput" if service else "longhostoutput", "longpluginoutput", "longoutput")
    head = f"{service} on {host} is " if service else f"{host} is "
    head += "flapping" if flapping and not over else state.upper() or kind
    lines = [f"{head}: {output}" if output else head, "" if more == output else more, why]
    reading = alert_of(
        tool=tool,
        asset=host,
        signature=f"{service or 'host'} flapping" if flapping else service or "host down",
        word=state,
        severity=_STATE_SEVERITY.get(state, Severity.MEDIUM),
        message="\n".join(filter(None, lines)),
        firing=not over,
        key=whole_key(key, "flapping" if flapping else ""),
        tags=some(doc, *_STATE_TAGS, state=state),
        urls=[doc.first(field_) for field_ in ("serviceurl", "hosturl", "url", "serviceactionurl", "link")],
        starts=None if over else zoned(doc.at("lastservicestatechange" if service else "lasthoststatechange")),
    )
    return Read((reading,))


def _state(doc: Doc, service: bool) -> str:
    """The state that a notification tells, as Nagios calls it; "" when it tells none."""
    own = ("servicestate", "serviceshortstate") if service else ("hoststate", "hostshortstate")
    states = (_SERVICE_STATES, _HOST_STATES) if service else (_HOST_STATES, _SERVICE_STATES)
    for known in states:
        for field_ in (*own, *_STATE_FIELDS):
            word = text(doc.at(field_), 32).strip().lower().removesuffix(".0")
            word = _STATE_WORDS.get(word, word)
            if word in known:
                return word
            if known is states[0] and word in ("0", "1", "2", "3")[: len(known)] and field_ != "severity":
                return known[int(word)]
    return ""
