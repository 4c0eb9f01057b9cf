"""States of hosts and of services on them, as Nagios and its heirs notify of them."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Read, Remark
from siems.sources.reading import Doc, alert_of, text
from siems.sources.shapes import flat, some, whole_key, zoned
from siems.vocabulary import Severity

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
