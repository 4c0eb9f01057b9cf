"""Icinga: an incident of Icinga Notifications, or a notification of a host or service by a command of Icinga 2."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import joined, some, whole_key
from siems.sources.states import host_or_service
from siems.vocabulary import Severity

WORDS = {
    "emerg": Severity.CRITICAL, "alert": Severity.CRITICAL, "crit": Severity.CRITICAL, "err": Severity.HIGH,
    "warning": Severity.MEDIUM, "notice": Severity.LOW, "info": Severity.LOW, "debug": Severity.LOW,
}  # fmt: skip


def read(body: bytes, headers: Headers) -> Read:
    doc = document(body, headers)
    if doc.has("params.object"):  # a channel's request to its plug-in, passed on as it is
        doc = doc.doc("params")
    if doc.has("object.tags") or isinstance(doc.at("tags"), dict):
        return _incident(doc)
    return host_or_service("icinga", "Icinga", doc, "icinga")


def _incident(doc: Doc) -> Read:
    """An event of an object: as a channel of kind webhook sends it, or as sources submit it."""
    sent = doc.has("object.tags")
    about, event = (doc.doc("object"), doc.doc("event")) if sent else (doc, doc)
    host = about.first("tags.host", "tags.hostname") or about.first("name").partition("!")[0]
    service = about.first("tags.service")
    if not host:
        raise InvalidField("this is no event of Icinga Notifications: its object has no name")
    key = whole_key(f"{host}!{service}" if service else host, about.first("tags.environment"))
    kind, said = event.first("type"), event.first("message")
    named = f"{service} on {host}" if service else host
    if kind.startswith("acknowledgement") and key:
        return Read(remarks=(Remark(key, ": ".join(filter(None, (kind, event.first("username"), said)))),))
    if kind.startswith("downtime") or kind in ("mute", "unmute"):
        return Read(said=f"Icinga says {kind} for {named}")
    flapping = kind.startswith("flapping")
    severity = doc.first("incident.severity", "severity")
    over = kind == "flapping-end" or (severity.lower() == "ok" and not flapping)
    state = kind if flapping else "recovered" if over else severity or "in trouble"
    extra = ", ".join(str(tag) for tag in list(about.doc("extra_tags").value)[:32])
    reading = alert_of(
        tool="icinga",
        asset=host,
        signature=f"{service or 'host'} flapping" if flapping else service or "host down",
        word="" if flapping and severity.lower() == "ok" else severity,
        words=WORDS,
        message=f"{named} is {state}: {said}" if said else f"{named} is {state}",
        firing=not over,
        key=whole_key(key or host, "flapping") if flapping else key,
        tags=some(about, "tags.environment", hostgroups=joined(about.at("relations.hostgroups")), extra=extra),
        urls=[doc.first("incident.url"), about.first("url")],
        starts=None if over or kind not in ("state", "") else event.at("time"),
    )
    return Read((reading,))


tool = Tool(
    name="icinga",
    title="Icinga",
    read=read,
    setup=Setup(
        steps=(
            "With Icinga Notifications: Configuration → Channels → Create Channel. Type: Webhook, Method: POST, "
            "URL Template:  {url}  Leave the Request Body Template as it is ({{json .}}), Response Status Codes: 202.",
            "Give a contact this channel, and let an event rule notify it.",
            "Without it: put the file below into /etc/icinga2/conf.d/siems.conf, run  icinga2 daemon -C  and reload.",
        ),
        snippet_name="siems.conf",
        snippet="""object NotificationCommand "siems-host" {
  command = [ "curl", "-fsS", "-m", "20", "{url}" ]
  arguments = {
    "--data-urlencode" = {
      repeat_key = true
      value = [
        "notification_type=$notification.type$", "notification_author=$notification.author$",
        "notification_comment=$notification.comment$", "host_name=$host.name$", "host_state=$host.state$",
        "host_output=$host.output$", "last_host_state_change=$host.last_state_change$"
      ]
    }
  }
}

object NotificationCommand "siems-service" {
  command = [ "curl", "-fsS", "-m", "20", "{url}" ]
  arguments = {
    "--data-urlencode" = {
      repeat_key = true
      value = [
        "notification_type=$notification.type$", "notification_author=$notification.author$",
        "notification_comment=$notification.comment$", "host_name=$host.name$", "service_name=$service.name$",
        "service_state=$service.state$", "service_output=$service.output$",
        "last_service_state_change=$service.last_state_change$"
      ]
    }
  }
}

object User "siems" { }

apply Notification "siems" to Host {
  command = "siems-host"
  users = [ "siems" ]
  interval = 0
  assign where true
}

apply Notification "siems" to Service {
  command = "siems-service"
  users = [ "siems" ]
  interval = 0
  assign where true
}
""",
        docs="https://icinga.com/docs/icinga-notifications/latest/doc/10-Channels/",
    ),
)
