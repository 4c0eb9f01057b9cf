"""Zabbix: a problem, its recovery and what people do to it, in the words of the media type's script."""

from __future__ import annotations

import re

from siems.errors import InvalidField, UsageError
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, parse
from siems.sources.shapes import flat, is_over, some, whole_key, zoned
from siems.vocabulary import Severity

WORDS = {
    "disaster": Severity.CRITICAL, "5": Severity.CRITICAL, "high": Severity.HIGH, "4": Severity.HIGH,
    "average": Severity.MEDIUM, "3": Severity.MEDIUM, "warning": Severity.MEDIUM, "2": Severity.MEDIUM,
    "information": Severity.LOW, "1": Severity.LOW, "not classified": Severity.LOW, "0": Severity.LOW,
}  # fmt: skip
_SEVERITY = (
    "eventnseverity", "nseverity", "eventseverity", "triggernseverity", "triggerseverity", "severity", "priority",
)  # fmt: skip
_HOST = ("hostname", "hosthost", "host", "hostvisiblename", "service", "servicename", "hosts.0.name", "hosts.0.host")
_ITEM = re.compile(r"^1\. [^\n]{1,255}? \(([^\s():]{1,128}):[^\n]{1,500}\): ", re.MULTILINE)
_TITLED = ("problem", "resolved", "updated", "ok", "recovery")


def read(body: bytes, headers: Headers) -> Read:
    doc = flat(document(body, headers))
    title = doc.first("title", "subject", "alertsubject")
    said = doc.first("message", "alertmessage", "description", "body", "text")
    lines = _lines(said)
    host = doc.first(*_HOST, "hostip") or lines.get("host", "") or _measured(said)
    name = doc.first("triggername", "eventname", "problemname", "name")
    name = name or lines.get("problem name") or lines.get("trigger") or _named(title)
    before = doc.first("peventid")  # the event connector tells a recovery by the event that it ends, and no more
    if not (host or name or said or before):
        if any(macro in body for macro in (b"{EVENT.", b"{ALERT.", b"{TRIGGER.", b"{HOST.")):
            return Read(said="test message of Zabbix: its macros are not filled in")
        raise InvalidField("this is no message of Zabbix: it names neither a host nor a problem")
    source = doc.first("eventsource")
    if source == "2" or (source == "1" and not any(word in f"{title} {said}".upper() for word in ("DOWN", "LOST"))):
        return Read(said=f"Zabbix has found something: {title or said[:200]}")
    own = before or doc.first("eventid", "problemid", "originalproblemid", "alertuid", "id", "triggerid")
    key = whole_key(own or lines.get("original problem id") or lines.get("original event id", ""))
    over = bool(before) or _over(doc, title or lines.get("trigger status", ""))
    action = doc.first("eventupdateaction", "updateaction")
    updated = action or doc.first("eventupdatestatus", "updatestatus") == "1" or title.lower().startswith("updated ")
    if updated and not over and "severity" not in action.lower():
        note = _note(doc, action, said or title)
        return Read(remarks=(Remark(key, note),)) if key else Read(said=f"Zabbix says of {name} on {host}: {note}")
    groups = ("triggerhostgroupname", "hostgroup", "hostgroups", "hostip", "itemname", "triggerid")
    reading = alert_of(
        tool="zabbix",
        asset=host,
        signature=name or title,
        word=doc.first(*_SEVERITY) or lines.get("severity") or lines.get("trigger severity"),
        words=WORDS,
        message="\n".join(dict.fromkeys(filter(None, (title or name, said, doc.first("eventopdata", "opdata"))))),
        firing=not over,
        key=key,
        tags=_tags(doc) | some(doc, *groups),
        urls=_urls(doc),
        starts=None if over else zoned(doc.at("eventtimestamp"), doc.at("timestamp")),
    )
    return Read((reading,))


def _over(doc: Doc, title: str) -> bool:
    """The state that the script tells; without one the default subject, `Resolved in 2m 5s: …`."""
    status = doc.first("eventstatus", "status", "triggerstatus", "state", "alertstatus")
    if status and not status.isdigit():
        return is_over(status)
    value = doc.first("eventvalue", "triggervalue")
    return value == "0" if value else title.lower().startswith(("resolved", "ok:", "recovery")) or title.lower() == "ok"


def _measured(said: str) -> str:
    """The host of the first item value in messages as Zabbix wrote them before 5.0: `1. Ping (db-1:agent.ping): 1`."""
    found = _ITEM.search(said)
    return found[1] if found else ""


def _note(doc: Doc, action: str, said: str) -> str:
    who = doc.first("userfullname", "updateuser", "user")
    why = doc.first("eventupdatemessage", "updatemessage")
    note = " ".join(filter(None, (who, action)))
    return ": ".join(filter(None, (note, why))) or said


def _lines(said: str) -> dict[str, str]:
    """`Host: db-1` and the like in the default message."""
    found: dict[str, str] = {}
    for line in said.splitlines()[:100]:
        name, colon, value = line.partition(":")
        if colon and value.strip():
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _named(title: str) -> str:
    """`Problem: Disk is full` → `Disk is full`; the same of its recovery and updates."""
    head, colon, rest = title.partition(": ")
    return rest if colon and head.lower().startswith(_TITLED) else title


def _tags(doc: Doc) -> dict[str, str]:
    """The event's tags: as JSON, or as `env:prod, team:db`."""
    raw = doc.first("eventtagsjson", "eventtags", "tags")
    pairs: list[tuple[str, str]] = []
    if raw.startswith("["):
        try:
            items = parse(raw.encode("utf-8", "replace"))
        except UsageError:
            return {}
        pairs = [(Doc(item).first("tag"), Doc(item).first("value")) for item in items if isinstance(item, dict)]
    else:
        parts = (part.partition(":") for part in raw.split(","))
        pairs = [(name.strip(), value.strip()) for name, _, value in parts]
    return {name: value for name, value in pairs if name}


def _urls(doc: Doc) -> list[str]:
    base, trigger, event = doc.first("zabbixurl"), doc.first("triggerid"), doc.first("eventid")
    made = f"{base.rstrip('/')}/tr_events.php?triggerid={trigger}&eventid={event}" if base and trigger and event else ""
    return [made, *(doc.first(name) for name in ("url", "eventurl", "triggerurl", "linktoupstreamdetails"))]


tool = Tool(
    name="zabbix",
    title="Zabbix",
    read=read,
    setup=Setup(
        steps=(
            "Save the media type below as siems.yaml. Alerts → Media types → Import, choose the file, Import.",
            "Users → Users: choose a user that may see the hosts → Media → Add. Type: siems, Send to: siems.",
            "Alerts → Actions → Trigger actions → Create action. Add an operation, a recovery operation and an update "
            "operation, each sent to that user by siems only.",
            "In Alerts → Media types press Test at siems: its macros arrive as they are, which siems calls a test.",
        ),
        snippet_name="siems.yaml",
        snippet="""zabbix_export:
  version: '6.0'
  media_types:
    - name: siems
      type: WEBHOOK
      parameters:
        - name: event_id
          value: '{EVENT.ID}'
        - name: event_source
          value: '{EVENT.SOURCE}'
        - name: event_value
          value: '{EVENT.VALUE}'
        - name: event_name
          value: '{EVENT.NAME}'
        - name: event_nseverity
          value: '{EVENT.NSEVERITY}'
        - name: event_tagsjson
          value: '{EVENT.TAGSJSON}'
        - name: event_opdata
          value: '{EVENT.OPDATA}'
        - name: event_update_status
          value: '{EVENT.UPDATE.STATUS}'
        - name: event_update_action
          value: '{EVENT.UPDATE.ACTION}'
        - name: event_update_message
          value: '{EVENT.UPDATE.MESSAGE}'
        - name: user_fullname
          value: '{USER.FULLNAME}'
        - name: trigger_id
          value: '{TRIGGER.ID}'
        - name: trigger_hostgroup_name
          value: '{TRIGGER.HOSTGROUP.NAME}'
        - name: host_host
          value: '{HOST.HOST}'
        - name: host_ip
          value: '{HOST.IP}'
        - name: subject
          value: '{ALERT.SUBJECT}'
        - name: message
          value: '{ALERT.MESSAGE}'
        - name: zabbix_url
          value: '{$ZABBIX.URL}'
        - name: target
          value: '{url}'
      script: |
        var params = JSON.parse(value), target = params.target, request = new HttpRequest();
        delete params.target;
        request.addHeader('Content-Type: application/json');
        var answer = request.post(target, JSON.stringify(params));
        if (request.getStatus() < 200 || request.getStatus() > 299) {
          throw 'siems answered ' + request.getStatus() + ': ' + answer;
        }
        return 'OK';
      message_templates:
        - event_source: TRIGGERS
          operation_mode: PROBLEM
          subject: 'Problem: {EVENT.NAME}'
          message: 'Operational data: {EVENT.OPDATA}'
        - event_source: TRIGGERS
          operation_mode: RECOVERY
          subject: 'Resolved in {EVENT.DURATION}: {EVENT.NAME}'
          message: 'Operational data: {EVENT.OPDATA}'
        - event_source: TRIGGERS
          operation_mode: UPDATE
          subject: 'Updated problem in {EVENT.AGE}: {EVENT.NAME}'
          message: '{USER.FULLNAME} {EVENT.UPDATE.ACTION}: {EVENT.UPDATE.MESSAGE}'
""",
        docs="https://www.zabbix.com/documentation/current/en/manual/config/notifications/media/webhook",
    ),
)
