"""WhatsUp Gold: a device or one of its monitors changes its state, by an action with a script."""

from __future__ import annotations

from siems.domain.alert import SEVERITY_WORDS
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document, text
from siems.sources.shapes import flat, is_over, some, whole_key
from siems.vocabulary import Severity

_STATES = ("status", "activemonitorstate", "monitorstate", "devicestate", "state")


def read(body: bytes, headers: Headers) -> Read:
    raw = document(body, headers)
    doc = flat(raw)
    asset = doc.first("devicename", "devicedisplayname", "displayname", "device", "hostname", "devicehostname")
    asset = asset or doc.first("address", "deviceaddress", "ipaddress")
    state = next(filter(None, (text(doc.at(field), 100).strip().lower() for field in _STATES)), "")
    if not asset:
        if any(text(value, 100).startswith("%Device.") for value in raw.value.values()):
            return Read(said="test message of WhatsUp Gold: its variables are not filled in")
        raise InvalidField("this is no message of WhatsUp Gold: it names no device")
    monitor = doc.first(
        "monitor", "activemonitorname", "monitorname", "passivemonitorname", "passivemonitordisplayname"
    )
    said = doc.first("text", "message", "passivemonitorloggedtext", "description")
    if not (state or monitor or said):
        raise InvalidField("this is no message of WhatsUp Gold: it says neither a state nor what is monitored")
    broken = doc.first("downmonitors", "devicemonitorsdown", "deviceactivemonitordownnames")
    shown = doc.first("monitorstate" if monitor else "devicestate", "activemonitorstate") or state
    if state.startswith("maintenance"):
        return Read(said=f"{asset} is in maintenance, says WhatsUp Gold")
    over = state.startswith("up") or is_over(state)
    word = doc.first("severity", "priority")
    own = doc.first("deviceid", "devicedatabaseid")
    reading = alert_of(
        tool="whatsup-gold",
        asset=asset,
        signature=monitor or ("device down" if state else "message"),
        word=word,
        words=SEVERITY_WORDS,
        severity=None if word else Severity.HIGH if state.startswith("down") else Severity.MEDIUM,
        message="\n".join(
            filter(
                None,
                (
                    f"{monitor or 'device'} on {asset} is {shown}" if shown else f"{monitor} on {asset}",
                    said,
                    f"down: {broken}" if broken and not over else "",
                ),
            )
        ),
        firing=not over,
        key=whole_key(own, monitor or "device") if own else None,
        tags=some(doc, "address", "hostname", "deviceid", "group", "devicetype", down=broken),
        urls=[doc.first("url"), doc.first("link"), doc.first("deviceurl")],
    )
    return Read((reading,))


tool = Tool(
    name="whatsup-gold",
    title="WhatsUp Gold",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Actions & Alerts → Actions Library → + → PowerShell Script. Name: siems down. "
            "Paste the script below.",
            "Add another, siems up, with the word down in the script's first field replaced by up.",
            "Actions Policies → +: Down performs siems down, Up performs siems up.",
            "Assign the policy to your devices or monitors.",
        ),
        snippet_name="Script text",
        snippet="""$body = @{
  status        = 'down'
  device_id     = '%Device.DatabaseID'
  device_name   = '%Device.DisplayName'
  host_name     = '%Device.HostName'
  address       = '%Device.Address'
  monitor       = '%ActiveMonitor.Name'
  monitor_state = '%ActiveMonitor.State'
  device_state  = '%Device.State'
  down_monitors = '%Device.ActiveMonitorDownNames'
  text          = '%PassiveMonitor.LoggedText'
} | ConvertTo-Json
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
Invoke-RestMethod -Method Post -Uri '{url}' -ContentType 'application/json; charset=utf-8' `
  -Body ([Text.Encoding]::UTF8.GetBytes($body))
""",
        docs="https://docs.progress.com/category/whatsup-gold",
    ),
)
