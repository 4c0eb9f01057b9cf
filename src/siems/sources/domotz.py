"""Domotz: events of a shared alert profile, each of a device, or of the agent that watches a site.

Its webhook schemas are in https://portal.domotz.com/developers/ (DeviceStatusChangeEvent, AgentStatusEvent and so on).
"""

from __future__ import annotations

from siems.domain.alert import SEVERITY_WORDS, Change, Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, text
from siems.sources.shapes import is_over, some, whole_key
from siems.vocabulary import Severity

_NEWS = {"agent_device_discovery", "agent_feature_discovery", "device_ip_change"}
"""What tells of nothing wrong."""
_TESTS = {"device_rtd": "round-trip delay", "agent_speed_test": "slow Internet connection"}
"""Measurements that say by a status whether their limit is kept."""


def read(body: bytes, headers: Headers) -> Read:
    doc = document(body, headers)
    event, data = doc.first("name"), doc.doc("data")
    if not event or not data.value:
        raise InvalidField("this is no event of Domotz: it has no name or no data")
    if event in _NEWS:
        return Read(said=f"{_asset(event, data)}: {event}")
    if event == "device_configuration_change":
        asset = _asset(event, data)
        return Read(changes=(Change(f"configuration of {asset} changed", asset, ()),), said=f"{event}: {asset}")
    return Read(tuple(_readings(event, data, doc.first("timestamp"))), many=True)


def _readings(event: str, data: Doc, at: str) -> list[Reading]:
    value = data.first("value")
    match event:
        case "device_status" | "agent_status":
            up, kind = value.upper() == "UP", event.partition("_")[0]
            severity = Severity.HIGH if kind == "agent" or _vital(data) else Severity.MEDIUM
            found = [_reading(event, data, at, f"{kind} down", "", not up, severity)]
            if up and kind == "device":  # there is no event for the end of a lost heartbeat
                found.append(_reading("device_heartbeat_lost", data, at, "heartbeat lost", "", False, Severity.LOW))
            return found
        case "device_heartbeat_lost":
            return [_reading(event, data, at, "heartbeat lost", "", True, Severity.LOW)]
        case "device_tcp":
            return [
                _reading(event, data, at, f"TCP port {port} down", port, one.first("status").upper() != "UP")
                for one in data.docs("value")
                if (port := one.first("port"))
            ] or [_reading(event, data, at, "TCP service", "", True)]
        case "agent_security_issue":
            return [
                _reading(event, data, at, f"security issue: {kind}", f"{kind}/{one.first('port')}", True)
                for one in data.docs("value")
                if (kind := one.first("type"))
            ] or [_reading(event, data, at, "security issue", "", True)]
        case "device_snmp":
            trigger = data.first("trigger_name") or "SNMP sensor"
            return [_reading(event, data, at, trigger, trigger, True, said=data.first("enum_value", "value"))]
        case "monitoring_profile_state_changed":
            name, state = data.first("monitoring_profile.name"), data.first("state.current")
            named = ": ".join(filter(None, [name, data.first("metric", "variable.label")])) or "monitoring profile"
            severity = SEVERITY_WORDS.get(state.lower(), Severity.MEDIUM)
            said = f"{data.first('state.previous') or '?'} → {state}" if state else ""
            return [_reading(event, data, at, named, named, not is_over(state), severity, said=said)]
        case "agent_wan_change":
            said = f"{_provider(data, 'old')} → {_provider(data, 'new')}"
            return [
                _reading(event, data, at, "Internet provider or address changed", "", True, Severity.LOW, said=said)
            ]
    over = data.first("status").upper().endswith("_RESOLVED")
    measured = ", ".join(
        f"{name.replace('_', ' ')} {text(found, 40)} (limit {data.first(f'threshold.{name}') or '?'})"
        for name, found in list(data.doc("value").value.items())[:10]
    )
    return [_reading(event, data, at, _TESTS.get(event, event.replace("_", " ")), "", not over, said=measured)]


def _reading(
    event: str, data: Doc, at: str, signature: str, part: str, firing: bool,
    severity: Severity = Severity.MEDIUM, said: str = "",
) -> Reading:  # fmt: skip
    asset, site = _asset(event, data), data.first("agent.display_name")
    ids = [data.first("agent_id", "agent.id"), data.first("device_id", "device.id")]
    return alert_of(
        tool="domotz",
        asset=asset,
        signature=signature,
        severity=severity,
        message="\n".join(filter(None, [f"{signature}: {asset}", said, f"site {site}" if site else ""])),
        firing=firing,
        key=whole_key("/".join(ids), event, part) if any(ids) else None,
        tags=some(data, "agent_id", "device_id", importance=data.first("device.importance"), site=site,
                  device_type=data.first("device.type.label"),
                  vendor=data.first("device.vendor", "device.user_data.vendor"),
                  zone=data.first("device.details.zone"), room=data.first("device.details.room"),
                  organization=data.first("agent.organization.name")),
        starts=at if firing else None,
    )  # fmt: skip


def _asset(event: str, data: Doc) -> str:
    """The device; what an agent says of itself is about its site."""
    device, site = data.first("device.display_name", "device.user_data.name"), data.first("agent.display_name")
    if event.startswith("agent_") and event != "agent_device_discovery":
        return site or f"agent {data.first('agent_id')}"
    return device or f"device {data.first('device_id')}".strip() or site


def _vital(data: Doc) -> bool:
    return data.first("device.importance").upper() == "VITAL"


def _provider(data: Doc, which: str) -> str:
    said = [data.first(f"provider.{which}.{name}") for name in ("descr", "netname")]
    return f"{next(filter(None, said), 'unknown provider')} {data.first(f'ip.{which}.address')}".strip()


tool = Tool(
    name="domotz",
    title="Domotz",
    read=read,
    redact=("snmp_read_community", "snmp_write_community"),
    tenant="data.agent.organization.id",
    setup=Setup(
        steps=(
            "Domotz Portal: add a shared contact channel of the type Webhook with the URL  {url}",
            "Make a Shared Alert Profile that uses this channel, with the events you want to be told: device status"
            " up and down, agent up and down, TCP services, SNMP triggers, round-trip delay, speed test. Take events in"
            " pairs (up and down), so that siems hears of the end as well.",
            "Bind the profile to your agents and devices.",
        ),
        docs="https://help.domotz.com/user-guide/shared-alerts-webhooks-ticketing-systems/",
    ),
)
