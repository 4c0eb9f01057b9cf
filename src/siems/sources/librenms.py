"""LibreNMS: an alert rule and a device, by the API transport."""

from __future__ import annotations

from ipaddress import ip_address

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import flat, is_over, some, whole_key, zoned
from siems.vocabulary import Severity

WORDS = {"critical": Severity.CRITICAL, "warning": Severity.MEDIUM, "ok": Severity.LOW}
_RECOVERED, _ACKNOWLEDGED = "0", "2"


def read(body: bytes, headers: Headers) -> Read:
    doc = flat(document(body, headers))
    title, message = doc.first("title", "subject"), doc.first("msg", "message", "text")
    rule = doc.first("name", "rulename", "alertname") or _rule(title)
    asset = _device(doc)
    if title.startswith("Testing transport") or (rule == "Test-Rule" and doc.first("uid") in ("000", "0")):
        return Read(said="test message of LibreNMS")
    if not (asset or rule):
        raise InvalidField("this is no alert of LibreNMS: it names neither a device nor a rule")
    rule_id, device_id = doc.first("ruleid"), doc.first("deviceid")
    key = whole_key(doc.first("alertid") or (f"{rule_id}:{device_id}" if rule_id and device_id else ""))
    state, word = doc.first("state", "alertstate"), doc.first("severity")
    if state == _ACKNOWLEDGED:
        note = f"acknowledged: {doc.first('alertnotes', 'note') or title}"
        return Read(remarks=(Remark(key, note),)) if key else Read(said=f"{rule} on {asset} {note}")
    over = state == _RECOVERED if state.isdigit() else is_over(state or word) or " recovered from " in title
    reading = alert_of(
        tool="librenms",
        asset=asset,
        signature=rule or title,
        word=word,
        words=WORDS,
        message=message if message.startswith(title) else f"{title}\n{message or doc.first('faults')}",
        firing=not over,
        key=key,
        tags=some(doc, "hostname", "sysname", "ip", "os", "type", "hardware", "location", "ruleid", "deviceid"),
        urls=[doc.first(name) for name in ("url", "alerturl", "deviceurl", "proc")],
        starts=None if over else zoned(doc.at("timestamp")),
    )
    return Read((reading,))


def _device(doc: Doc) -> str:
    """The device's name; LibreNMS may know it by its address only, while the device says what it is called."""
    host = doc.first("hostname", "host")
    try:
        ip_address(host)
    except ValueError:
        return host or doc.first("sysname", "display", "ip")
    return doc.first("sysname", "display") or host


def _rule(title: str) -> str:
    """The rule in a title of the default template, without the device."""
    for mark in (" recovered from ", " - ", " got acknowledged "):
        if mark in title:
            return title.partition(mark)[2].strip()
    return ""


tool = Tool(
    name="librenms",
    title="LibreNMS",
    read=read,
    setup=Setup(
        steps=(
            "Alerts → Alert Transports → Create alert transport. Transport type: API, API Method: POST, "
            "Default Alert: ON.",
            "API URL:  {url}  Headers: Content-Type=application/json. Paste the body below.",
            "Save, and press Test transport at it.",
        ),
        snippet_name="Body",
        snippet="""{
  "title": "{{ $title }}",
  "hostname": "{{ $hostname }}",
  "sysName": "{{ $sysName }}",
  "ip": "{{ $ip }}",
  "os": "{{ $os }}",
  "location": "{{ $location }}",
  "device_id": "{{ $device_id }}",
  "rule_id": "{{ $rule_id }}",
  "alert_id": "{{ $alert_id }}",
  "uid": "{{ $uid }}",
  "name": "{{ $name }}",
  "severity": "{{ $severity }}",
  "state": "{{ $state }}",
  "alert_notes": "{{ $alert_notes }}"
}
""",
        docs="https://docs.librenms.org/Alerting/Transports/#api",
    ),
)
