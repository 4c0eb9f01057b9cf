"""Juniper Mist: alarms, and devices that come and go, several in a message.

https://www.juniper.net/documentation/us/en/software/mist/automation-integration/topics/topic-map/webhook-messages.html
shows the messages, `GET /api/v1/const/alarm_defs` of Mist's API the alarms and their fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from siems.domain.alert import Reading
from siems.domain.signature import Scheme
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, filled
from siems.sources.shapes import MAX_DOCUMENTS, is_over, joined, some, whole_key
from siems.vocabulary import Severity

_WORDS = {"critical": Severity.CRITICAL, "warn": Severity.MEDIUM, "warning": Severity.MEDIUM, "info": Severity.LOW}
_ENDINGS = (
    ("_reconnected", "_down"), ("_tunnels_up", "_tunnels_lost"), ("_up", "_down"), ("_usage_normal", "_usage_high"),
    ("_disconnected", ""), ("_connected", "_disconnected"), ("_unplugged", ""), ("_plugged", "_unplugged"),
    ("_success", "_failure"), ("_succeeded", "_failed"), ("_recovered", "_hung"),
    ("_member_added", "_member_deleted"),
)  # fmt: skip
"""How the alarm is called that says that another one is over, and how that one is called; "" where it says no such
thing, though it ends alike."""
_DEVICES = {"AP": "device", "SW": "switch", "GW": "gateway"}
_MACS = ("aps", "switches", "gateways", "macs")


def read(body: bytes, headers: Headers) -> Read:
    doc = document(body, headers)
    topic, events = doc.first("topic"), list(islice(doc.docs("events"), MAX_DOCUMENTS))
    if not topic or not events:
        raise InvalidField("this is no message of Mist: it has no topic or no events")
    if topic == "ping":
        return Read(said="test message of Mist")
    if topic in ("alarms", "device-updowns", "device-events", "device_events"):
        told = _alarm if topic == "alarms" else _coming_and_going
        readings = tuple(reading for event in events for reading in told(event))
        if readings:
            return Read(readings, many=True)
    return Read(said=f"{topic}: {events[0].first('type', 'message') or len(events)}")


def _alarm(event: Doc) -> Iterator[Reading]:
    """One alarm may name several devices: each of them recovers by itself."""
    kind = event.first("type") or "alarm"
    fault, over = _fault(kind)
    over = over or is_over(event.first("status")) or bool(event.first("resolved_time"))
    macs = next((found for name in _MACS if isinstance(found := event.at(name), list) and found), [])
    hosts = event.at("hostnames")
    names = hosts if isinstance(hosts, list) and hosts else macs
    for number, name in enumerate(names[:100] or [None]):
        mac = filled(macs[number]) if macs and len(macs) == len(names) else ""
        yield _reading(event, fault, filled(name), mac, over, kind)


def _fault(kind: str) -> tuple[str, bool]:
    """The alarm that tells what is wrong, and whether this one says that it is over."""
    for good, bad in _ENDINGS:
        if kind.endswith(good):
            return (kind.removesuffix(good) + bad, True) if bad else (kind, False)
    return kind, False


def _coming_and_going(event: Doc) -> Iterator[Reading]:
    """`AP_DISCONNECTED`, `SW_CONNECTED`: the same trouble as the alarms `device_down` and `switch_reconnected`."""
    kind = event.first("type")
    device, _, verb = kind.upper().partition("_")
    if device in _DEVICES and verb in ("CONNECTED", "DISCONNECTED"):
        name, mac = event.first("device_name", "ap_name"), event.first("mac", "ap")
        yield _reading(event, f"{_DEVICES[device]}_down", name, mac, verb == "CONNECTED", kind)


def _reading(event: Doc, fault: str, name: str, mac: str, over: bool, kind: str) -> Reading:
    asset, place = name or mac or event.first("site_name", "site_id"), event.first("site_name")
    word = event.first("severity")
    severity = None if word else _unsaid(fault)
    more = {key: joined(event.at(key)) for key in ("ssids", "bssids", "port_ids", "reasons", "impacted_entities")}
    return alert_of(
        tool="juniper-mist",
        asset=asset,
        signature=fault,
        word=word,
        words=_WORDS,
        severity=severity,
        message="\n".join(filter(None, [
            f"{kind.replace('_', ' ')}: {asset}", f"site {place}" if place else "",
            event.first("text", "reason", "note"),
            *(f"{key}: {said}" for key, said in more.items() if said),
        ])),
        firing=not over,
        key=whole_key(event.first("org_id"), event.first("site_id"), fault, mac or name),
        tags=some(event, "org_id", "site_id", "site_name", "group", "count", "node", type=kind, mac=mac,
                  ssids=more["ssids"]),
        starts=None if over else event.first("timestamp") or None,
    )  # fmt: skip


def _unsaid(fault: str) -> Severity:
    """How bad it is where a message does not say: what comes and goes has no severity."""
    return Severity.HIGH if fault in ("switch_down", "gateway_down") else Severity.MEDIUM


tool = Tool(
    name="juniper-mist",
    title="Juniper Mist",
    read=read,
    signing=Scheme(header="X-Mist-Signature-v2"),
    tenant="events.0.org_id",
    setup=Setup(
        steps=(
            "Mist portal: Organization > Admin > Settings, Webhooks: Add Webhook (or the same at a site).",
            "Type HTTP Post, name siems, URL  {url}  and under Advanced the secret  {secret}",
            "Topics: Alerts. Device Up/Downs tells the same of devices, without severity; siems takes both for one.",
            "Choose under Monitor > Alerts > Alerts Configuration which alerts there are, in pairs: device offline and"
            " device reconnected.",
        ),
        docs="https://www.juniper.net/documentation/us/en/software/mist/automation-integration/topics/topic-map/"
        "webhook-messages.html",
    ),
)
