"""PagerDuty: its webhooks of versions 1, 2 and 3, and bodies that tools write for its Events API."""

from __future__ import annotations

from itertools import islice

from siems.domain.alert import Change, Reading
from siems.domain.changing import replace
from siems.domain.signature import Scheme
from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import (
    Doc,
    alert_of,
    an_object,
    document,
    filled,
    host_in,
    links,
    made_key,
    message,
    parse,
    without_port,
)
from siems.sources.shapes import some
from siems.vocabulary import Severity

_WORDS = {
    "p1": Severity.CRITICAL,
    "p2": Severity.HIGH,
    "p3": Severity.MEDIUM,
    "p4": Severity.LOW,
    "p5": Severity.LOW,
    "high": Severity.HIGH,
    "low": Severity.LOW,
}
_LEVELS = {"critical": Severity.CRITICAL, "error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW}
_FIRING = ("triggered", "trigger", "reopened", "reopen")
_OVER = ("resolved", "resolve")
_ACTIONS = ("trigger", "acknowledge", "resolve")
_NEEDED = ("summary", "source", "severity")
MAX_MESSAGES = 1_000
MAX_KEY = 255
MAX_SUMMARY = 1_024


def read(body: bytes, headers: Headers) -> Read:
    """Whatever PagerDuty says, or is said to it."""
    doc = document(body, headers)
    if doc.first("event_action", "event_type") and not doc.doc("event").value:
        return _event(doc)
    if doc.doc("event").value:
        return _told(doc.doc("event"))
    messages = list(islice(doc.docs("messages"), MAX_MESSAGES))
    if messages:
        reads = [_message(message) for message in messages]
        return Read(
            tuple(reading for one in reads for reading in one.readings),
            many=True,
            remarks=tuple(remark for one in reads for remark in one.remarks),
            said="" if any(one.readings or one.remarks for one in reads) else reads[0].said,
        )
    if doc.first("payload.summary"):
        return Read(said=f"change event: {doc.first('payload.summary')}")
    raise InvalidField("it has neither event, messages nor event_action")


def _told(event: Doc) -> Read:
    """Version 3: one event about an incident, or about something else."""
    kind, data = event.first("event_type"), event.doc("data")
    if not kind.startswith("incident."):
        return Read(said=f"{kind or 'event'}: {data.first('message', 'summary')}")
    incident = data if data.first("type") in ("incident", "") else data.doc("incident")
    return _incident(kind, incident, data, event.first("agent.summary"), event.first("occurred_at"))


def _message(message: Doc) -> Read:
    """Versions 1 and 2: one of the messages of a delivery."""
    kind, incident = message.first("event", "type"), message.doc("incident")
    if not incident.value:
        incident = message.doc("data.incident")
    if not kind or not incident.value:
        raise InvalidField("a message has no event, or no incident")
    agent = message.first("log_entries.0.agent.summary") or incident.first(
        "last_status_change_by.summary", "last_status_change_by.name"
    )
    return _incident(kind, incident, message.doc("log_entries.0.channel"), agent, message.first("created_on"))


def _incident(kind: str, incident: Doc, more: Doc, agent: str, at: str) -> Read:
    key, verb = incident.first("id", "incident_key"), kind.removeprefix("incident.")
    title = incident.first("title", "trigger_summary_data.subject", "trigger_summary_data.description", "description",
                           "summary", "incident_key")  # fmt: skip
    if not key:
        raise InvalidField("the incident has no id")
    if verb not in _FIRING + _OVER:
        detail = more.first("content", "message", "note") or (
            incident.first("priority.summary") if "priority" in verb else ""
        )
        said = verb.replace("_", " ").replace(".", " ")
        text = f"PagerDuty: {said}" + (f" by {agent}" if agent else "") + (f": {detail}" if detail else "")
        return Read(remarks=(Remark(key, text),))
    service, firing = incident.first("service.summary", "service.name"), verb in _FIRING
    source = more.first("cef_details.source_origin", "cef_details.source_component")
    return Read(
        (
            alert_of(
                tool="pagerduty",
                asset=source or service or "PagerDuty",
                signature=title or "incident",
                word=incident.first("priority.summary", "priority.name", "urgency"),
                words=_WORDS,
                message=title + (f"\n{verb} by {agent}" if agent and not firing else ""),
                firing=firing,
                key=key,
                tags=some(
                    incident, "urgency", "incident_key", service=service, priority=incident.first("priority.summary"),
                    number=incident.first("number", "incident_number"), team=incident.first("teams.0.summary"),
                    escalation_policy=incident.first("escalation_policy.summary", "escalation_policy.name"),
                ),
                urls=incident.first("html_url"),
                starts=(incident.first("created_at", "created_on") or at) if firing else None,
            ),
        )
    )  # fmt: skip


def _event(doc: Doc) -> Read:
    """The Events API: version 2 with its payload, version 1 flat."""
    verb, key = doc.first("event_action", "event_type").lower(), doc.first("dedup_key", "incident_key")
    said = doc.first("payload.summary", "description")
    if verb.startswith("acknowledge"):
        return Read(remarks=(Remark(key, "acknowledged"),)) if key else Read(said="an acknowledgement without a key")
    if verb not in _FIRING + _OVER or not (said or key):
        raise InvalidField("its event_action is none of trigger, acknowledge and resolve, or it names no problem")
    return Read((_payload(doc, doc.doc("payload"), said, key, firing=verb in _FIRING),))


def _payload(doc: Doc, payload: Doc, said: str, key: str, *, firing: bool) -> Reading:
    parts = ("component", "class") if payload.first("class") else ()
    details = next((d for d in (payload.doc("custom_details"), doc.doc("details")) if d.value), Doc({}))
    if not details.value and payload.first("custom_details"):
        details = Doc({"custom_details": payload.at("custom_details")})
    source = without_port(host_in(payload.first("source")))
    known = {name: filled(value, 1_024) for name, value in list(details.value.items())[:40]}
    told = [f"{name}: {value}" for name, value in known.items() if value]
    return alert_of(
        tool="pagerduty",
        asset=source or details.first("host", "hostname", "source") or doc.first("client"),
        signature=" ".join(filter(None, map(payload.first, parts))) or said or key,
        word=payload.first("severity"),
        words=_LEVELS,
        message="\n".join([said or f"{key} is {'firing' if firing else 'resolved'}", *told]),
        firing=firing,
        key=key or None,
        tags={name: value for name, value in known.items() if value}
        | some(payload, "component", "group", "class") | some(doc, "client"),
        urls=_urls(doc),
        starts=payload.first("timestamp") if firing else None,
    )  # fmt: skip


def _urls(doc: Doc) -> list[str]:
    images = [image.first(name) for image in doc.docs("images") for name in ("href", "src")]
    return list(dict.fromkeys([doc.first("client_url"), *(link.first("href") for link in doc.docs("links")), *images]))


# --- the Events API itself, version 2: what is wrong is told as PagerDuty tells it ------------------------------


def read_event(body: bytes, headers: Headers) -> Read:
    """`POST /v2/enqueue`. Raises UsageError for what is no JSON, InvalidField with every fault of the event."""
    doc = Doc(an_object(parse(body)))
    verb, key, faults = doc.first("event_action"), doc.first("dedup_key"), _faults(doc)
    if faults:
        raise InvalidField("; ".join(faults))
    if verb == "acknowledge":
        return Read(remarks=(Remark(key, "acknowledged"),))
    reading = _payload(doc, doc.doc("payload"), doc.first("payload.summary"), key, firing=verb == "trigger")
    return Read((reading if key else replace(reading, dedup_key=made_key(reading.asset_name, reading.signature)),))


def _faults(doc: Doc) -> list[str]:
    verb, key = doc.first("event_action"), doc.at("dedup_key")
    if verb not in _ACTIONS:
        blank = "is missing or blank" if not verb else f"is invalid (must be one of the following: {_or(_ACTIONS)})"
        return [f"'event_action' {blank}"]
    found = []
    if key is not None and (not isinstance(key, str) or len(key) > MAX_KEY):
        found.append(f"'dedup_key' is too long (maximum is {MAX_KEY} characters)")
    if verb != "trigger":
        return found if key else [*found, f"'dedup_key' is missing or blank, and {verb} needs it"]
    payload = doc.doc("payload")
    if not payload.value:
        return [*found, "'payload' is missing or blank"]
    found += [f"'payload.{name}' is missing or blank" for name in _NEEDED if not message(payload.at(name)).strip()]
    if len(message(payload.at("summary"))) > MAX_SUMMARY:
        found.append(f"'payload.summary' is too long (maximum is {MAX_SUMMARY} characters)")
    level = payload.at("severity")
    if level and level not in tuple(_LEVELS):
        found.append(f"'payload.severity' is invalid (must be one of the following: {_or(tuple(_LEVELS))})")
    return found


def _or(words: tuple[str, ...]) -> str:
    quoted = [f"'{word}'" for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def read_first(body: bytes, headers: Headers) -> Read:
    """`POST /generic/2010-04-15/create_event.json`, version 1 of the Events API, which older agents and plug-ins speak.
    Raises as `read_event`."""
    doc = Doc(an_object(parse(body)))
    verb, key = doc.first("event_type"), doc.first("incident_key")
    faults = [] if verb in _ACTIONS else [f"'event_type' is invalid (must be one of the following: {_or(_ACTIONS)})"]
    if verb == "trigger" and not doc.first("description"):
        faults.append("'description' is missing or blank")
    if verb in ("acknowledge", "resolve") and not key:
        faults.append(f"'incident_key' is missing or blank, and {verb} needs it")
    if len(key) > MAX_KEY:
        faults.append(f"'incident_key' is too long (maximum is {MAX_KEY} characters)")
    if faults:
        raise InvalidField("; ".join(faults))
    read = _event(doc)
    made = tuple(
        one if key else replace(one, dedup_key=made_key(one.asset_name, one.signature)) for one in read.readings
    )
    return Read(made, remarks=read.remarks, said=read.said)


def read_change(body: bytes, headers: Headers) -> Read:
    """`POST /v2/change/enqueue`: what was changed is no alert."""
    doc = Doc(an_object(parse(body)))
    summary = doc.first("payload.summary")
    if not summary:
        raise InvalidField("'payload.summary' is missing or blank")
    change = Change(summary[:MAX_SUMMARY], doc.first("payload.source")[:MAX_KEY], links(_urls(doc)))
    return Read(changes=(change,), said=f"change event: {summary[:MAX_SUMMARY]}")


tool = Tool(
    name="pagerduty",
    title="PagerDuty",
    read=read,
    signing=Scheme(header="X-PagerDuty-Signature", prefix="v1=", separator=",", given=True),
    redact=("routing_key", "service_key"),
    setup=Setup(
        steps=(
            "Integrations → Generic Webhooks (v3) → New Webhook.",
            "Webhook URL:  {url}  Scope: the account, or the service or team it is meant for.",
            "Event Subscription: all incident events. Add Webhook.",
            "PagerDuty shows the signing secret once: give it to siems:  siems integration rotate {integration}"
            " --what hmac --secret-file -",
            "Tools that speak the Events API cannot sign: they need an integration of their own, made with --no-sign."
            "  They send to {base} instead of https://events.pagerduty.com, with its API key as their routing key.",
        ),
        docs="https://support.pagerduty.com/main/docs/webhooks",
    ),
)

EVENTS = replace(tool, read=read_event, native=False, signing=None)
"""The Events API at its own address. Its senders repeat on 429, and do not sign."""
FIRST_EVENTS = replace(EVENTS, read=read_first)
CHANGES = replace(EVENTS, read=read_change)
