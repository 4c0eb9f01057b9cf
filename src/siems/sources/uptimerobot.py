"""UptimeRobot, its webhook alert contact: the variables of one alert, in whatever names the operator gave them."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import down, loose, site, some
from siems.vocabulary import Severity

_TYPES = {"1": "down", "2": "up", "3": "ssl expiry", "98": "started", "99": "paused"}


def read(body: bytes, headers: Headers) -> Read:
    """A monitor went down or came back, or its certificate or domain runs out."""
    doc = loose(document(body, headers))
    # variables that UptimeRobot did not know come as they were written: *alertFriendlyDuration*
    doc = Doc({k: v for k, v in doc.value.items() if not (isinstance(v, str) and v[:1] == v[-1:] == "*")})
    name, url = doc.first("monitorfriendlyname", "monitorname", "monitor", "name"), doc.first("monitorurl", "url")
    event = doc.first("alerttypefriendlyname", "status") or _TYPES.get(doc.first("alerttype", "type"), "")
    monitor, word = doc.first("monitorid", "id"), event.lower()
    if not (name or url or monitor) or not event:
        raise InvalidField("it names no monitor, or not what happened to it")
    if word in ("started", "paused"):
        return Read(said=f"{name or url} was {word}")
    details = doc.first("alertdetails", "details", "message")
    left = doc.first("sslexpirydaysleft", "domainexpirydaysleft")
    expiry = "domain" if "domain" in word else "certificate" if "ssl" in word or "cert" in word else ""
    firing, asset = word != "up", site(url) or name or monitor
    duration = doc.first("alertfriendlyduration")
    return Read(
        (
            alert_of(
                tool="uptimerobot",
                asset=asset,
                signature=f"{expiry} expires" if expiry else down(name or url, asset, "uptime"),
                severity=Severity.LOW if expiry else Severity.HIGH,
                message=f"{name or url}: {event}"
                + (f" after {duration}" if duration and not firing else f", {left} days left" if left else "")
                + (f"\n{details}" if details else ""),
                firing=firing,
                key=f"{monitor}:{expiry}" if monitor and expiry else monitor,
                tags=some(doc, "monitorfriendlyname", "monitorurl", "alerttype", "alertid", "sslexpirydate"),
                urls=[url, f"https://dashboard.uptimerobot.com/monitors/{monitor}" if monitor.isdigit() else ""],
                starts=doc.first("alertdatetime") if firing else None,
            ),
        )
    )


tool = Tool(
    name="uptimerobot",
    title="UptimeRobot",
    read=read,
    setup=Setup(
        steps=(
            "Integrations & API → Webhook → Add.",
            "URL to notify:  {url}&  (with the & at its end, since UptimeRobot may append variables to it).",
            "Send as JSON (application/json): on. Paste the body below as POST value.",
            "Events: Up, Down, SSL & Domain expiry. Then switch the integration on in each monitor.",
        ),
        snippet_name="POST value (JSON format)",
        snippet="""{"monitorID": "*monitorID*", "monitorURL": "*monitorURL*",
 "monitorFriendlyName": "*monitorFriendlyName*",
 "alertType": "*alertType*", "alertTypeFriendlyName": "*alertTypeFriendlyName*", "alertDetails": "*alertDetails*",
 "alertDateTime": "*alertDateTime*", "alertFriendlyDuration": "*alertFriendlyDuration*",
 "sslExpiryDate": "*sslExpiryDate*", "sslExpiryDaysLeft": "*sslExpiryDaysLeft*"}
""",
        docs="https://help.uptimerobot.com/en/articles/11358364",
    ),
)
