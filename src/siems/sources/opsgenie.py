"""Opsgenie and Jira Service Management: their outgoing webhook, or a body written for Opsgenie's Alert API."""

from __future__ import annotations

from collections.abc import Mapping

from siems.domain.changing import replace
from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, an_object, document, filled, made_key, message, parse, short_key
from siems.sources.shapes import joined, site, some
from siems.vocabulary import Severity

_LEVELS = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.LOW)
_WORDS = {f"{letter}{n}": level for n, level in enumerate(_LEVELS, 1) for letter in ("", "p")}
_HOSTS = ("host", "Host", "hostname", "hostName", "instance", "node", "server", "device")


def read(body: bytes, headers: Headers) -> Read:
    """One action on an alert: creating it fires, closing and deleting it recover, all others are remarks."""
    doc = document(body, headers)
    alert, action = doc.doc("alert"), doc.first("action")
    if not alert.value and doc.first("message"):
        alert = doc
    key, name = alert.first("alertId", "id", "alias"), alert.first("message")
    if not key and not name:
        raise InvalidField("it has no alert with an alertId or a message")
    verb = action.lower() or "create"
    if verb == "test":
        return Read(said="test message of Opsgenie")
    if verb not in ("create", "close", "delete"):
        return Read(remarks=(Remark(key or name, _remark(doc, alert, action)),))
    details = alert.doc("details")
    source = alert.first("source")
    return Read(
        (
            alert_of(
                tool="opsgenie",
                asset=alert.first("entity") or details.first(*_HOSTS) or ("" if "@" in source else site(source))
                or doc.first("integrationName") or "Opsgenie",
                signature=name or alert.first("alias") or key,
                word=alert.first("priority") or ("3" if verb == "create" else ""),
                words=_WORDS,
                message="\n".join(filter(None, [name, alert.first("description"), alert.first("note")])),
                firing=verb == "create",
                key=key or None,
                tags={k: filled(v, 1_024) for k, v in list(details.value.items())[:40] if filled(v)}
                | some(alert, "alias", "tinyId", "entity", "source", "priority", tags=joined(alert.at("tags")),
                       teams=joined(alert.at("teams")), integration=doc.first("integrationName")),
                urls=[v for v in details.value.values() if isinstance(v, str)],
                starts=alert.first("createdAt") if verb == "create" else None,
            ),
        )
    )  # fmt: skip


def _remark(doc: Doc, alert: Doc, action: str) -> str:
    """What was done, by whom, with its note."""
    who, note = alert.first("username", "user", "owner"), alert.first("note")
    to = joined(doc.doc("escalationNotify").value) or alert.first(
        "addedTags", "removedTags", "newPriority", "recipient"
    )
    return f"Opsgenie: {action}" + (f" ({to})" if to else "") + (f" by {who}" if who else "") + (note and f": {note}")


# --- the Alert API itself ---------------------------------------------------------------------------------------

ACTS: Mapping[str, str] = {
    "acknowledge": "acknowledged", "unacknowledge": "no longer acknowledged", "notes": "note", "snooze": "snoozed",
    "assign": "assigned", "escalate": "escalated", "tags": "tagged", "details": "details added",
    "responders": "responder added", "teams": "team added", "priority": "priority changed",
    "message": "message changed", "description": "description changed", "untag": "tags removed",
    "remove-details": "details removed",
}  # fmt: skip
"""What senders may say of an alert of theirs, besides that it is over. siems notes it: people work on incidents."""
REMOVED: Mapping[str, str] = {"tags": "untag", "details": "remove-details"}
"""What a DELETE at the address of an act says."""
_NEEDED = {
    "notes": "note", "snooze": "endTime", "assign": "owner", "tags": "tags", "untag": "tags", "details": "details",
    "remove-details": "keys", "priority": "priority", "message": "message", "description": "description",
}  # fmt: skip
_SAID = ("owner.username", "owner.name", "owner.id", "escalation.name", "responder.username", "responder.name",
         "team.name", "endTime", "priority", "message", "description", "tags", "keys", "details")  # fmt: skip
_IGNORED = ("responders", "teams", "visibleTo", "actions")
_PRIORITIES = ("P1", "P2", "P3", "P4", "P5")


def read_alert(body: bytes, headers: Headers) -> Read:
    """`POST /v2/alerts`. Raises UsageError for what is no JSON, InvalidField with the fields that are wrong."""
    doc = Doc(an_object(parse(body)))
    faults = _faults(doc)
    if faults:
        raise InvalidField("; ".join(f"{field}: {fault}" for field, fault in faults.items()))
    named = message(doc.at("message")).strip()
    details, source, alias = doc.doc("details"), doc.first("source"), doc.first("alias")
    asset = doc.first("entity") or details.first(*_HOSTS) or ("" if "@" in source else site(source)) or "Opsgenie"
    reading = alert_of(
        tool="opsgenie", asset=asset, signature=named, word=doc.first("priority") or "P3", words=_WORDS,
        message="\n".join(filter(None, (named, doc.first("description"), doc.first("note")))),
        tags={str(k): filled(v, 1_024) for k, v in list(details.value.items())[:40] if filled(v)}
        | some(doc, "entity", "source", "user", tags=joined(doc.at("tags")))
        | {"alias": alias or made_key(asset, named)},
        urls=[v for v in details.value.values() if isinstance(v, str)],
    )  # fmt: skip
    ignored = [name for name in _IGNORED if doc.at(name)]
    warnings = (f"{', '.join(ignored)} ignored: the company's escalation policy decides who is told",)
    key = short_key(reading.labels["alias"])
    return Read((replace(reading, dedup_key=key),), warnings=warnings if ignored else ())


def _faults(doc: Doc) -> dict[str, str]:
    found = {}
    if not message(doc.at("message")).strip():
        found["message"] = "Message can not be empty."
    alias, priority = doc.at("alias"), doc.at("priority")
    if alias is not None and (not isinstance(alias, str) or len(alias) > 512):
        found["alias"] = "should be a text of at most 512 characters"
    if priority is not None and priority not in _PRIORITIES:
        found["priority"] = f"should be one of [ {', '.join(_PRIORITIES)} ]"
    if doc.at("details") is not None and not isinstance(doc.at("details"), Mapping):
        found["details"] = "should be an object"
    return found


def reader_of(act: str, alias: str, query: Mapping[str, str] = {}) -> Tool:
    """The tool that reads what is said of the alert with this alias. `close` and `delete` say that it is over. A DELETE
    says it in the query of its address."""

    def read_act(body: bytes, headers: Headers) -> Read:
        doc = Doc(dict(query) | (an_object(parse(body)) if body.strip() else {}))
        key, over = short_key(alias), act in ("close", "delete")
        who, note = doc.first("user"), doc.first("note")
        said = next(filter(None, map(doc.first, _SAID)), "") if act not in ("notes", "acknowledge") else ""
        if act in ("tags", "untag"):
            said = joined(doc.at("tags"))
        verb = f"{'closed' if over else ACTS[act]}" + (f" ({said})" if said else "") + (f" by {who}" if who else "")
        needed = _NEEDED.get(act, "")
        if needed and not doc.first(needed):
            raise InvalidField(f"{needed}: {needed[:1].upper()}{needed[1:]} can not be empty.")
        if act == "priority" and doc.at("priority") not in _PRIORITIES:
            raise InvalidField(f"priority: should be one of [ {', '.join(_PRIORITIES)} ]")
        remarks = (Remark(key, f"{verb}: {note}" if note else verb),) if note or not over else ()
        over_now = alert_of(tool="opsgenie", asset=alias, signature=alias, message="", firing=False, key=key)
        return Read((over_now,) if over else (), remarks=remarks)

    return replace(API, read=read_act)


tool = Tool(
    name="opsgenie",
    title="Opsgenie",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Integrations → Add integration → Webhook.",
            "Webhook URL:  {url}  Tick Add Alert Description to Payload and Add Alert Details to Payload.",
            "Choose the alert actions: alert is created, acknowledged, closed, deleted, note is added.",
            "Turn on integration.",
            "Tools that speak Opsgenie's Alert API send to {base} instead of https://api.opsgenie.com, with the API key"
            " of this integration as theirs (GenieKey).",
        ),
        docs="https://support.atlassian.com/opsgenie/docs/integrate-opsgenie-with-webhook/",
    ),
)

API = replace(tool, read=read_alert, native=False)
"""The Alert API at its own address. Its senders repeat on 429."""
