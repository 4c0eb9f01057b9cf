"""Uptime Kuma, its webhook notification: a monitor with its last heartbeat, or a bare text about certificates."""

from __future__ import annotations

import re

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, filled, header
from siems.sources.shapes import down, joined, loose, site, some
from siems.vocabulary import Severity

_EVENTS = {"create": "0", "trigger": "0", "resolve": "1"}
_TOLD = re.compile(r"(?:\[(?P<name>[^\]\n]{1,255})\] )?(?:\[\W{0,3}|[🔴✅]\uFE0F? )(?P<state>Down|Up)\b", re.IGNORECASE)
_STATES = {"2": "is being tried again", "3": "is in maintenance"}


def read(body: bytes, headers: Headers) -> Read:
    """One heartbeat that changed a monitor's state."""
    doc = document(_part(body, headers), headers)
    monitor, heartbeat = doc.doc("monitor"), doc.doc("heartbeat")
    name = doc.first("monitor.name", "monitor.pathName", "monitor.id", "heartbeat.monitorID")
    said = doc.first("msg")
    # the message for PagerTree says in its event what happened
    state = _EVENTS.get(doc.first("event_type"), "") or doc.first("heartbeat.status")
    if name and state in _STATES:
        return Read(said=f"{name} {_STATES[state]}")
    if name and state:
        return Read((_beat(doc, monitor, heartbeat, name, up=state == "1"),))
    if said.lower().endswith("testing") and not name:
        return Read(said="test message of Uptime Kuma")
    if "expire in" in said and not name:
        return Read((_expiry(said),))
    # bodies that an operator wrote hold the message, whatever they call it
    texts = [said, doc.first("status", "STATUS"), *(filled(value) for value in list(doc.value.values())[:32])]
    told = next(filter(None, map(_TOLD.search, texts)), None)
    if told is not None:
        return _own(doc, told, next(text for text in texts if _TOLD.search(text)))
    raise InvalidField("there is no monitor and no heartbeat in it")


def _beat(doc: Doc, monitor: Doc, heartbeat: Doc, name: str, *, up: bool) -> Reading:
    url = monitor.first("url")
    asset = monitor.first("hostname", "docker_container") or site(url) or name
    why = heartbeat.first("msg")
    short = f"{name} is {'up again' if up else 'down'}"
    return alert_of(
        tool="uptime-kuma",
        asset=asset,
        signature=down(name, asset, monitor.first("type")),
        severity=Severity.HIGH,
        message=doc.first("msg") or (f"{short}: {why}" if why and not up else short),
        firing=not up,
        # ids count from 1 in every Uptime Kuma, and one client may run several
        key=f"{monitor.first('id') or heartbeat.first('monitorID')}:{name}",
        tags=some(monitor, "name", "type", "url", "port", "keyword", "description", tags=joined(monitor.at("tags"))),
        urls=url,
        starts=None if up else heartbeat.first("time"),
    )


def _own(doc: Doc, told: re.Match[str], said: str) -> Read:
    """A body that an operator wrote of the variables NAME, STATUS, HOSTNAME_OR_URL and msg."""
    own = loose(doc)
    name = told["name"] or own.first("name", "monitorname", "monitor") or _titled(own.first("title", "subject"))
    if not name:
        raise InvalidField("its text names no monitor", hint="take the preset application/json")
    url = own.first("hostnameorurl", "hostname", "url")
    asset = site(url) or name
    said = own.first("msg", "message", "body") or said
    return Read((alert_of(
        tool="uptime-kuma", asset=asset, signature=down(name, asset), severity=Severity.HIGH, message=said,
        firing=told["state"].lower() != "up", key=f":{name}", urls=url,
    ),))  # fmt: skip


def _titled(title: str) -> str:
    return title.removeprefix("Uptime Kuma Alert").strip(" -")


def _expiry(said: str) -> Reading:
    """`[name][url] server certificate CN will expire in 7 days`, or the same of a domain; both come without monitor."""
    parts = [part.partition("]")[0] for part in said.split("[")[1:3]]
    words = said.partition(" will expire")[0].split()
    domain = said.startswith("Domain")
    asset = (site(parts[1]) if len(parts) > 1 else "") or (words[-1] if words else "")
    return alert_of(
        tool="uptime-kuma",
        asset=asset,
        signature="domain expires" if domain else "certificate expires",
        severity=Severity.LOW,
        message=said,
        urls=parts[1:],
    )


def _part(body: bytes, headers: Headers) -> bytes:
    """The field `data` of a multipart body; other bodies as they are."""
    start = body.find(b'name="data"')
    if "multipart" not in header(headers, "content-type").lower() or start < 0:
        return body
    begin, end = body.find(b"\r\n\r\n", start), body.find(b"\r\n--", start)
    return body[begin + 4 : end] if 0 <= begin < end else body


tool = Tool(
    name="uptime-kuma",
    title="Uptime Kuma",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Notifications → Setup Notification.",
            "Notification Type: Webhook. Post URL:  {url}",
            "Request Body: Preset - application/json. Switch on Default enabled and Apply on all existing monitors.",
            "Press Test, then Save.",
        ),
        docs="https://github.com/louislam/uptime-kuma/wiki",
    ),
)
